//! What the operator tells a model: their own file, or what is built in.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use crate::config::settings::AssistantSettings;
use crate::llm::OpenError;

/// Stands for `ASSISTANT_NAME` in instructions.
const NAME: &str = "{assistant_name}";
/// Instructions are not longer, in bytes.
const MAX_BYTES: u64 = 256 * 1024;

/// The instructions that the settings name, else the built-in ones, with the assistant's name in them.
pub(super) fn of(settings: &AssistantSettings, built_in: &str) -> Result<String, OpenError> {
    let template = match &settings.chat.instructions {
        Some(path) => load(path)?,
        None => built_in.to_owned(),
    };
    Ok(template.replace(NAME, &settings.name))
}

fn load(path: &Path) -> Result<String, OpenError> {
    let unreadable = |why: String| OpenError::Instructions { path: path.display().to_string(), why };
    let file = File::open(path).map_err(|error| unreadable(error.to_string()))?;
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|error| unreadable(error.to_string()))?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > MAX_BYTES {
        return Err(unreadable(format!("it is longer than {MAX_BYTES} bytes")));
    }
    String::from_utf8(bytes).map_err(|_| unreadable("it is no UTF-8".to_owned()))
}
