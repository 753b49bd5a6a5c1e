//! `docs show`: what is read from one document.

use std::fmt::Write as _;
use std::path::{Component, Path};

use serde::Serialize;

use crate::app;
use crate::cmd::docs::{FolderArgs, looking};
use crate::cmd::{Ctx, help_end};
use crate::config::suggest::distance;
use crate::docs::ReadFile;
use crate::docs::catalogue::Catalogue;
use crate::docs::identity::{derive_id, derive_title};
use crate::docs::reader::ReadError;
use crate::docs::rendition;
use crate::docs::walk::{FoundFile, Listing, walk};
use crate::error::Failure;
use crate::exit::Exit;
use crate::hosted::prepare::{Form, form_of};
use crate::index::VectorStore;
use crate::ingest::SyncError;
use crate::model::{Block, BlockKind, Locator, file_name};
use crate::ui::{Format, clean};

const SUGGESTIONS: usize = 3;
const WHAT: &str = "show the document";

/// Show what is read from one document, piece by piece
#[derive(Debug, clap::Args)]
#[command(
    long_about = "Show what is read from one document, piece by piece, with the place of each.\n\n\
        PATH is relative to the documents folder, or a file name that is unique in it. The file is read now; the \
        index may hold an older version.\n\n\
        With --format json: schema, document_id, path, title, blocks (kind, text, locator; a \
        heading has level, a table_row has header). kind is one of heading, paragraph, list_item, table_row, code.\n\n\
        With --rendition: the same as one text, in Markdown with marks of place such as [page 3]. It is what \
        `docs sync --to openai` uploads of a document whose format the service does not read (form `markdown`); of \
        others the file itself goes up (form `original`). With --format json: schema, document_id, path, title, form, \
        markdown.\n\n\
        Exit codes: 0 done; 1 there is no such document, or it cannot be read; 2 the name is not unique.",
    after_help = help_end!(
        "chatbotctl docs show orders/cancel-or-change.md" => "see its pieces and their places",
        "chatbotctl docs show refunds.pdf --format json" => "the same for a program",
        "chatbotctl docs show spare-part-prices.xlsx --rendition" => "see what would be uploaded of it"
    )
)]
pub struct Args {
    /// The document: a path relative to the documents folder, or a unique file name
    path: String,
    /// Print it as one Markdown text: what is uploaded of formats that a vector store's service does not read
    #[arg(long)]
    rendition: bool,
    #[command(flatten)]
    folders: FolderArgs,
}

#[derive(Debug, Serialize)]
struct Shown {
    document_id: String,
    path: String,
    title: String,
    blocks: Vec<ShownBlock>,
}

/// A document as it would go up.
#[derive(Debug, Serialize)]
struct Rendition<'a> {
    document_id: &'a str,
    path: &'a str,
    title: &'a str,
    form: &'static str,
    markdown: &'a str,
}

/// A block as a program reads it: `kind` is always one word.
#[derive(Debug, Serialize)]
struct ShownBlock {
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    level: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    header: Option<bool>,
    text: String,
    locator: Locator,
}

impl From<Block> for ShownBlock {
    fn from(block: Block) -> Self {
        let (kind, level, header) = match block.kind {
            BlockKind::Heading { level } => ("heading", Some(level), None),
            BlockKind::Paragraph => ("paragraph", None, None),
            BlockKind::ListItem => ("list_item", None, None),
            BlockKind::TableRow { header } => ("table_row", None, Some(header)),
            BlockKind::Code => ("code", None, None),
        };
        Self { kind, level, header, text: block.text, locator: block.locator }
    }
}

/// Runs `docs show`.
pub async fn run(args: Args, ctx: &Ctx) -> Result<Exit, Failure> {
    let settings = args.folders.settings(ctx)?;
    let root = settings.paths.docs_dir.clone();
    let index = app::open_index(&settings)?;
    let wanted = index.record(&args.path).await?.map_or(args.path, |record| record.path);
    let (file, catalogue) =
        tokio::task::spawn_blocking(move || find_file(&root, &wanted)).await.map_err(SyncError::Task)??;
    let read = app::open_reader().read(&file).await.map_err(|error| unread(&file, error))?;
    let markdown = args.rendition.then(|| rendition::to_bytes(&read.parsed));
    let shown = shown(&file, read, &catalogue, &*index).await?;
    if let Some(markdown) = markdown {
        return show_rendition(&shown, &String::from_utf8_lossy(&markdown), ctx);
    }
    match ctx.out.format {
        Format::Human => ctx.out.result(&clean(&human(&shown)))?,
        Format::Json => ctx.out.json("docs-show", &shown)?,
        Format::Jsonl => ctx.out.json_line(&shown)?,
    }
    Ok(Exit::Good)
}

