//! Interprets refusals: which refs a refusal is about, and which reason of the API fits.
//!
//! The texts after `ng` and in error pages are not standardised. This file knows those of Git and of the large hosts.

use super::error::Error;
use crate::{
    api::{MessageSide, Reason},
    git::{self, Command, ErrorKind, Report},
};

/// The result of one ref.
pub(super) enum Verdict {
    /// The destination says that it is done.
    Accepted,
    /// It is not done, or the destination does not say.
    Refused(RefusedRef),
}

/// Why a ref was refused.
#[derive(Clone)]
pub(super) struct RefusedRef {
    /// Who refused it.
    pub(super) side: MessageSide,
    /// The reason, in one line.
    pub(super) why: String,
    /// The whole message of the refusal.
    pub(super) words: String,
    /// The API's reason, if it cannot be derived from `why`.
    pub(super) reason: Option<Reason>,
}

/// Why a request was refused as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// Some of its refs, or their objects. Each ref can be tried alone.
    Refs,
    /// Probably the caller or the server. Perhaps some refs: a few tries will show it.
    Unclear,
    /// The request is too large, or takes too long.
    Size,
    /// The destination's machine, such as a full disk. No other request would succeed.
    Machine,
}

/// Why a report refuses its push as a whole; `None` if it has a result for each ref.
pub(super) fn of_report(report: &Report, commands: &[Command]) -> Option<Cause> {
    if let Some(why) = &report.unpack_error {
        let said = format!("{why}\n{}", report.words).to_ascii_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| said.contains(word));
        return Some(match () {
            () if has(MACHINE) => Cause::Machine,
            () if has(TOO_LARGE) => Cause::Size,
            () => Cause::Refs,
        });
    }
    let mut refusals = commands.iter().map(|command| report.refs.get(&command.name).and_then(Option::as_deref));
    let first = refusals.next()??;
    let is_same = refusals.all(|refusal| refusal == Some(first));
    let lower = first.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    match () {
        () if has(WHOLE) => Some(Cause::Refs),
        // All refs have the same text, and it is not known to be about one ref.
        () if is_same && reason(first) == Reason::RemoteRefused && !has(SINGLE) => Some(Cause::Refs),
        () => None,
    }
}

/// Why the destination refused the request as a whole, according to this error. `None` if the error is not a refusal, such
/// as a lost connection.
pub(super) fn of_error(error: &Error, bytes_sent: u64) -> Option<Cause> {
    match error {
        Error::Destination(error) => match &error.kind {
            ErrorKind::Status { status: 413, .. } => Some(Cause::Size),
            // If a server gave up waiting for the first bytes, the size is not the reason.
            ErrorKind::Status { status: 408 | 504, .. } => (bytes_sent > 0).then_some(Cause::Size),
            ErrorKind::Status { status: 400 | 409 | 422 | 451, .. } => Some(Cause::Refs),
            ErrorKind::Status { status: 403, .. } => Some(Cause::Unclear),
            ErrorKind::Remote(said) => Some(of_words(said)),
            _ => None,
        },
        Error::Source(error) => of_source_error(error),
        _ => None,
    }
}

/// Why a source could not send objects; `None` if no ref is the cause.
pub(super) fn of_source_error(error: &git::Error) -> Option<Cause> {
    match &error.kind {
        // Then the request is too large, because it names every wanted object.
        ErrorKind::Status { status: 413, .. } => Some(Cause::Size),
        ErrorKind::Status { status: 500, .. } => Some(Cause::Unclear),
        ErrorKind::Remote(said) if is_stale(error) || has_any(said, DAMAGED) => Some(Cause::Refs),
        ErrorKind::Exceeded(exceeded) if exceeded.is_about_objects() => Some(Cause::Refs),
        ErrorKind::Remote(_) | ErrorKind::Protocol(_) => Some(Cause::Unclear),
        _ => None,
    }
}

fn of_words(said: &str) -> Cause {
    match () {
        () if has_any(said, MACHINE) => Cause::Machine,
        () if has_any(said, TOO_LARGE) => Cause::Size,
        () => Cause::Unclear,
    }
}

