//! stdout carries the result and only the result; stderr carries everything else.

use serde::Serialize;

use crate::error::Failure;

/// `--format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
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
    /// `-q`.
    pub quiet: bool,
    /// How often `-v` was given.
    pub verbose: u8,
}

impl Out {
    /// Prints a result, one text as it is (a line break is added when it lacks one).
    pub fn result(&self, _text: &str) -> Result<(), Failure> {
        Ok(())
    }
    /// Prints a result as one pretty JSON document with `"schema": "chatbotctl.<name>/1"` as its first key.
    pub fn json(&self, _name: &str, _value: &impl Serialize) -> Result<(), Failure> {
        Ok(())
    }
    /// Prints one line of compact JSON, for `jsonl`.
    pub fn json_line(&self, _value: &impl Serialize) -> Result<(), Failure> {
        Ok(())
    }
    /// Tells something beside the result, on stderr; nothing with `-q`.
    pub fn note(&self, _text: &str) {}
    /// Warns, on stderr, also with `-q`.
    pub fn warn(&self, _text: &str) {}
    /// Asks yes or no on a terminal. `--yes` answers yes. Where asking is not possible: `Exit::Undecided` with a fix.
    pub fn confirm(&self, _question: &str) -> Result<bool, Failure> {
        Ok(false)
    }
    /// Shows a failure on stderr: what, why, fix, and with `-v` the causes.
    pub fn failure(&self, _failure: &Failure) {}
}
