//! What operators may change of a running server: settings read anew, and logs.

use std::sync::Arc;

use tracing::Level;

use crate::app;
use crate::config::{self, Flags, Inputs};
use crate::index::VectorStore;
use crate::serve::ops::{self, Loaded};
use crate::ui::log::Logs;

/// The same sources as at the start: flags and environment as they were then, files as they are now.
pub struct Control {
    /// What settings are resolved from.
    pub inputs: Arc<Inputs>,
    /// The command's flags.
    pub flags: Flags,
    /// What a new engine answers from.
    pub index: Arc<dyn VectorStore>,
    /// The log.
    pub logs: Logs,
}

impl ops::Control for Control {
    fn load(&self) -> Result<Loaded, Vec<String>> {
        let resolution = config::resolve(&self.inputs, &self.flags);
        // A running server has a key that works; a keyring that is locked just now must not take it away.
        if resolution.is_cut_off {
            return Err(resolution.warnings);
        }
        let Some(settings) = resolution.settings else {
            return Err(resolution.problems.iter().map(ToString::to_string).collect());
        };
        let engine = app::engine(&settings, Arc::clone(&self.index)).map_err(|failure| vec![failure.why])?;
        let models = app::models::load(&settings).map_err(|failure| vec![failure.why])?;
        app::models::log_word_about(models.chosen.as_ref());
        Ok(Loaded {
            engine,
            models,
            assistant_name: settings.assistant.name,
            server: settings.server,
            log_level: settings.log.level,
            effective: settings.effective,
            warnings: settings.warnings,
        })
    }

    fn log_level(&self) -> Level {
        self.logs.level()
    }

    fn set_log_level(&self, level: Level) {
        self.logs.set_level(level);
    }

    fn reopen_logs(&self) {
        self.logs.reopen();
    }

    fn lost_log_lines(&self) -> u64 {
        self.logs.lost()
    }
}
