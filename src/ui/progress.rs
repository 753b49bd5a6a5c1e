//! Progress of longer jobs: a bar on a terminal, milestones elsewhere, nothing with `-q`.

use std::io::IsTerminal as _;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{HumanBytes, ProgressBar, ProgressStyle};

use crate::event::{Event, Observer};
use crate::ui::out::to_stderr;
use crate::ui::term::clean;

/// A line at least this often while nothing else is told.
const LONGEST_SILENCE: Duration = Duration::from_secs(10);
/// Tenths of the work are told too, but no two lines within this time.
const SHORTEST_SILENCE: Duration = Duration::from_secs(1);

/// Draws events on stderr. `Out::progress` makes one that fits the flags.
#[derive(Debug)]
pub struct Progress {
    style: Style,
    job: Mutex<Option<Job>>,
}

/// How to draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    Bar,
    Lines,
    Silent,
}

/// A job under way.
#[derive(Debug)]
struct Job {
    task: &'static str,
    total: Option<u64>,
    done: u64,
    bytes: u64,
    problems: u64,
    began: Instant,
    told: Instant,
    told_tenths: u64,
    bar: Option<ProgressBar>,
}

impl Default for Progress {
    fn default() -> Self {
        if std::io::stderr().is_terminal() { Self::bar() } else { Self::lines() }
    }
}

impl Progress {
    /// A bar that is redrawn in place.
    pub fn bar() -> Self {
        Self::new(Style::Bar)
    }

    /// A line at the start, at the end, and now and then between.
    pub fn lines() -> Self {
        Self::new(Style::Lines)
    }

    /// Nothing.
    pub fn silent() -> Self {
        Self::new(Style::Silent)
    }

    fn new(style: Style) -> Self {
        Self { style, job: Mutex::new(None) }
    }
}

impl Observer for Progress {
    fn observe(&self, event: Event) {
        if self.style == Style::Silent {
            return;
        }
        let mut job = self.job.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            // Nothing to do is nothing to tell.
            Event::Started { total: Some(0), .. } => *job = None,
            Event::Started { task, total } => *job = Some(Job::start(task, total, self.style)),
            Event::Advanced { item, bytes } => {
                if let Some(job) = job.as_mut() {
                    job.advance(&item, bytes);
                }
            }
            Event::Problem(_) => {
                if let Some(job) = job.as_mut() {
                    job.problems += 1;
                }
            }
            Event::Finished => {
                if let Some(job) = job.take() {
                    job.finish();
                }
            }
        }
    }
}

impl Drop for Progress {
    /// A job that failed leaves no half-drawn bar behind.
    fn drop(&mut self) {
        let job = self.job.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(bar) = job.take().and_then(|job| job.bar) {
            bar.finish_and_clear();
        }
    }
}

impl Job {
    fn start(task: &'static str, total: Option<u64>, style: Style) -> Self {
        let bar = (style == Style::Bar).then(|| drawn_bar(task, total));
        if bar.is_none() {
            to_stderr(&match total {
                Some(total) => format!("{task}: {total} to do"),
                None => format!("{task}: started"),
            });
        }
        let now = Instant::now();
        Self { task, total, done: 0, bytes: 0, problems: 0, began: now, told: now, told_tenths: 0, bar }
    }

    fn advance(&mut self, item: &str, bytes: u64) {
        self.done += 1;
        self.bytes += bytes;
        match &self.bar {
            Some(bar) => {
                bar.set_message(clean(item).into_owned());
                bar.inc(1);
            }
            None => self.tell_milestone(),
        }
    }

    /// A line when a tenth more is done or a long time passed in silence.
    fn tell_milestone(&mut self) {
        let tenths = self.total.filter(|total| *total > 0).map_or(0, |total| self.done * 10 / total);
        let silence = self.told.elapsed();
        let due = silence >= LONGEST_SILENCE || (tenths > self.told_tenths && silence >= SHORTEST_SILENCE);
        if due && Some(self.done) != self.total {
            self.told = Instant::now();
            self.told_tenths = tenths;
            to_stderr(&self.state());
        }
    }

    /// "indexing: 12 of 40".
    fn state(&self) -> String {
        match self.total {
            Some(total) => format!("{}: {} of {total}", self.task, self.done),
            None => format!("{}: {} so far", self.task, self.done),
        }
    }

    fn finish(self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        to_stderr(&self.summary(self.began.elapsed()));
    }

    /// "indexing: 40 done (1.2 MiB) in 0.4 s, 2 problems".
    fn summary(&self, elapsed: Duration) -> String {
        let bytes = match self.bytes {
            0 => String::new(),
            bytes => format!(" ({})", HumanBytes(bytes)),
        };
        let problems = match self.problems {
            0 => String::new(),
            1 => ", 1 problem".to_owned(),
            many => format!(", {many} problems"),
        };
        format!("{}: {} done{bytes} in {:.1} s{problems}", self.task, self.done, elapsed.as_secs_f64())
    }
}

/// A bar with the present item, or a spinner when the end is unknown.
fn drawn_bar(task: &'static str, total: Option<u64>) -> ProgressBar {
    let (bar, template) = match total {
        Some(total) => (ProgressBar::new(total), "{prefix} [{bar:24}] {pos}/{len} {wide_msg}"),
        None => (ProgressBar::new_spinner(), "{spinner} {prefix} {pos} {wide_msg}"),
    };
    // A template that does not parse would be a typing mistake above; the default look serves then.
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.set_style(style.progress_chars("=> "));
    bar.set_prefix(task);
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_counts() {
        let mut job = Job::start("indexing", Some(2), Style::Silent);
        job.done = 2;
        job.bytes = 2048;
        job.problems = 1;
        assert_eq!(job.summary(Duration::from_millis(420)), "indexing: 2 done (2.00 KiB) in 0.4 s, 1 problem");
        assert_eq!(job.state(), "indexing: 2 of 2");
    }

    #[test]
    fn nothing_to_do_is_not_told() {
        let progress = Progress::lines();
        progress.observe(Event::Started { task: "indexing", total: Some(0) });
        assert!(progress.job.lock().unwrap().is_none());
    }

    #[test]
    fn silence_takes_no_note() {
        let progress = Progress::silent();
        progress.observe(Event::Started { task: "indexing", total: None });
        assert!(progress.job.lock().unwrap().is_none());
    }
}
