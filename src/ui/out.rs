//! stdout carries the result and only the result; stderr carries everything else.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use serde_json::{Map, Value};

use crate::error::Failure;
use crate::exit::Exit;
use crate::ui::form::ReportForm;
use crate::ui::progress::Progress;
use crate::ui::sink::Sink;
use crate::ui::term::{Term, clean, clean_line};

/// The form of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// For people.
    #[default]
    Human,
    /// One JSON document.
    Json,
    /// One JSON document a line.
    Jsonl,
}

/// Where results and notes go.
#[derive(Debug)]
pub struct Out {
    /// `--format`.
    pub format: Format,
    /// The form that `--format` names for reports, where it is none of the usual ones.
    pub report: Option<ReportForm>,
    /// `-q`.
    pub quiet: bool,
    /// How often `-v` was given.
    pub verbose: u8,
    /// What is known about the terminal.
    pub term: Term,
    answers: Answers,
    /// Whether a person can be asked, whatever was agreed to beforehand.
    has_person: bool,
    sink: Mutex<Option<Sink>>,
}

/// What the global flags say about output.
#[derive(Debug)]
pub struct OutSettings {
    /// `--format`.
    pub format: Format,
    /// The form that `--format` names for reports, where it is none of the usual ones.
    pub report: Option<ReportForm>,
    /// `-q`.
    pub quiet: bool,
    /// How often `-v` was given.
    pub verbose: u8,
    /// `--yes`.
    pub yes: bool,
    /// `--no-input`.
    pub no_input: bool,
    /// `-o`.
    pub output: Option<PathBuf>,
    /// What is known about the terminal.
    pub term: Term,
}

/// Where answers to questions come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answers {
    /// `--yes`: every confirmation is given, every other question takes its default.
    Yes,
    /// A person at a terminal.
    Person,
    /// Nobody.
    Nobody,
}

impl Out {
    /// Opens the output. A file named with `-o` is opened now, so that a wrong name is told before the work.
    pub fn open(settings: &OutSettings) -> Result<Self, Failure> {
        let path = settings.output.as_deref();
        let sink = Sink::open(path).map_err(|error| write_failure(path, error))?;
        let has_person = settings.term.interactive && !settings.no_input;
        let answers = match (settings.yes, has_person) {
            (true, _) => Answers::Yes,
            (false, false) => Answers::Nobody,
            (false, true) => Answers::Person,
        };
        Ok(Self {
            format: settings.format,
            report: settings.report,
            quiet: settings.quiet,
            verbose: settings.verbose,
            term: settings.term,
            answers,
            has_person,
            sink: Mutex::new(Some(sink)),
        })
    }

    /// Prints a result, one text as it is (a line break is added when it lacks one).
    pub fn result(&self, text: &str) -> Result<(), Failure> {
        if text.ends_with('\n') { self.piece(text) } else { self.piece(&format!("{text}\n")) }
    }

    /// Prints a piece of a result at once, without a line break: for answers as they come.
    pub fn piece(&self, text: &str) -> Result<(), Failure> {
        let mut sink = self.sink.lock().unwrap_or_else(PoisonError::into_inner);
        match sink.as_mut() {
            Some(sink) => sink.write(text).map_err(|error| write_failure(None, error)),
            None => Ok(()),
        }
    }

    /// Prints a result as one pretty JSON document with `"schema": "chatbotctl.<name>/1"` as its first key.
    pub fn json(&self, name: &str, value: &impl Serialize) -> Result<(), Failure> {
        let document = with_schema(name, value).and_then(|document| serde_json::to_string_pretty(&document));
        self.result(&document.map_err(json_failure)?)
    }

    /// Prints one line of compact JSON, for `jsonl`.
    pub fn json_line(&self, value: &impl Serialize) -> Result<(), Failure> {
        self.result(&serde_json::to_string(value).map_err(json_failure)?)
    }

    /// Puts the result into its place: a file named with `-o` appears now. Printing afterwards does nothing.
    pub fn finish(&self) -> Result<(), Failure> {
        let sink = self.sink.lock().unwrap_or_else(PoisonError::into_inner).take();
        sink.map_or(Ok(()), Sink::finish).map_err(|error| write_failure(None, error))
    }

