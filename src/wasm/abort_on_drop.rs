//! A request of JavaScript's that is aborted when nobody waits for it any more.

/// Aborts its request when it is dropped.
pub(crate) struct AbortOnDrop(pub(crate) web_sys::AbortController);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
