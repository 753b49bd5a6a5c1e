//! Progress of longer jobs: a bar on a terminal, milestones elsewhere, nothing with `-q`.

use std::fmt::Write as _;
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

/// Characters of the present item that are shown.
const ITEM_CHARS: usize = 70;
/// Bytes a second that nothing exceeds; it bounds a figure, not the work.
const MAX_RATE: f64 = 1e15;

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
    total_bytes: Option<u64>,
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
            Event::Sized { bytes } => {
                if let Some(job) = job.as_mut() {
                    job.total_bytes = Some(bytes).filter(|bytes| *bytes > 0);
                }
            }
            Event::Working { item } => {
                if let Some(job) = job.as_mut() {
                    job.draw(&item);
                }
            }
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
        Self {
            task,
            total,
            total_bytes: None,
            done: 0,
            bytes: 0,
            problems: 0,
            began: now,
            told: now,
            told_tenths: 0,
            bar,
        }
    }

    fn advance(&mut self, item: &str, bytes: u64) {
        self.done += 1;
        self.bytes += bytes;
        if self.bar.is_some() {
            self.draw(item);
        } else {
            self.tell_milestone();
        }
    }

    /// Draws the bar with the item that is handled now.
    fn draw(&self, item: &str) {
        if let Some(bar) = &self.bar {
            bar.set_position(self.thousandths());
            bar.set_message(self.figures(self.began.elapsed()));
            bar.set_prefix(shortened(&clean(item)));
        }
    }

    /// A line when a tenth more is done or a long time passed in silence.
    fn tell_milestone(&mut self) {
        let tenths = self.thousandths() / 100;
        let silence = self.told.elapsed();
        let due = silence >= LONGEST_SILENCE || (tenths > self.told_tenths && silence >= SHORTEST_SILENCE);
        if due && Some(self.done) != self.total {
            self.told = Instant::now();
            self.told_tenths = tenths;
            to_stderr(&format!("{}: {} %, {}", self.task, self.thousandths() / 10, self.figures(self.began.elapsed())));
        }
    }

    /// How much is done: by bytes where their sum is known, for one file may be as large as all others.
    fn thousandths(&self) -> u64 {
        let (done, total) = match (self.total_bytes, self.total) {
            (Some(total), _) => (self.bytes, total),
            (None, Some(total)) => (self.done, total),
            (None, None) => return 0,
        };
        let share = u128::from(done) * 1000 / u128::from(total.max(1));
        u64::try_from(share.min(1000)).unwrap_or(1000)
    }

    /// "12 of 40 files, 3 s left, 1.20 MiB of 3.40 MiB, 2.00 MiB/s".
    fn figures(&self, elapsed: Duration) -> String {
        let mut text = match self.total {
            Some(total) => format!("{} of {total} files", self.done),
            None => format!("{} files", self.done),
        };
        let seconds = elapsed.as_secs_f64();
        // What is asked for most comes first: a narrow terminal cuts the end off.
        if let Some(left) = self.left(seconds) {
            let _ = write!(text, ", {} left", readable(left));
        }
        if let Some(total) = self.total_bytes {
            let _ = write!(text, ", {} of {}", HumanBytes(self.bytes), HumanBytes(total));
        }
        if self.bytes > 0 && seconds > 0.0 {
            let rate = self.bytes as f64 / seconds;
            let _ = write!(text, ", {}/s", HumanBytes(Duration::from_secs_f64(rate.min(MAX_RATE)).as_secs()));
        }
        text
    }

    /// The time that the rest will take at the pace so far; not told while that would be a guess.
    fn left(&self, seconds: f64) -> Option<Duration> {
        let share = self.thousandths();
        let known = self.total.is_some() && share >= 10 && seconds >= 1.0;
        known.then(|| Duration::from_secs_f64(seconds * (1000 - share) as f64 / share as f64))
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

/// "45 s", "3 min 20 s", "2 h 5 min".
fn readable(time: Duration) -> String {
    let seconds = time.as_secs() + u64::from(time.subsec_nanos() > 0);
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

/// The end of a path that fits into a line of any terminal: it tells more than the beginning.
fn shortened(path: &str) -> String {
    let extra = path.chars().count().saturating_sub(ITEM_CHARS);
    if extra == 0 {
        return path.to_owned();
    }
    std::iter::once('…').chain(path.chars().skip(extra + 1)).collect()
}

/// A bar with figures, and the present item below; a spinner when the end is unknown.
fn drawn_bar(task: &'static str, total: Option<u64>) -> ProgressBar {
    let (bar, figures) = match total {
        Some(_) => (ProgressBar::new(1000), "[{bar:16}] {percent:>3} % {wide_msg}"),
        None => (ProgressBar::new_spinner(), "{spinner} {wide_msg}"),
    };
    // A template that does not parse would be a typing mistake above; the default look serves then.
    let style = ProgressStyle::with_template(&format!("{task} {figures}\n  {{prefix}}"));
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> "));
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
    }

    #[test]
    fn figures_are_by_bytes_where_these_are_known() {
        let mut job = Job::start("indexing", Some(40), Style::Silent);
        job.done = 30;
        assert_eq!((job.thousandths(), job.figures(Duration::ZERO).as_str()), (750, "30 of 40 files"));
        job.total_bytes = Some(4 << 20);
        job.bytes = 1 << 20;
        assert_eq!(job.thousandths(), 250);
        let expected = "30 of 40 files, 6 s left, 1.00 MiB of 4.00 MiB, 512.00 KiB/s";
        assert_eq!(job.figures(Duration::from_secs(2)), expected);
        let texts = [7, 200, 7_500].map(|seconds| readable(Duration::from_secs(seconds)));
        assert_eq!(texts, ["7 s", "3 min 20 s", "2 h 5 min"]);
        let long = format!("{}/end.md", "x".repeat(99));
        let short = shortened(&long);
        assert!(short.starts_with('…') && short.ends_with("/end.md") && short.chars().count() == ITEM_CHARS, "{short}");
        assert_eq!(shortened("a.md"), "a.md");
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