    /// Tells something beside the result, on stderr; nothing with `-q`.
    pub fn note(&self, text: &str) {
        if !self.quiet {
            to_stderr(&clean(text));
        }
    }

    /// Shows where a person may type, on stderr, without a line break; nothing where nobody types.
    pub fn prompt(&self, text: &str) {
        if self.term.interactive && !self.quiet {
            // Nobody misses a prompt that cannot be shown.
            let _ = write!(io::stderr().lock(), "{text}").and_then(|()| io::stderr().flush());
        }
    }

    /// Warns in one line, on stderr, also with `-q`.
    pub fn warn(&self, text: &str) {
        to_stderr(&format!("{} {}", label("warning:", console::Color::Yellow, self.term), clean_line(text)));
    }

    /// Asks yes or no on a terminal. `--yes` answers yes. Where asking is not possible: `Exit::Undecided` with a fix.
    pub fn confirm(&self, question: &str) -> Result<bool, Failure> {
        match self.answers {
            Answers::Yes => Ok(true),
            Answers::Nobody => {
                let why = format!("`{}` needs an answer, and there is nobody to ask", clean(question));
                Err(Failure::new("input/undecided", Exit::Undecided, "go on", why).fix("add --yes to agree beforehand"))
            }
            Answers::Person => ask(question),
        }
    }

    /// Whether a person is at a terminal and may be asked.
    pub fn can_ask(&self) -> bool {
        self.has_person
    }

    /// Asks what `--yes` does not answer: a person at a terminal, who types the word `yes`, or nobody, which is a no.
    pub fn confirm_in_person(&self, question: &str) -> Result<bool, Failure> {
        if self.has_person { ask_for_the_word(question) } else { Ok(false) }
    }

    /// Asks a person at a terminal to type something; none where nobody can be asked. `--yes` is no answer to it.
    pub fn typed_in_person(&self, question: &str) -> Result<Option<String>, Failure> {
        if self.has_person { ask_for_words(question).map(Some) } else { Ok(None) }
    }

    /// Shows a failure on stderr: what, why, fix, and with `-v` the causes. A closed pipe is no failure to tell.
    pub fn failure(&self, failure: &Failure) {
        show_failure(failure, self.term, self.verbose);
    }

    /// Draws the events of a longer job on stderr: a bar on a terminal, milestones elsewhere, nothing with `-q`.
    pub fn progress(&self) -> Progress {
        match (self.quiet, self.term.stderr) {
            (true, _) => Progress::silent(),
            (false, true) => Progress::bar(),
            (false, false) => Progress::lines(),
        }
    }
}

/// Asks a person yes or no; no is the default, and Esc.
fn ask(question: &str) -> Result<bool, Failure> {
    let confirm = dialoguer::Confirm::new().with_prompt(clean(question)).default(false).wait_for_newline(true);
    Ok(confirm.interact_opt().map_err(prompt_failure)?.unwrap_or(false))
}

/// Asks for a whole word, so that no key that was meant for something else agrees. Every other word and the end of
/// input are a no.
fn ask_for_the_word(question: &str) -> Result<bool, Failure> {
    Ok(is_the_word(&ask_for_words(&format!("{question} Type `yes` to agree"))?))
}

/// Asks for a line, which may be empty.
fn ask_for_words(question: &str) -> Result<String, Failure> {
    forget_typed_ahead();
    let line = dialoguer::Input::<String>::new().with_prompt(clean(question)).allow_empty(true).interact_text();
    line.map_err(prompt_failure)
}

fn is_the_word(line: &str) -> bool {
    line.trim().eq_ignore_ascii_case("yes")
}

/// What was typed before the question is no answer to it.
fn forget_typed_ahead() {
    #[cfg(unix)]
    let _ = rustix::termios::tcflush(io::stdin(), rustix::termios::QueueSelector::IFlush);
}

/// Code of the failure that only says that nobody reads any more.
pub const CLOSED_PIPE: &str = "output/closed-pipe";

/// Shows a failure on stderr where there is no [`Out`] yet.
pub fn show_failure(failure: &Failure, term: Term, verbose: u8) {
    if failure.code == CLOSED_PIPE {
        return;
    }
    let label = label(&format!("error[{}]:", failure.code), console::Color::Red, term);
    let mut text = format!("{label} {}", clean(&failure.to_string()));
    if let Some(fix) = &failure.fix {
        let _ = write!(text, "\n  fix: {}", clean(fix));
    }
    if let (Some(cause), 1..) = (&failure.cause, verbose) {
        for cause in cause.chain() {
            let _ = write!(text, "\n  cause: {}", clean(&cause.to_string()));
        }
    }
    to_stderr(&text);
}

