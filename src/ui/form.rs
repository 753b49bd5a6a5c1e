//! `--format`: the forms that every result has, and those of reports alone.
//!
//! A command matches on [`Format`] only; what is for reports is refused elsewhere before the command runs.

use crate::ui::out::Format;

/// What `--format` names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum FormatFlag {
    /// For people.
    #[default]
    Human,
    /// One JSON document.
    Json,
    /// One JSON document a line.
    Jsonl,
    /// JUnit XML.
    Junit,
    /// SARIF 2.1.0.
    Sarif,
}

/// A form that reports alone have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportForm {
    /// JUnit XML.
    Junit,
    /// SARIF 2.1.0.
    Sarif,
}

impl ReportForm {
    /// The value of `--format`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Junit => "junit",
            Self::Sarif => "sarif",
        }
    }
}

impl FormatFlag {
    /// The form of results that are no reports.
    pub fn result(self) -> Format {
        match self {
            Self::Human => Format::Human,
            Self::Jsonl => Format::Jsonl,
            Self::Json | Self::Junit | Self::Sarif => Format::Json,
        }
    }

    /// The form that reports alone have, where it names one.
    pub fn report(self) -> Option<ReportForm> {
        match self {
            Self::Human | Self::Json | Self::Jsonl => None,
            Self::Junit => Some(ReportForm::Junit),
            Self::Sarif => Some(ReportForm::Sarif),
        }
    }
}
