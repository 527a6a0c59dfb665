//! How a sync is done.

use super::{policy::Policy, progress::Observer};
use crate::git::PushOptions;

/// Options of a sync that are not part of the request.
#[derive(Clone, Default)]
pub struct Options {
    /// The observer of the progress.
    pub observer: Observer,
    /// What it may do besides fast-forwards.
    pub policy: Policy,
    /// Push options for the destination's hooks (`git push --push-option`), each without a line break.
    pub push_options: Vec<String>,
}

impl Options {
    pub(super) fn push_options(&self) -> PushOptions {
        PushOptions { atomic: self.policy.atomic, push_options: self.push_options.clone() }
    }
}
