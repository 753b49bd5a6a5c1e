//! `docs status`: how the index stands to the folder.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use jiff::Timestamp;
use serde::Serialize;

use crate::app;
use crate::clock::SystemClock;
use crate::cmd::docs::{FolderArgs, documents, folder_problem, looking, problem_lines};
use crate::cmd::{Ctx, help_end};
use crate::docs::format;
use crate::error::{Failure, Problem};
use crate::exit::Exit;
use crate::index;
use crate::ingest::{self, Looking, Scan};
use crate::model::DocumentRecord;
use crate::ui::{Format, clean};

/// Show how many documents are indexed and whether the folder has changed since
#[derive(Debug, clap::Args)]
#[command(
    long_about = "Show how many documents are indexed and whether the folder has changed since.\n\n\
        With --format json: schema, docs_dir, state_dir, documents, restricted \
        (those of them with roles, which no visitor is shown), chunks, document_bytes, index_bytes, last_sync \
        (when the newest document was indexed), drift (add, update, remove), problems (path, code, message).\n\n\
        A document that could not be read at the last sync and has not changed since is a problem, and nothing to \
        add or update.\n\n\
        Exit codes: 0 the index is up to date; 1 the folder has changed or is not there, or there are problems; \
        3 documents.yaml is wrong; 130 interrupted.",
    after_help = help_end!(
        "chatbotctl docs status" => "see whether a sync is due",
        "chatbotctl docs status --format json" => "the same for a program"
    )
)]
pub struct Args {
    #[command(flatten)]
    folders: FolderArgs,
}

#[derive(Debug, Serialize)]
struct Status {
    docs_dir: String,
    state_dir: String,
    documents: usize,
    /// Those of them that are not for everybody.
    restricted: usize,
    chunks: u64,
    document_bytes: u64,
    index_bytes: u64,
    last_sync: Option<Timestamp>,
    drift: Drift,
    problems: Vec<Problem>,
}

#[derive(Debug, Default, Serialize)]
struct Drift {
    add: usize,
    update: usize,
    remove: usize,
}

/// Runs `docs status`.
pub async fn run(args: Args, ctx: &Ctx) -> Result<Exit, Failure> {
    let settings = args.folders.settings(ctx)?;
    let index = app::open_index(&settings)?;
    let records = index.records().await?;
    let folders = app::folders(&settings);
    let progress = ctx.out.progress();
    let look = Looking {
        observer: &progress,
        clock: &SystemClock,
        stop: &ctx.stop,
        checksum: false,
        retry_failed: false,
        max_bytes: format::max_bytes,
    };
    let (drift, problems) = match ingest::scan(&folders, &records, look).await {
        Ok(scan) if scan.interrupted => return Ok(Exit::Interrupted),
        Ok(scan) => drift(&records, scan),
        Err(error) => {
            let problem = folder_problem(error, &folders.docs_dir, ctx.out.format).map_err(looking)?;
            (Drift::default(), vec![problem])
        }
    };
    let index_folder = index::local::folder(&folders.state_dir);
    let index_bytes = tokio::task::spawn_blocking(move || folder_bytes(&index_folder)).await.unwrap_or_default();
    let status = Status {
        docs_dir: folders.docs_dir.display().to_string(),
        state_dir: folders.state_dir.display().to_string(),
        documents: records.len(),
        restricted: records.iter().filter(|record| record.is_restricted()).count(),
        chunks: records.iter().map(|record| u64::from(record.chunks)).sum(),
        document_bytes: records.iter().map(|record| record.bytes).sum(),
        index_bytes,
        last_sync: last_sync(&records),
        drift,
        problems,
    };
    match ctx.out.format {
        Format::Human => ctx.out.result(&clean(&human(&status)))?,
        Format::Json => ctx.out.json("docs-status", &status)?,
        Format::Jsonl => ctx.out.json_line(&status)?,
    }
    let good = status.drift.count() == 0 && status.problems.is_empty();
    Ok(if good { Exit::Good } else { Exit::NotGood })
}

/// How far the index is from the folder, and what could not be looked at or read.
fn drift(records: &[DocumentRecord], scan: Scan) -> (Drift, Vec<Problem>) {
    let mut plan = ingest::plan(records, &scan);
    let mut problems = scan.problems;
    problems.append(&mut plan.failed);
    problems.sort_by(|a, b| a.path.cmp(&b.path));
    (Drift { add: plan.add.len(), update: plan.update.len(), remove: plan.remove.len() }, problems)
}

impl Drift {
    fn count(&self) -> usize {
        self.add + self.update + self.remove
    }
}

fn last_sync(records: &[DocumentRecord]) -> Option<Timestamp> {
    records.iter().map(|record| record.indexed_at).max()
}

/// The size of a folder's files. What cannot be looked at counts nothing.
fn folder_bytes(folder: &Path) -> u64 {
    let mut total = 0;
    let mut pending = vec![folder.to_owned()];
    while let Some(folder) = pending.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.metadata() {
                Ok(metadata) if metadata.is_dir() => pending.push(entry.path()),
                Ok(metadata) => total += metadata.len(),
                Err(_) => {}
            }
        }
    }
    total
}

fn human(status: &Status) -> String {
    let Drift { add, update, remove } = status.drift;
    let drift = match status.drift.count() {
        0 => "up to date".to_owned(),
        _ => format!("{add} to add, {update} to update, {remove} to remove; run `chatbotctl docs sync`"),
    };
    let last = status.last_sync.map_or_else(|| "never".to_owned(), |last| last.strftime("%F %T UTC").to_string());
    let mut text = format!(
        "documents  {} in {} chunks, from `{}`\nindex      {} KB in `{}`\nlast sync  {last}\nfolder     {drift}",
        documents(status.documents),
        status.chunks,
        status.docs_dir,
        status.index_bytes.div_ceil(1024),
        status.state_dir,
    );
    if status.restricted > 0 {
        let _ = write!(text, "\nrestricted {} with roles, shown to no visitor", documents(status.restricted));
    }
    if !status.problems.is_empty() {
        let _ = write!(text, "\nproblems:\n{}", problem_lines(&status.problems));
    }
    text
}
