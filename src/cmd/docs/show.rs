//! `docs show`: what is read from one document.

use std::fmt::Write as _;
use std::path::{Component, Path};

use serde::Serialize;

use crate::app;
use crate::cmd::docs::FolderArgs;
use crate::cmd::{Ctx, help_end};
use crate::docs::catalogue::Catalogue;
use crate::docs::identity::{derive_id, derive_title};
use crate::docs::walk::{FoundFile, Listing, walk};
use crate::docs::{ReadFile, read_file};
use crate::error::Failure;
use crate::exit::Exit;
use crate::index::VectorStore;
use crate::ingest::SyncError;
use crate::model::{Block, BlockKind, Locator};
use crate::ui::Format;

const SUGGESTIONS: usize = 3;
const WHAT: &str = "show the document";

/// Show what is read from one document, piece by piece
#[derive(Debug, clap::Args)]
#[command(
    long_about = "Show what is read from one document, piece by piece, with the place of each.\n\n\
        PATH is relative to the documents folder, or a file name that is unique in it. The file is read now; the \
        index may hold an older version.\n\n\
        With --format json: schema, document_id, path, title, blocks (kind, text, locator).\n\n\
        Exit codes: 0 done; 1 there is no such document, or it cannot be read; 2 the name is not unique.",
    after_help = help_end!(
        "chatbotctl docs show orders/cancel.md" => "see its pieces and their places",
        "chatbotctl docs show warranty.pdf --format json" => "the same for a program"
    )
)]
pub struct Args {
    /// The document: a path relative to the documents folder, or a unique file name
    path: String,
    #[command(flatten)]
    folders: FolderArgs,
}

#[derive(Debug, Serialize)]
struct Shown {
    document_id: String,
    path: String,
    title: String,
    blocks: Vec<Block>,
}

/// Runs `docs show`.
pub async fn run(args: Args, ctx: &Ctx) -> Result<Exit, Failure> {
    let settings = args.folders.settings(ctx)?;
    let root = settings.paths.docs_dir.clone();
    let index = app::open_index(&settings)?;
    let (file, read, catalogue) =
        tokio::task::spawn_blocking(move || load(&root, &args.path)).await.map_err(SyncError::Task)??;
    let shown = shown(&file, read, &catalogue, &*index).await?;
    match ctx.out.format {
        Format::Human => ctx.out.result(&human(&shown))?,
        Format::Json => ctx.out.json("docs-show", &shown)?,
        Format::Jsonl => ctx.out.json_line(&shown)?,
    }
    Ok(Exit::Good)
}

fn load(root: &Path, wanted: &str) -> Result<(FoundFile, ReadFile, Catalogue), Failure> {
    let listing = walk(root).map_err(SyncError::from)?;
    let file = find(&listing, root, wanted)?.clone();
    let read = read_file(&file.absolute, &file.path).map_err(|error| {
        Failure::new(error.code(), Exit::NotGood, format!("{WHAT} `{}`", file.path), error.to_string())
    })?;
    let catalogue = Catalogue::load(root).map_err(SyncError::from)?;
    Ok((file, read, catalogue))
}

/// The id is the index's, where it knows the file; else the one that the next sync would most likely give.
async fn shown(
    file: &FoundFile,
    read: ReadFile,
    catalogue: &Catalogue,
    index: &dyn VectorStore,
) -> Result<Shown, Failure> {
    let details = catalogue.bind([file.path.as_str()]).map_err(SyncError::from)?.details(&file.path);
    let known = index.records().await?.into_iter().find(|record| record.path == file.path);
    let document_id = details.id.or(known.map(|record| record.document_id)).unwrap_or_else(|| derive_id(&file.path));
    let title = details.title.unwrap_or_else(|| derive_title(&read.parsed, &file.path));
    Ok(Shown { document_id, path: file.path.clone(), title, blocks: read.parsed.blocks })
}

fn find<'a>(listing: &'a Listing, root: &Path, wanted: &str) -> Result<&'a FoundFile, Failure> {
    let wanted = normal(root, wanted);
    if let Some(file) = listing.files.iter().find(|file| file.path == wanted) {
        return Ok(file);
    }
    let named: Vec<&FoundFile> = listing.files.iter().filter(|file| base_name(&file.path) == wanted).collect();
    match named.as_slice() {
        [file] => Ok(file),
        [] => Err(unknown(listing, &wanted)),
        several => {
            let paths: Vec<String> = several.iter().map(|file| format!("`{}`", file.path)).collect();
            let why = format!("`{wanted}` may be {}", paths.join(" or "));
            Err(Failure::new("docs/ambiguous", Exit::Usage, WHAT, why)
                .fix(format!("chatbotctl docs show {}", several[0].path)))
        }
    }
}

