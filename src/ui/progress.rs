//! Progress of longer jobs: a bar on a terminal, milestones elsewhere, nothing with `-q`.

use crate::event::{Event, Observer};

/// Draws events on stderr.
#[derive(Debug, Default)]
pub struct Progress {}

impl Observer for Progress {
    fn observe(&self, _event: Event) {}
}
