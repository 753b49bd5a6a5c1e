//! `docs list`: the indexed documents.

use serde::Serialize;

use crate::app;
use crate::cmd::docs::FolderArgs;
use crate::cmd::{Ctx, help_end};
use crate::error::Failure;
use crate::exit::Exit;
use crate::model::DocumentRecord;
use crate::ui::{Format, clean, table};

/// List the indexed documents
#[derive(Debug, clap::Args)]
#[command(
    long_about = "List the indexed documents, ordered by path.\n\n\
        With --format json: schema, documents (document_id, path, title, description, tags, language, sha256, recipe, \
        bytes, modified_ns, ctime_ns, inode, title_from_name, format, indexed_at, chunks). With --format jsonl one document a line.",
    after_help = help_end!(
        "chatbotctl docs list" => "all of them, by path",
        "chatbotctl docs list --tag orders --format json" => "those with a tag, for a program"
    )
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
        Format::Human => ctx.out.result(&clean(&human(&records)))?,
        Format::Json => ctx.out.json("docs-list", &List { documents: &records })?,
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
    let row = |record: &DocumentRecord| {
        let language = record.language.as_deref().unwrap_or("-").to_owned();
        let (id, path, title) = (record.document_id.clone(), record.path.clone(), record.title.clone());
        vec![id, path, title, language, record.chunks.to_string()]
    };
    table(&["document", "path", "title", "language", "chunks"], records.iter().map(row).collect())
}
