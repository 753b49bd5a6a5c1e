//! Files that are left out on purpose: the reason in words, and as a code that no name of a file can imitate.

use serde::Serialize;

/// A file that is left out on purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// Path relative to the documents folder, with `/`.
    pub path: String,
    /// Why, for programs.
    pub code: SkipCode,
    /// Why, for people. It may quote names and ignore rules, so nothing is decided by it.
    pub reason: String,
}

/// Why a file is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SkipCode {
    /// Its name begins with a dot.
    Hidden,
    /// Its name says that it holds keys or passwords.
    Secret,
    /// It is a symbolic link.
    Link,
    /// An ignore rule names it.
    Ignored,
    /// It is neither file nor folder.
    Special,
    /// Another program keeps its files there.
    Foreign,
    /// Another program will remove it.
    Temporary,
    /// There is no reader for it.
    Unsupported,
}
