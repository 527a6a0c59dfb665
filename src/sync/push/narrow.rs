//! Which commands go into the next request. If a request is refused as a whole, a hunt finds the bad ref in it. So all
//! other refs arrive, and the error names the bad one.
//!
//! A hunt halves the refused commands. If the first half is accepted, the bad ref is in the second half, so that half is
//! halved without a try. If the first half is refused, the second half waits with the other commands. At the end a single
//! ref is refused, and the other commands go into one request again. So each bad ref takes about `log2(refs) + 2` requests,
//! and never more than `2·log2(refs)`.
//!
//! - Refs that a refusal names come first in the hunt.
//! - If a hunt ends with a ref that is accepted, the destination takes only so many refs at once. Later requests have fewer.
//! - If many single refs in a row get the same answer, and none was ever accepted, the answer holds for the rest.

use gix_object::bstr::ByteSlice;

use crate::{git::Command, sync::verdict::Cause};

/// The commands of one request.
pub(super) struct Batch {
    pub(super) commands: Vec<Command>,
    role: Role,
}

/// How a request was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// The next commands.
    Next,
    /// A part of refused commands. The others are in [`Queue::suspects`].
    Part,
    /// The last of the refused commands, after all others were accepted.
    Last,
    /// A part of a request that was too large.
    Small,
}

/// The requests to come.
pub(super) struct Queue {
    /// Parts of requests that were too large; the next one is last.
    small: Vec<Vec<Command>>,
    /// Commands that were refused together. At least one of them is bad.
    suspects: Vec<Command>,
    /// How many of the suspects the refusal named. They come first.
    named: usize,
    /// How many commands the refused request had.
    refused: usize,
    rest: Vec<Command>,
    /// The most commands of a request.
    most: usize,
    has_accepted: bool,
    /// How many requests there were.
    requests: usize,
    /// The answer that the last single refs got, if it was the same, and how many refs got it.
    streak: (String, usize),
}

/// Why the remaining refs are not tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GiveUp {
    /// Many refs got the same answer, and none was accepted.
    SameAnswer,
    /// There were too many requests.
    TooMany,
}

impl Queue {
    /// Puts all commands into as few requests as hosts accept. `is_refused`: a request with all of them was refused
    /// already.
    pub(super) fn new(commands: Vec<Command>, is_atomic: bool, is_refused: bool) -> Self {
        let (suspects, rest) = if is_refused { (commands, Vec::new()) } else { (Vec::new(), commands) };
        Self {
            small: Vec::new(),
            named: 0,
            refused: suspects.len(),
            suspects,
            rest,
            most: if is_atomic { usize::MAX } else { MAX_COMMANDS },
            has_accepted: false,
            requests: 0,
            streak: Default::default(),
        }
    }

    /// Takes out the next request.
    pub(super) fn next(&mut self) -> Option<Batch> {
        self.requests += 1;
        if let Some(commands) = self.small.pop() {
            return Some(Batch { commands, role: Role::Small });
        }
        match self.suspects.len() {
            0 if self.rest.is_empty() => None,
            0 => {
                let later = self.rest.split_off(self.most.min(self.rest.len()));
                let commands = std::mem::replace(&mut self.rest, later);
                Some(Batch { commands, role: Role::Next })
            }
            1 => Some(Batch { commands: std::mem::take(&mut self.suspects), role: Role::Last }),
            suspects => {
                let named = std::mem::take(&mut self.named).min(suspects - 1);
                let part = if named > 0 { named } else { suspects / 2 };
                let others = self.suspects.split_off(part);
                let commands = std::mem::replace(&mut self.suspects, others);
                Some(Batch { commands, role: Role::Part })
            }
        }
    }

    /// Whether anything was accepted so far.
    pub(super) fn has_accepted(&self) -> bool {
        self.has_accepted
    }

    /// Sends the request again as it is.
    pub(super) fn repeat(&mut self, batch: Batch) {
        self.requests -= 1;
        match batch.role {
            Role::Small => self.small.push(batch.commands),
            Role::Next => self.rest.splice(0..0, batch.commands).for_each(drop),
            Role::Part | Role::Last => {
                self.named = if self.suspects.is_empty() { 0 } else { batch.commands.len() };
                self.suspects.splice(0..0, batch.commands).for_each(drop);
            }
        }
    }

