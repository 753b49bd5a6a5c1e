//! `docs list`: the indexed documents.

use serde::Serialize;

use crate::app;
use crate::cmd::Ctx;
use crate::cmd::docs::{FolderArgs, table};
use crate::error::Failure;
use crate::exit::Exit;
use crate::model::DocumentRecord;
use crate::ui::Format;

/// Arguments of `docs list`.
#[derive(Debug, clap::Args)]
#[command(
    long_about = "List the indexed documents, ordered by path.\n\n\
        With --format json: schema, documents (document_id, path, title, description, tags, language, sha256, recipe, \
        bytes, modified_ns, indexed_at, chunks). With --format jsonl one document a line.",
    after_help = "Examples:\n  chatbotctl docs list\n  chatbotctl docs list --tag orders --format json"
)]
pub struct Args {
    #[command(flatten)]
    folders: FolderArgs,
    /// Only documents with this tag
    #[arg(long, value_name = "TAG")]
    tag: Option<String>,
}

#[derive(Debug, Serialize)]
struct List<'a> {
    documents: &'a [DocumentRecord],
}

/// Runs `docs list`.
pub async fn run(args: Args, ctx: &Ctx) -> Result<Exit, Failure> {
    let settings = args.folders.settings(ctx)?;
    let mut records = app::open_index(&settings)?.records().await?;
    if let Some(tag) = &args.tag {
        records.retain(|record| record.tags.contains(tag));
    }
    match ctx.out.format {
        Format::Human => ctx.out.result(&human(&records))?,
        Format::Json => ctx.out.json(
            "docs-list",
            &List {
                documents: &records,
            },
        )?,
        Format::Jsonl => {
            for record in &records {
                ctx.out.json_line(record)?;
            }
        }
    }
    Ok(Exit::Good)
}

fn human(records: &[DocumentRecord]) -> String {
    if records.is_empty() {
        return "no documents are indexed; run `chatbotctl docs sync`".to_owned();
    }
    let mut rows = table(&["document", "path", "title", "language", "chunks"]);
    for record in records {
        let language = record.language.as_deref().unwrap_or("-");
        rows.add_row([
            &record.document_id,
            &record.path,
            &record.title,
            language,
            &record.chunks.to_string(),
        ]);
    }
    rows.to_string()
}