fn unknown(listing: &Listing, wanted: &str) -> Failure {
    if let Some(skipped) = listing.skipped.iter().find(|skipped| skipped.path == wanted) {
        return Failure::new("docs/unknown", Exit::NotGood, WHAT, format!("`{wanted}` is skipped: {}", skipped.reason));
    }
    if let Some(problem) = listing.problems.iter().find(|problem| problem.path == wanted) {
        return Failure::new("docs/unknown", Exit::NotGood, WHAT, format!("`{wanted}`: {}", problem.message));
    }
    let failure = Failure::new("docs/unknown", Exit::NotGood, WHAT, format!("there is no document `{wanted}`"));
    let near = suggestions(listing, wanted);
    match near.as_slice() {
        [] => failure.fix("chatbotctl docs list"),
        near => failure.fix(format!("did you mean {}?", near.join(" or "))),
    }
}

fn suggestions(listing: &Listing, wanted: &str) -> Vec<String> {
    let mut near: Vec<(usize, &str)> = listing
        .files
        .iter()
        .map(|file| {
            let whole = distance(&file.path, wanted);
            (whole.min(distance(base_name(&file.path), base_name(wanted))), file.path.as_str())
        })
        .filter(|(distance, _)| *distance <= wanted.chars().count() / 3 + 1)
        .collect();
    near.sort_unstable();
    near.into_iter().take(SUGGESTIONS).map(|(_, path)| format!("`{path}`")).collect()
}

/// How many characters have to change (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, c) in one.to_lowercase().chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = at + 1;
        for (column, d) in other.iter().enumerate() {
            let change = diagonal + usize::from(c != *d);
            diagonal = row[column + 1];
            row[column + 1] = change.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}

/// The path relative to the folder, with `/`: what a shell completes begins with the folder.
fn normal(root: &Path, wanted: &str) -> String {
    let path = Path::new(wanted);
    let relative = path.strip_prefix(root).unwrap_or(path);
    let parts: Vec<&str> = relative
        .components()
        .filter(|part| *part != Component::CurDir)
        .filter_map(|part| part.as_os_str().to_str())
        .collect();
    parts.join("/")
}

fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn human(shown: &Shown) -> String {
    let mut text = format!("{}\n{} ({})\n", shown.title, shown.path, shown.document_id);
    let mut last = String::new();
    for block in &shown.blocks {
        let place = place(&block.locator);
        if place != last {
            let _ = write!(text, "\n[{place}]\n");
            last = place;
        }
        match block.kind {
            BlockKind::Heading { level } => {
                let _ = writeln!(text, "{} {}", "#".repeat(level.into()), block.text);
            }
            _ => {
                let _ = writeln!(text, "{}", block.text);
            }
        }
    }
    text
}

/// A locator for people.
pub fn place(locator: &Locator) -> String {
    let mut parts = Vec::new();
    if let Some(page) = locator.page {
        parts.push(format!("page {page}"));
    }
    if let Some(lines) = locator.lines {
        let one = lines.0 == lines.1;
        parts.push(if one { format!("line {}", lines.0) } else { format!("lines {}-{}", lines.0, lines.1) });
    }
    if let Some(heading) = &locator.heading {
        parts.push(format!("\"{heading}\""));
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn listing(paths: &[&str]) -> Listing {
        let file = |path: &&str| FoundFile {
            path: (*path).to_owned(),
            absolute: PathBuf::from(path),
            bytes: 1,
            modified_ns: None,
        };
        Listing { files: paths.iter().map(file).collect(), ..Listing::default() }
    }

    #[test]
    fn finds_by_path_and_by_unique_name() {
        let listing = listing(&["a/x.md", "b/x.md", "b/warranty.pdf"]);
        let root = Path::new("data");
        assert_eq!(find(&listing, root, "a/x.md").unwrap().path, "a/x.md");
        assert_eq!(find(&listing, root, "./data/b/x.md").unwrap_err().exit, Exit::NotGood);
        assert_eq!(find(&listing, root, "data/b/x.md").unwrap().path, "b/x.md");
        assert_eq!(find(&listing, root, "warranty.pdf").unwrap().path, "b/warranty.pdf");
        let ambiguous = find(&listing, root, "x.md").unwrap_err();
        assert_eq!(ambiguous.exit, Exit::Usage);
        assert!(ambiguous.why.contains("`a/x.md` or `b/x.md`"));
        let unknown = find(&listing, root, "waranty.pdf").unwrap_err();
        assert_eq!(unknown.fix.as_deref(), Some("did you mean `b/warranty.pdf`?"));
    }
}
