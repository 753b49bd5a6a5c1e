//! A deadline inside a `poll` function.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

/// Begins when it is first looked at, and again after [`Self::clear`].
#[derive(Debug, Default)]
pub struct Deadline {
    // Kept for the next time: a timer costs more to make than to move.
    sleep: Option<Pin<Box<Sleep>>>,
    is_running: bool,
}

impl Deadline {
    /// Ready once `after` has passed since the first look.
    pub fn poll(&mut self, after: Duration, context: &mut Context<'_>) -> Poll<()> {
        if !self.is_running {
            self.is_running = true;
            let at = Instant::now() + after;
            match &mut self.sleep {
                Some(sleep) => sleep.as_mut().reset(at),
                None => self.sleep = Some(Box::pin(tokio::time::sleep_until(at))),
            }
        }
        self.sleep.as_mut().map_or(Poll::Pending, |sleep| sleep.as_mut().poll(context))
    }

    /// Nothing is waited for now.
    pub fn clear(&mut self) {
        self.is_running = false;
    }
}