    /// The destination answered ref by ref, and accepted at least one.
    pub(super) fn accepted(&mut self, batch: &Batch) {
        self.has_accepted = true;
        self.streak = Default::default();
        if batch.role == Role::Last {
            // All parts were accepted, but not together.
            self.most = self.most.min(self.refused.div_ceil(2));
        }
    }

    /// The request was too large: these parts come next.
    pub(super) fn halve(&mut self, batch: Batch) {
        let mut first = batch.commands;
        let second = first.split_off(first.len() / 2);
        self.put_small([first, second]);
    }

    /// Puts these requests before all others.
    pub(super) fn put_small(&mut self, [first, second]: [Vec<Command>; 2]) {
        self.small.extend([second, first]);
    }

    /// The request was refused as a whole, with this message.
    pub(super) fn refused(&mut self, batch: Batch, words: &str) {
        self.defer_suspects();
        let length = batch.commands.len();
        let is_named = |command: &Command| is_named(command, words);
        let (named, others): (Vec<_>, Vec<_>) = match length >= FEWEST_TO_NAME {
            true => batch.commands.into_iter().partition(is_named),
            false => (Vec::new(), batch.commands),
        };
        self.named = if named.len() <= length / 2 { named.len() } else { 0 };
        self.suspects = [named, others].concat();
        self.refused = length;
    }

    /// A single ref was refused for a reason that may hold for other refs too. Returns why no other ref should be tried, if
    /// so.
    pub(super) fn refused_alone(&mut self, cause: Cause, words: &str) -> Option<GiveUp> {
        self.defer_suspects();
        let (last, count) = &mut self.streak;
        if *last == words {
            *count += 1;
        } else {
            self.streak = (words.to_owned(), 1);
        }
        let patience = match cause {
            Cause::Refs | Cause::Size => PATIENCE,
            Cause::Unclear | Cause::Machine => PATIENCE_IF_UNCLEAR,
        };
        match () {
            () if !self.has_accepted && self.streak.1 >= patience => Some(GiveUp::SameAnswer),
            () if self.requests >= MAX_REQUESTS => Some(GiveUp::TooMany),
            () => None,
        }
    }

    /// The bad ref is in the request that was just refused, so nothing is known about the other suspects any more.
    fn defer_suspects(&mut self) {
        self.named = 0;
        self.rest.splice(0..0, self.suspects.drain(..)).for_each(drop);
    }

    /// Removes these refs from all later requests.
    pub(super) fn drop_refs(&mut self, is_dropped: impl Fn(&Command) -> bool) {
        for commands in self.small.iter_mut().chain([&mut self.suspects, &mut self.rest]) {
            commands.retain(|command| !is_dropped(command));
        }
        self.small.retain(|commands| !commands.is_empty());
    }

    /// All commands that are still to come.
    pub(super) fn into_rest(self) -> impl Iterator<Item = Command> {
        self.small.into_iter().rev().flatten().chain(self.suspects).chain(self.rest)
    }
}

/// Whether the message contains the name of the command's ref, or its id.
fn is_named(command: &Command, words: &str) -> bool {
    let has = |name: &[u8]| {
        words.as_bytes().find_iter(name).any(|at| {
            let behind = words.as_bytes()[at + name.len()..].first();
            !behind.is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_'))
        })
    };
    has(&command.name) || (!command.new.is_null() && has(command.new.to_string().as_bytes()))
}

/// The most commands of a request: GitHub fails above some 10,000.
pub(in crate::sync) const MAX_COMMANDS: usize = 5000;
/// With fewer commands, a misleading name costs more requests than a right one saves.
const FEWEST_TO_NAME: usize = 12;
/// How many single refs in a row may get the same answer before it holds for all.
const PATIENCE: usize = 100;
/// The same for an answer that is probably not about refs, such as a 403.
const PATIENCE_IF_UNCLEAR: usize = 3;
/// The most requests of one sync.
const MAX_REQUESTS: usize = 1000;