/// Whether the source was rewritten meanwhile: it no longer has a commit that it listed.
pub(super) fn is_stale(error: &git::Error) -> bool {
    matches!(&error.kind, ErrorKind::Remote(said) if said.contains("not our ref"))
}

fn has_any(text: &str, words: &[&str]) -> bool {
    let text = text.to_ascii_lowercase();
    words.iter().any(|word| text.contains(word))
}

/// The API's reason for a refusal with this text.
pub(super) fn reason(message: &str) -> Reason {
    let message = message.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| message.contains(word));
    if has(&[
        "protected branch",
        "protected ref",
        "hidden ref",
        "deny updating",
        "currently checked out",
        "deletion of the current branch",
    ]) {
        Reason::Protected
    } else if has(&["hook declined"]) {
        Reason::HookDeclined
    } else if has(&["non-fast-forward"]) {
        Reason::NonFastForward
    } else if has(&["funny refname", "invalid refname", "bad ref"]) {
        Reason::InvalidName
    } else if has(&["missing necessary objects", "bad pack"]) {
        Reason::MissingObjects
    } else if has(&["atomic push failure", "atomic transaction failed"]) {
        Reason::AtomicPushFailed
    } else {
        Reason::RemoteRefused
    }
}

impl RefusedRef {
    /// The refusal of this command in a report.
    pub(super) fn of_report(report: &Report, command: &Command) -> Self {
        let why = match (&report.unpack_error, report.refs.get(&command.name)) {
            (Some(why), _) => format!("the pack could not be stored: {why}"),
            (None, Some(Some(why))) => why.clone(),
            _ => String::new(),
        };
        Self { side: MessageSide::Destination, why, words: report.words.clone(), reason: None }
    }

    /// The refusal that an error of either side means.
    pub(super) fn of_error(error: &Error, cause: Cause) -> Self {
        let (side, kind, reason) = match error {
            Error::Source(error) => (MessageSide::Source, &error.kind, Reason::MissingObjects),
            Error::Destination(error) => (MessageSide::Destination, &error.kind, Reason::RemoteRefused),
            other => return Self::of_text(&other.to_string()),
        };
        let (why, words) = kind.in_short();
        Self { side, why, words, reason: (cause == Cause::Refs).then_some(reason) }
    }

    fn of_text(text: &str) -> Self {
        Self { side: MessageSide::Refsync, why: text.to_owned(), words: String::new(), reason: None }
    }

    /// The whole message.
    pub(super) fn said(&self) -> String {
        format!("{}\n{}", self.why, self.words)
    }
}

/// Texts after `ng` that are about the whole push (`receive-pack`: the hook that sees all refs, and the unpacking).
const WHOLE: &[&str] = &["pre-receive hook declined", "unpacker error"];
/// Texts after `ng` that are about one ref, although several refs may get the same text.
const SINGLE: &[&str] = &[
    "failed to update ref",
    "failed to write",
    "failed to lock",
    "cannot lock",
    "already exists",
    "inconsistent aliased update",
    "deletion prohibited",
    "shallow",
    "stale info",
    "broken",
    "no reason given",
];
/// Messages about a push that is too large: Git (`receive.maxInputSize`), GitHub (2 GiB), GitLab.
const TOO_LARGE: &[&str] =
    &["exceeds maximum allowed size", "maximum input size", "pack is too large", "push size", "too large to push"];
/// Messages about trouble of the server's machine.
const MACHINE: &[&str] = &[
    "no space left",
    "disk quota exceeded",
    "quota exceeded",
    "read-only file system",
    "cannot allocate memory",
    "out of memory",
    "too many open files",
    "input/output error",
    "insufficient permission",
    "permission denied",
    "unable to create temporary",
];
/// Git's messages about objects that are damaged or missing.
const DAMAGED: &[&str] = &[
    "bad object",
    "bad tree",
    "bad commit",
    "bad tag",
    "missing",
    "corrupt",
    "could not parse",
    "could not read",
    "unable to read",
    "unable to parse",
    "unable to find",
    "unable to unpack",
    "cannot read",
    "loose object",
    "inflate:",
    "packed object",
    "revision walk setup failed",
    "pack-objects died",
];
