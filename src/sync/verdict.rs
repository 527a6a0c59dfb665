//! What a destination means when it refuses a ref.
//!
//! The text behind `ng` is free: the ones that Git and the large hosts use are known here, any other stays as it is.

use crate::model::Reason;

/// The reason that fits a refusal, in the destination's words.
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
