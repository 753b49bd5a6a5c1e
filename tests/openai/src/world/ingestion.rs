//! The way of an attached file from `in_progress` to its end.

use std::time::Duration;

/// Where it stands, and where it will go.
#[derive(Debug, Clone)]
pub(crate) struct Ingestion {
    status: &'static str,
    error: Option<(String, String)>,
    /// Code and message of the failure that waits at the end.
    fails: Option<(String, String)>,
    stuck: bool,
    due: Duration,
    /// Without a delay the first look still finds it `in_progress`.
    needs_a_look: bool,
}

impl Ingestion {
    /// Begins now and ends after `takes`, with this failure if there is one.
    pub(crate) fn begin(now: Duration, takes: Duration, fails: Option<(String, String)>, stuck: bool) -> Self {
        Self { status: "in_progress", error: None, fails, stuck, due: now + takes, needs_a_look: takes.is_zero() }
    }

    pub(crate) fn status(&self) -> &'static str {
        self.status
    }

    /// Code and message of a failure that has happened.
    pub(crate) fn error(&self) -> Option<&(String, String)> {
        self.error.as_ref()
    }

    pub(crate) fn is_completed(&self) -> bool {
        self.status == "completed"
    }

    /// Ends what is still under way.
    pub(crate) fn cancel(&mut self) {
        if self.status == "in_progress" {
            self.status = "cancelled";
        }
    }

    /// Somebody has looked, so the end may come.
    pub(crate) fn look(&mut self) {
        self.needs_a_look = false;
    }

    /// Lets one that is stuck go on.
    pub(crate) fn free(&mut self) {
        self.stuck = false;
    }

    /// Ends it when its time has come; says whether it is still to end.
    pub(crate) fn settle(&mut self, now: Duration) -> bool {
        if self.status != "in_progress" {
            return false;
        }
        if self.stuck || self.needs_a_look || now < self.due {
            return true;
        }
        self.error = self.fails.take();
        self.status = if self.error.is_some() { "failed" } else { "completed" };
        false
    }
}