/// Warns on stderr where no [`Out`] is at hand.
pub fn show_warning(text: &str) {
    to_stderr(&format!("warning: {}", clean_line(text)));
}

/// A colored word that begins a line on stderr.
fn label(text: &str, color: console::Color, term: Term) -> String {
    if term.color_stderr {
        console::style(text).fg(color).bold().force_styling(true).to_string()
    } else {
        text.to_owned()
    }
}

/// Writes a line to stderr. When that is closed there is nobody left to tell.
pub(super) fn to_stderr(text: &str) {
    let mut stderr = io::stderr().lock();
    let _ = writeln!(stderr, "{}", text.trim_end_matches('\n'));
}

/// The document with its schema as the first key.
fn with_schema(name: &str, value: &impl Serialize) -> Result<Value, serde_json::Error> {
    let mut document = Map::new();
    document.insert("schema".into(), Value::String(format!("chatbotctl.{name}/1")));
    match serde_json::to_value(value)? {
        Value::Object(fields) => document.extend(fields),
        other => {
            document.insert("value".into(), other);
        }
    }
    Ok(Value::Object(document))
}

/// What a failed write means: a reader that went away, or a place that cannot be written.
fn write_failure(path: Option<&Path>, error: io::Error) -> Failure {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Failure::new(CLOSED_PIPE, Exit::Good, "write the result", "nobody reads it any more");
    }
    let what = match path {
        Some(path) => format!("open `{}` for the result", path.display()),
        None => "write the result".to_owned(),
    };
    Failure::new("output/unwritable", Exit::Usage, what, error.to_string())
        .fix("name a place that can be written with -o")
        .cause(error)
}

/// A value that JSON cannot hold is a mistake in the program.
fn json_failure(error: serde_json::Error) -> Failure {
    Failure::new("output/not-json", Exit::Bug, "write the result as JSON", error.to_string()).cause(error)
}

/// A prompt that ended without an answer.
fn prompt_failure(error: dialoguer::Error) -> Failure {
    // The prompt hides the cursor while it waits, and an interrupted one leaves it hidden.
    let _ = console::Term::stderr().show_cursor();
    to_stderr("");
    let dialoguer::Error::IO(io) = &error;
    match io.kind() {
        io::ErrorKind::Interrupted => {
            Failure::new("input/interrupted", Exit::Interrupted, "ask", "the question was interrupted")
        }
        _ => Failure::new("input/no-terminal", Exit::Undecided, "ask", io.to_string())
            .fix("add --yes, or give the answer as a flag")
            .cause(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn out(yes: bool) -> Out {
        let term = Term { interactive: false, stdout: false, stderr: false, color_stdout: false, color_stderr: false };
        let settings = OutSettings {
            format: Format::Human,
            report: None,
            quiet: true,
            verbose: 0,
            yes,
            no_input: false,
            output: None,
            term,
        };
        Out::open(&settings).unwrap()
    }

    #[test]
    fn the_schema_comes_first() {
        let document = with_schema("ask", &serde_json::json!({"answer": "yes"})).unwrap();
        assert_eq!(document.to_string(), r#"{"schema":"chatbotctl.ask/1","answer":"yes"}"#);
    }

    #[test]
    fn nobody_to_ask_is_undecided() {
        assert_eq!(out(false).confirm("Remove it?").unwrap_err().exit, Exit::Undecided);
        assert!(out(true).confirm("Remove it?").unwrap());
        assert!(!out(true).confirm_in_person("Remove all?").unwrap());
    }

    #[test]
    fn only_the_whole_word_agrees() {
        assert!(is_the_word("yes\n") && is_the_word(" YES \r\n"));
        for line in ["", "\n", "y\n", "yess\n", "oh yes\n", "\u{4}"] {
            assert!(!is_the_word(line), "{line:?}");
        }
    }

    #[test]
    fn a_closed_pipe_is_quiet_and_good() {
        let failure = write_failure(None, io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!((failure.code, failure.exit), (CLOSED_PIPE, Exit::Good));
    }
}
