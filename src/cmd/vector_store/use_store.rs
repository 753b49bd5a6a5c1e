//! `vector-store use ID`: lets the profile use a store, by a line of its env file.

use serde_json::json;

use crate::cmd::vector_store::{Account, expired, is_expired};
use crate::cmd::{Ctx, env_file_name, help_end};
use crate::config::{Origin, envfile};
use crate::error::Failure;
use crate::exit::Exit;
use crate::ui::Format;
use crate::ui::term::clean_line;

/// The setting that names the store.
const KEY: &str = "VECTOR_STORE_ID";

/// Let this profile use a vector store
#[derive(Debug, clap::Args)]
#[command(
    long_about = "Let this profile use a vector store.\n\n\
        Writes VECTOR_STORE_ID into the profile's env file (PROFILE.env, .env.PROFILE or .env; made with mode 0600 when \
        there is none) and leaves everything else in it as it is. A store that does not exist or has expired is \
        refused. When the environment sets VECTOR_STORE_ID too, that counts, and it is said so.\n\n\
        With --format json: schema, id, name, file, origin (where the value that counts comes from), effective.\n\n\
        Exit codes: 0 done; 1 there is no such store, or it has expired; 3 the file cannot be written; 4 no or a wrong \
        key; 5 the service cannot be reached; 130 interrupted.",
    after_help = help_end!(
        "chatbotctl vector-store use vs_123" => "answer from this store in the profile dev",
        "chatbotctl --profile prod vector-store use vs_456" => "from another one in prod"
    )
)]
pub struct Args {
    /// The store's id
    #[arg(value_name = "ID")]
    id: String,
}

/// What became of the setting.
pub(super) struct Written {
    file: String,
    origin: Option<Origin>,
    is_effective: bool,
}

/// Runs `vector-store use`.
pub async fn run(args: Args, ctx: &Ctx) -> Result<Exit, Failure> {
    let account = Account::open(ctx)?;
    let id = account.store_id(Some(args.id))?;
    let store = account.store(ctx, &id).await?;
    if is_expired(&store) {
        return Err(expired("use the vector store", &id));
    }
    let written = write(ctx, &id)?;
    let name = store.name.unwrap_or_default();
    match ctx.out.format {
        Format::Human => {
            let named = if name.is_empty() { String::new() } else { format!(" ({})", clean_line(&name)) };
            ctx.out.result(&format!("{id}{named} is written into {}", written.file))?;
        }
        Format::Json => ctx.out.json("vector-store-use", &written.document(&id, &name))?,
        Format::Jsonl => ctx.out.json_line(&written.document(&id, &name))?,
    }
    written.tell(ctx);
    Ok(Exit::Good)
}

/// Writes the id into the profile's env file, and looks at what counts then.
pub(super) fn write(ctx: &Ctx, id: &str) -> Result<Written, Failure> {
    let before = ctx.resolution(Vec::new());
    let file = before.env_file.unwrap_or_else(|| env_file_name(&before.profile));
    envfile::write_value(&ctx.folder().join(&file), KEY, id).map_err(|error| {
        Failure::new("vector-store/env-file", Exit::Settings, format!("write {KEY} into `{file}`"), error.to_string())
            .fix(format!("write it yourself: {KEY}={id}"))
            .cause(error)
    })?;
    let after = ctx.resolution(Vec::new());
    let row = after.rows.into_iter().find(|row| row.key.name == KEY);
    let is_effective = row.as_ref().is_some_and(|row| row.shown.as_deref() == Some(id));
    Ok(Written { file, origin: row.map(|row| row.origin), is_effective })
}

impl Written {
    /// The env file that has the id now.
    pub(super) fn file(&self) -> &str {
        &self.file
    }

    /// Warns when something stronger decides.
    pub(super) fn tell(&self, ctx: &Ctx) {
        if let (false, Some(origin)) = (self.is_effective, &self.origin) {
            ctx.out.warn(&format!("{KEY} is set by something stronger ({origin}), which counts; take it away there"));
        }
    }

    fn document(&self, id: &str, name: &str) -> serde_json::Value {
        let origin = self.origin.as_ref().map(ToString::to_string);
        json!({ "id": id, "name": name, "file": self.file, "origin": origin, "effective": self.is_effective })
    }
}
