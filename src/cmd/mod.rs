//! The commands: one file each, registered in one table.

pub mod docs;

use crate::config::Settings;
use crate::error::Failure;
use crate::exit::Exit;
use crate::ui::Out;

/// Settings that flags of one command give: key of the table and value, as typed.
pub type Overrides = Vec<(&'static str, String)>;

/// What every command gets.
pub struct Ctx {
    /// Where results and notes go.
    pub out: Out,
    /// Ends long work: set by Ctrl-C and SIGTERM.
    pub stop: tokio_util::sync::CancellationToken,
}

impl Ctx {
    /// Resolves the settings, with this command's flags above all other sources. Tells the warnings once.
    pub fn settings(&self, _flags: Overrides) -> Result<Settings, Failure> {
        Err(Failure::new("env/none", Exit::Settings, "", ""))
    }
}
