//! `docs remove`: takes documents out of the index.

use std::fmt::Write as _;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use serde::Serialize;

use crate::app;
use crate::cmd::docs::{FolderArgs, documents, problem_lines};
use crate::cmd::{Ctx, help_end};
use crate::docs::walk::resolve_within;
use crate::error::{Failure, Problem};
use crate::exit::Exit;
use crate::index::IndexChange;
use crate::ingest::lock;
use crate::model::{DocumentRecord, file_name};
use crate::ui::{Format, clean};

const WHAT: &str = "remove documents";

/// Remove documents from the index
#[derive(Debug, clap::Args)]
#[command(
    long_about = "Remove documents from the index.\n\n\
        Without --delete-file the files stay, and the next `docs sync` (and `serve` at its start) brings them back. \
        It asks first; --yes answers yes.\n\n\
        With --format json: schema, removed (document_id, path), files_deleted, problems (path, code, message).\n\n\
        Exit codes: 0 done; 1 a document is not indexed, or a file could not be deleted; 2 a name is not unique; \
        5 a sync is running; 7 a confirmation is needed.",
    after_help = help_end!(
        "chatbotctl docs remove orders/old.md --delete-file" => "remove a document and its file",
        "chatbotctl docs remove old.md older.md --yes" => "remove two from the index without a question"
    )
)]
pub struct Args {
    /// Documents: paths relative to the documents folder, unique file names, or document ids
    #[arg(required = true)]
    paths: Vec<String>,
    /// Delete the files too
    #[arg(long)]
    delete_file: bool,
    #[command(flatten)]
    folders: FolderArgs,
}

#[derive(Debug, Serialize)]
struct Removed {
    document_id: String,
    path: String,
}

#[derive(Debug, Default, Serialize)]
struct Report {
    removed: Vec<Removed>,
    files_deleted: usize,
    problems: Vec<Problem>,
}

/// Runs `docs remove`.
pub async fn run(args: Args, ctx: &Ctx) -> Result<Exit, Failure> {
    let settings = args.folders.settings(ctx)?;
    let index = app::open_index(&settings)?;
    let records = index.records().await?;
    let chosen = choose(&records, &args.paths)?;
    let what = documents(chosen.len());
    let question = if args.delete_file {
        format!("remove {what} from the index and delete the files?")
    } else {
        format!("remove {what} from the index? (the files stay; the next sync brings them back)")
    };
    if !ctx.out.confirm(&question)? {
        return Err(Failure::new("docs/declined", Exit::Undecided, WHAT, "not confirmed")
            .fix("run it again and answer yes, or add --yes"));
    }
    // A person may take their time, so the lock is taken afterwards, and what was agreed to is looked at again.
    let _lock = lock::acquire(&settings.paths.state_dir)?;
    let records = index.records().await?;
    let agreed = names(&chosen);
    let chosen = choose(&records, &args.paths)?;
    if names(&chosen) != agreed {
        return Err(Failure::new("docs/changed", Exit::Temporary, WHAT, "the index was changed by a sync meanwhile")
            .fix("run it again"));
    }
    let mut report = Report::default();
    // Files first: should deleting fail, the document stays where it is, in both places.
    let mut changes = Vec::new();
    for record in chosen {
        if args.delete_file {
            match delete(&settings.paths.docs_dir, &record.path) {
                Ok(deleted) => report.files_deleted += usize::from(deleted),
                Err(problem) => {
                    report.problems.push(problem);
                    continue;
                }
            }
        }
        changes.push(IndexChange::Remove { document_id: record.document_id.clone() });
        report.removed.push(Removed { document_id: record.document_id.clone(), path: record.path.clone() });
    }
    index.apply(changes).await?;
    match ctx.out.format {
        Format::Human => ctx.out.result(&clean(&human(&report)))?,
        Format::Json => ctx.out.json("docs-remove", &report)?,
        Format::Jsonl => ctx.out.json_line(&report)?,
    }
    Ok(if report.problems.is_empty() { Exit::Good } else { Exit::NotGood })
}

/// The records that the arguments name, each once. One that names nothing fails before anything is done.
fn choose<'a>(records: &'a [DocumentRecord], wanted: &[String]) -> Result<Vec<&'a DocumentRecord>, Failure> {
    let mut chosen: Vec<&DocumentRecord> = Vec::new();
    for wanted in wanted {
        let record = find(records, wanted.strip_prefix("./").unwrap_or(wanted))?;
        if !chosen.contains(&record) {
            chosen.push(record);
        }
    }
    Ok(chosen)
}

/// What tells whether the same names still mean the same documents.
fn names(chosen: &[&DocumentRecord]) -> Vec<(String, String)> {
    chosen.iter().map(|record| (record.document_id.clone(), record.path.clone())).collect()
}

fn find<'a>(records: &'a [DocumentRecord], wanted: &str) -> Result<&'a DocumentRecord, Failure> {
    let exact = records.iter().find(|record| record.path == wanted || record.document_id == wanted);
    if let Some(record) = exact {
        return Ok(record);
    }
    let named: Vec<&DocumentRecord> = records.iter().filter(|record| file_name(&record.path) == wanted).collect();
    match named.as_slice() {
        [record] => Ok(record),
        [] => Err(Failure::new("docs/unknown", Exit::NotGood, WHAT, format!("no document `{wanted}` is indexed"))
            .fix("chatbotctl docs list")),
        several => {
            let paths: Vec<String> = several.iter().map(|record| format!("`{}`", record.path)).collect();
            let why = format!("`{wanted}` may be {}", paths.join(" or "));
            let fix = format!("name its path or id: chatbotctl docs remove {}", several[0].path);
            Err(Failure::new("docs/ambiguous", Exit::Usage, WHAT, why).fix(fix))
        }
    }
}

/// Whether there was a file to delete.
fn delete(root: &Path, path: &str) -> Result<bool, Problem> {
    match resolve_within(root, path).and_then(fs::remove_file) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Problem::new(path, "document/not-deleted", error.to_string())),
    }
}

fn human(report: &Report) -> String {
    let mut text = format!("{} removed from the index", documents(report.removed.len()));
    if report.files_deleted > 0 {
        let _ = write!(text, ", {} deleted", report.files_deleted);
    }
    if !report.problems.is_empty() {
        let _ = write!(text, "\nproblems:\n{}", problem_lines(&report.problems));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn nothing_outside_the_folder_is_deleted() {
        use std::os::unix::fs::symlink;

        let dir = tempfile::tempdir().unwrap();
        let (root, outside) = (dir.path().join("docs"), dir.path().join("outside"));
        fs::create_dir(&root).unwrap();
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("kept.md"), "x").unwrap();
        fs::write(root.join("a.md"), "x").unwrap();
        symlink(&outside, root.join("sub")).unwrap();
        symlink(outside.join("kept.md"), root.join("link.md")).unwrap();
        for path in ["sub/kept.md", "link.md", "../outside/kept.md"] {
            assert_eq!(delete(&root, path).unwrap_err().code, "document/not-deleted", "{path}");
        }
        assert!(outside.join("kept.md").exists());
        assert_eq!(delete(&root, "a.md"), Ok(true));
        assert_eq!(delete(&root, "a.md"), Ok(false));
    }
}
