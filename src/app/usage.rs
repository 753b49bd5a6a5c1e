//! What answers took, looked up beside a server that may be running.

use crate::app::DATABASE_FILE;
use crate::config::Settings;
use crate::error::Failure;
use crate::exit::Exit;
use crate::model::usage::{UsageQuery, UsageSum};
use crate::store;

/// Sums of what answers took, from the database that the settings name; none where there is no database yet.
pub async fn look(settings: &Settings, query: UsageQuery) -> Result<Option<Vec<UsageSum>>, Failure> {
    let looked = match &settings.server.database_url {
        Some(url) => store::look_at_usage(url, query).await,
        None => store::look_at_usage_in(&settings.paths.state_dir.join(DATABASE_FILE), query).await,
    };
    looked.map_err(|error| {
        let (code, exit, fix) = match &error {
            store::LookError::Store(_) => ("usage/failed", Exit::Temporary, "try again"),
            store::LookError::Open(_) => (
                "store/unusable",
                Exit::Settings,
                "check DATABASE_URL and STATE_DIR; `chatbotctl env show` says where they come from",
            ),
        };
        Failure::new(code, exit, "look up what answers took", error.to_string()).fix(fix).cause(error)
    })
}
