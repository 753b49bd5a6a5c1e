//! What the program around the server does for operators: the server itself reads no settings and writes no logs.

use tracing::Level;

use crate::answer::Engine;
use crate::config::effective::Effective;
use crate::config::settings::ServerSettings;
use crate::llm::models::Models;

/// The settings, read anew.
pub struct Loaded {
    /// Answers, as the settings say now.
    pub engine: Engine,
    /// `ASSISTANT_NAME`.
    pub assistant_name: String,
    /// What is known about models now.
    pub models: Models,
    /// The server's settings.
    pub server: ServerSettings,
    /// `LOG_LEVEL`.
    pub log_level: Level,
    /// All values, to be compared.
    pub effective: Effective,
    /// What should be told about them.
    pub warnings: Vec<String>,
}

/// The program around the server. Everything may wait for the disk, so nothing is called on an async thread.
pub trait Control: Send + Sync {
    /// Reads the settings anew from where they came from; or all that is wrong with them, without a secret.
    fn load(&self) -> Result<Loaded, Vec<String>>;
    /// How much is logged.
    fn log_level(&self) -> Level;
    /// Logs more or less from now on.
    fn set_log_level(&self, level: Level);
    /// Opens the log file anew, after somebody has put it aside.
    fn reopen_logs(&self);
    /// Log lines that were lost.
    fn lost_log_lines(&self) -> u64;
}
