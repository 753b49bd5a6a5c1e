//! `vector-store show [ID]`: one store.

use futures_util::TryStreamExt as _;
use serde::Serialize;

use crate::cmd::vector_store::shape::{StoreRow, size};
use crate::cmd::vector_store::{Account, asked, expired, is_expired};
use crate::cmd::{Ctx, help_end};
use crate::error::Failure;
use crate::exit::Exit;
use crate::hosted::prepare;
use crate::openai::vector_store::{Attribute, FileStatus, StoreFile};
use crate::ui::Format;
use crate::ui::term::clean_line;

/// Show a vector store
#[derive(Debug, clap::Args)]
#[command(
    long_about = "Show a vector store: its files by state, its size and cost, when it ends, and the files that the \
        service could not index.\n\n\
        A store that ends by itself is warned about: what ends is the bot's knowledge.\n\n\
        With --format json: schema, what `vector-store list` tells of a store, failed (file_id, path, code, message), \
        prices_as_of.\n\n\
        Exit codes: 0 done; 1 there is no such store, or it has expired; 2 no store is named; 4 no or a wrong key; \
        5 the service cannot be reached; 130 interrupted.",
    after_help = help_end!(
        "chatbotctl vector-store show" => "the store that this profile uses",
        "chatbotctl vector-store show vs_123 --format json" => "another one, for a program"
    )
)]
pub struct Args {
    /// The store's id [default: the setting VECTOR_STORE_ID]
    #[arg(value_name = "ID")]
    id: Option<String>,
}

/// A file that the service could not index.
#[derive(Debug, Serialize)]
struct FailedFile {
    file_id: String,
    path: Option<String>,
    code: String,
    message: String,
}

/// A store in full, for JSON.
#[derive(Debug, Serialize)]
struct Shown {
    #[serde(flatten)]
    store: StoreRow,
    failed: Vec<FailedFile>,
    prices_as_of: String,
}

/// Runs `vector-store show`.
pub async fn run(args: Args, ctx: &Ctx) -> Result<Exit, Failure> {
    let account = Account::open(ctx)?;
    let prices = account.prices()?;
    let id = account.store_id(args.id)?;
    let store = account.store(ctx, &id).await?;
    let failed = if store.file_counts.failed > 0 && !is_expired(&store) {
        let list = account.client.all_store_files(&id, Some(FileStatus::Failed)).try_collect::<Vec<_>>();
        asked(ctx, "list the files that failed", list).await?
    } else {
        Vec::new()
    };
    let shown = Shown {
        store: StoreRow::new(&store, &prices, account.used()),
        failed: failed.into_iter().map(failed_file).collect(),
        prices_as_of: prices.as_of.to_string(),
    };
    match ctx.out.format {
        Format::Human => ctx.out.result(&human(&shown))?,
        Format::Json => ctx.out.json("vector-store", &shown)?,
        Format::Jsonl => ctx.out.json_line(&shown)?,
    }
    if is_expired(&store) {
        ctx.out.failure(&expired("find anything in the vector store", &id));
        return Ok(Exit::NotGood);
    }
    if let Some(end) = shown.store.end_told() {
        ctx.out.warn(&format!(
            "the store ends {end}, and what the bot knows with it; to keep it: chatbotctl vector-store update {id} \
             --expires-after-days never"
        ));
    }
    Ok(Exit::Good)
}

fn failed_file(file: StoreFile) -> FailedFile {
    let path = match file.attributes.and_then(|mut attributes| attributes.remove(prepare::PATH)) {
        Some(Attribute::Text(path)) => Some(path),
        _ => None,
    };
    let (code, message) = file.last_error.map(|error| (error.code, error.message)).unwrap_or_default();
    FailedFile { file_id: file.id, path, code, message }
}

fn human(shown: &Shown) -> String {
    let Shown { store, failed, prices_as_of } = shown;
    let mut rows = vec![
        ("id", store.id.clone()),
        ("name", store.name.clone().unwrap_or_default()),
        ("status", store.status.clone()),
        ("files", store.files_told()),
        ("size", size(store.bytes)),
        ("cost", format!("about {} a month (prices of {prices_as_of})", store.cost)),
        ("ends", store.end_told().unwrap_or_else(|| "never by itself".to_owned())),
        ("used", if store.used { "by this profile" } else { "not by this profile" }.to_owned()),
    ];
    let times = [("made", store.created_at), ("synced", store.synced_at()), ("last used", store.last_active_at)];
    rows.extend(times.into_iter().filter_map(|(name, at)| Some((name, format!("{:.0}", at?)))));
    rows.extend(store.notes().map(|note| ("metadata", note)));
    rows.extend(failed.iter().map(|file| {
        let name = file.path.as_deref().unwrap_or(&file.file_id);
        ("failed", format!("{name}: {} ({})", file.message, file.code))
    }));
    let lines: Vec<String> = rows.iter().map(|(name, value)| format!("{name:<10}{}", clean_line(value))).collect();
    lines.join("\n")
}