fn show_rendition(shown: &Shown, markdown: &str, ctx: &Ctx) -> Result<Exit, Failure> {
    let Shown { document_id, path, title, .. } = shown;
    let form = form_of(path);
    if form == Form::Original {
        ctx.out.warn("this format is uploaded as it is; the text below is what is read from it here");
    }
    let rendition = Rendition { document_id, path, title, form: form.name(), markdown };
    match ctx.out.format {
        Format::Human => ctx.out.result(&clean(markdown))?,
        Format::Json => ctx.out.json("docs-rendition", &rendition)?,
        Format::Jsonl => ctx.out.json_line(&rendition)?,
    }
    Ok(Exit::Good)
}

fn find_file(root: &Path, wanted: &str) -> Result<(FoundFile, Catalogue), Failure> {
    let listing = walk(root).map_err(looking)?;
    let file = find(&listing, root, wanted)?.clone();
    Ok((file, Catalogue::load(root).map_err(looking)?))
}

fn unread(file: &FoundFile, error: ReadError) -> Failure {
    match error {
        ReadError::Document(error) => {
            Failure::new(error.code(), Exit::NotGood, format!("{WHAT} `{}`", file.path), error.to_string())
                .fix("correct or replace the file; `chatbotctl docs sync` leaves it out until then")
        }
        ReadError::Reader(why) => looking(SyncError::Reader(why)),
    }
}

/// The id is the index's, where it knows the file; else the one that the next sync would most likely give.
async fn shown(
    file: &FoundFile,
    read: ReadFile,
    catalogue: &Catalogue,
    index: &dyn VectorStore,
) -> Result<Shown, Failure> {
    let details = catalogue.bind([file.path.as_str()]).map_err(looking)?.details(&file.path);
    let known = index.records().await?.into_iter().find(|record| record.path == file.path);
    let document_id = details.id.or(known.map(|record| record.document_id)).unwrap_or_else(|| derive_id(&file.path));
    let title = details.title.unwrap_or_else(|| derive_title(&read.parsed, &file.path));
    let blocks = read.parsed.blocks.into_iter().map(ShownBlock::from).collect();
    Ok(Shown { document_id, path: file.path.clone(), title, blocks })
}

fn find<'a>(listing: &'a Listing, root: &Path, wanted: &str) -> Result<&'a FoundFile, Failure> {
    let path = Path::new(wanted);
    if path.is_absolute() && path.strip_prefix(root).is_err() {
        let why = format!("`{wanted}` is outside the documents folder `{}`", root.display());
        return Err(Failure::new("docs/unknown", Exit::NotGood, WHAT, why).fix("chatbotctl docs list"));
    }
    let wanted = normal(root, wanted);
    if let Some(file) = listing.files.iter().find(|file| file.path == wanted) {
        return Ok(file);
    }
    let named: Vec<&FoundFile> = listing.files.iter().filter(|file| file_name(&file.path) == wanted).collect();
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
        return Failure::new("docs/unknown", Exit::NotGood, WHAT, format!("`{wanted}` is skipped: {}", skipped.reason))
            .fix("see all that is skipped: chatbotctl docs plan");
    }
    if let Some(problem) = listing.problems.iter().find(|problem| problem.path == wanted) {
        return Failure::new("docs/unknown", Exit::NotGood, WHAT, format!("`{wanted}`: {}", problem.message))
            .fix("see all problems: chatbotctl docs plan");
    }
    let failure = Failure::new("docs/unknown", Exit::NotGood, WHAT, format!("there is no document `{wanted}`"));
    let near = suggestions(listing, wanted);
    match near.as_slice() {
        [] => failure.fix("chatbotctl docs list"),
        near => failure.fix(format!("did you mean {}?", near.join(" or "))),
    }
}

fn suggestions(listing: &Listing, wanted: &str) -> Vec<String> {
    let lower = wanted.to_lowercase();
    let mut near: Vec<(usize, &str)> = listing
        .files
        .iter()
        .map(|file| {
            let path = file.path.to_lowercase();
            let whole = distance(&path, &lower);
            (whole.min(distance(file_name(&path), file_name(&lower))), file.path.as_str())
        })
        .filter(|(distance, _)| *distance <= wanted.chars().count() / 3 + 1)
        .collect();
    near.sort_unstable();
    near.into_iter().take(SUGGESTIONS).map(|(_, path)| format!("`{path}`")).collect()
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

fn human(shown: &Shown) -> String {
    let mut text = format!("{}\n{} ({})\n", shown.title, shown.path, shown.document_id);
    let mut last = String::new();
    for block in &shown.blocks {
        let place = block.locator.describe();
        if place != last {
            let _ = write!(text, "\n[{place}]\n");
            last = place;
        }
        let mark = block.level.map_or_else(String::new, |level| "#".repeat(level.into()) + " ");
        let _ = writeln!(text, "{mark}{}", block.text);
    }
    text
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
            ctime_ns: None,
            inode: None,
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
