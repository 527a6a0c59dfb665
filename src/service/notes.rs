//! What the service itself adds to the messages of a run.

use crate::model::{MessageSide, SyncRunMessage};

/// A sentence of the service's own.
pub(super) fn note(text: String) -> SyncRunMessage {
    SyncRunMessage { side: MessageSide::Refsync, text }
}
