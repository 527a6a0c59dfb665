//! A clean stop: running work is notified once, and hands back its claims.

use std::{
    cell::{Cell, RefCell},
    future::poll_fn,
    task::{Poll, Waker},
};

/// Whether the service is stopping, and the tasks that wait for this.
#[derive(Default)]
pub(crate) struct Stop {
    is_stopping: Cell<bool>,
    waiting: RefCell<Vec<Waker>>,
}

impl Stop {
    pub(crate) fn is_stopping(&self) -> bool {
        self.is_stopping.get()
    }

    /// Wakes all waiting tasks.
    pub(crate) fn stop(&self) {
        self.is_stopping.set(true);
        // Removed first, because a waker may poll at once.
        let waiting = self.waiting.take();
        waiting.into_iter().for_each(Waker::wake);
    }

    /// Ends when the service stops.
    pub(crate) async fn stopped(&self) {
        poll_fn(|context| {
            if self.is_stopping() {
                return Poll::Ready(());
            }
            let mut waiting = self.waiting.borrow_mut();
            if !waiting.iter().any(|waker| waker.will_wake(context.waker())) {
                waiting.push(context.waker().clone());
            }
            Poll::Pending
        })
        .await;
    }
}
