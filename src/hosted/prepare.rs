//! What goes up for a document: in which form, under which attributes, made of which bytes.
//!
//! Invariant: the form follows from the path alone, so a plan can be made without reading a document. A file that is
//! another one than the scan saw is refused here; no link put in its place is followed.

use std::collections::BTreeSet;
use std::io::{self, Read as _, Seek as _};
use std::path::Path;

use sha2::{Digest as _, Sha256};
use tempfile::TempPath;

use crate::clock::hex;
use crate::docs::READER_VERSION;
use crate::docs::reader::Reader;
use crate::docs::rendition;
use crate::docs::walk::open::open_document;
use crate::docs::walk::{FoundFile, inode, modified_ns};
use crate::error::Problem;
use crate::hosted::render::{self, Converted, RenderError, Spooled, formats};
use crate::ingest::renames::extension;
use crate::ingest::scan::ScannedFile;
use crate::openai::file::Body;
use crate::openai::search::RESTRICTED;
use crate::openai::vector_store::{Attribute, Attributes, MAX_KEY_CHARS, MAX_PAIRS, MAX_VALUE_CHARS};

/// The value of [`MADE_BY`] on every file of ours.
pub const OURS: &str = "chatbotctl";
/// The attribute that tells whose a file is.
pub const MADE_BY: &str = "made_by";
/// The attribute with the document's id.
pub const DOCUMENT_ID: &str = "document_id";
/// The attribute with the document's path.
pub const PATH: &str = "path";
/// The attribute with the SHA-256 of the source file.
pub const SHA256: &str = "sha256";
/// The attribute with the [`recipe`].
pub const RECIPE: &str = "recipe";
/// The attribute with the [`Form`].
pub const FORM: &str = "form";

/// What the names of attributes about readers begin with; each says of one role that it may.
pub const ROLE_PREFIX: &str = "role_";

/// Longer texts are cut to this many characters and end in `…`.
const CUT_CHARS: usize = 500;
/// Files up to this size are read before they go up, so that what goes up is what was hashed.
const SMALL_BYTES: u64 = 1024 * 1024;
/// Hexadecimal digits of each half of a recipe.
const HALF: usize = 8;

/// In which form a document goes up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// The file as it is.
    Original,
    /// Our own extraction.
    Markdown,
}

impl Form {
    /// Its name in the attributes.
    pub fn name(self) -> &'static str {
        match self {
            Self::Original => "original",
            Self::Markdown => "markdown",
        }
    }
}

/// What goes up.
#[derive(Debug)]
pub struct Prepared {
    /// In which form.
    pub form: Form,
    /// The extension of the uploaded file's name, without a dot.
    pub extension: String,
    /// Its media type.
    pub mime_type: &'static str,
    /// Its content.
    pub body: Body,
    /// SHA-256 of the source as it was read, hexadecimal; none where it is read while it is sent.
    pub source_sha256: Option<String>,
    /// The temporary file of the content, if it has one: removed when this is dropped.
    pub spool: Option<TempPath>,
}

/// What the attributes of a document tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Described {
    /// The document's id.
    pub document_id: String,
    /// Path relative to the documents folder.
    pub path: String,
    /// SHA-256 of the source file.
    pub sha256: String,
    /// Its title, when `documents.yaml` gives one.
    pub title: Option<String>,
    /// Its one sentence, when given; told by the recipe only.
    pub description: Option<String>,
    /// Its labels.
    pub tags: Vec<String>,
    /// Who may read it; nobody in particular when empty.
    pub roles: Vec<String>,
}

impl Described {
    /// What is to be told of a file of the folder.
    pub fn of(scanned: &ScannedFile) -> Self {
        let details = &scanned.details;
        Self {
            document_id: scanned.document_id.clone(),
            path: scanned.file.path.clone(),
            sha256: scanned.sha256.clone(),
            title: details.title.clone(),
            description: details.description.clone(),
            tags: details.tags.clone(),
            roles: details.roles.clone(),
        }
    }
}

/// In which form a document goes up. Pure, by extension.
pub fn form_of(path: &str) -> Form {
    if formats::native(&extension(path)).is_some() { Form::Original } else { Form::Markdown }
}

/// What is told of a document beside its bytes, as 16 hexadecimal digits. The first half is [`body_recipe`]: when it
/// changes, other bytes have to go up. The second half is over what people say of it: a change is one of attributes.
pub fn recipe(described: &Described) -> String {
    let mut hasher = Sha256::new();
    for field in [&described.title, &described.description] {
        hasher.update([u8::from(field.is_some())]);
        hasher.update(field.as_deref().unwrap_or_default());
        hasher.update([0]);
    }
    for (list, mark) in [(&described.tags, 1), (&described.roles, 2)] {
        for word in list {
            hasher.update([mark]);
            hasher.update(word);
            hasher.update([0]);
        }
    }
    body_recipe(form_of(&described.path)) + &hex(&hasher.finalize())[..HALF]
}

/// What shapes the bytes that go up beside those of the source: the form, and who made the extraction.
pub fn body_recipe(form: Form) -> String {
    let mut hasher = Sha256::new();
    hasher.update(form.name());
    if form == Form::Markdown {
        hasher.update(READER_VERSION.to_le_bytes());
        hasher.update(rendition::VERSION.to_le_bytes());
    }
    hex(&hasher.finalize())[..HALF].to_owned()
}

/// The first half of a recipe; all of it when it is shorter.
pub fn body_part(recipe: &str) -> &str {
    recipe.get(..HALF).unwrap_or(recipe)
}

/// The attributes of a document. More than the service takes are a problem, not a silent loss.
pub fn attributes(described: &Described) -> Result<Attributes, Problem> {
    let form = form_of(&described.path);
    let mut attributes = Attributes::new();
    let texts = [
        (DOCUMENT_ID, described.document_id.as_str()),
        (PATH, &described.path),
        (SHA256, &described.sha256),
        (RECIPE, &recipe(described)),
        (FORM, form.name()),
        (MADE_BY, OURS),
    ];
    for (name, text) in texts.into_iter().chain(described.title.as_deref().map(|title| ("title", title))) {
        attributes.insert(name.to_owned(), Attribute::Text(shortened(text)));
    }
    attributes.insert(RESTRICTED.to_owned(), Attribute::Flag(!described.roles.is_empty()));
    let flags: BTreeSet<String> = described
        .tags
        .iter()
        .map(|tag| flag_name("tag_", tag))
        .chain(described.roles.iter().map(|role| flag_name(ROLE_PREFIX, role)))
        .collect();
    let room = MAX_PAIRS - attributes.len();
    if flags.len() > room {
        let message = format!(
            "it has {} tags and roles, and the vector store has room for {room}; give it fewer in documents.yaml",
            flags.len()
        );
        return Err(Problem::new(&described.path, "document/too-many-labels", message));
    }
    attributes.extend(flags.into_iter().map(|name| (name, Attribute::Flag(true))));
    Ok(attributes)
}

/// A text as an attribute can hold it.
pub fn shortened(text: &str) -> String {
    if text.chars().count() <= MAX_VALUE_CHARS {
        return text.to_owned();
    }
    text.chars().take(CUT_CHARS).chain(['…']).collect()
}

fn flag_name(prefix: &str, word: &str) -> String {
    let safe = |c: char| if c.is_alphanumeric() || c == '_' || c == '-' { c } else { '_' };
    let name = word.to_lowercase();
    prefix.chars().chain(name.chars().map(safe)).take(MAX_KEY_CHARS).collect()
}

/// Makes what goes up.
pub async fn prepare(reader: &dyn Reader, _root: &Path, file: &FoundFile, form: Form) -> Result<Prepared, Problem> {
    let made = match form {
        Form::Original => original(file).await,
        Form::Markdown => render::markdown(reader, file).await,
    };
    let Spooled { body, source_sha256, file: spool } = made.map_err(|error| error.problem(&file.path))?;
    let extension = render::uploaded_extension(&file.path, form);
    let mime_type = formats::native(&extension).map_or("application/octet-stream", |native| native.media_type);
    Ok(Prepared { form, extension, mime_type, body, source_sha256, spool })
}

async fn original(file: &FoundFile) -> Result<Spooled, RenderError> {
    let found = file.clone();
    tokio::task::spawn_blocking(move || original_body(&found)).await?
}

/// The file's own bytes, or its text in UTF-8 where the service would not read it.
fn original_body(found: &FoundFile) -> Result<Spooled, RenderError> {
    let mut file = open_unchanged(found)?;
    let extension = render::uploaded_extension(&found.path, Form::Original);
    if formats::native(&extension).is_some_and(|native| native.is_text) {
        if let Some(Converted { text, source_sha256 }) = render::readable(&mut file, &extension)? {
            return Ok(Spooled::of_bytes(text.into(), source_sha256));
        }
        file.rewind()?;
    }
    if found.bytes > SMALL_BYTES {
        let body = Body::Path { path: found.absolute.clone(), bytes: found.bytes };
        return Ok(Spooled { body, source_sha256: None, file: None });
    }
    let mut bytes = Vec::new();
    file.take(SMALL_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 != found.bytes {
        return Err(RenderError::Changed);
    }
    let source_sha256 = hex(&Sha256::digest(&bytes));
    Ok(Spooled::of_bytes(bytes.into(), source_sha256))
}

/// Opens a file that is still the one that the scan saw.
pub fn open_unchanged(found: &FoundFile) -> io::Result<std::fs::File> {
    let (file, metadata) = open_document(&found.absolute, &found.path)?;
    let now = (metadata.len(), modified_ns(&metadata), inode(&metadata));
    let then = (found.bytes, found.modified_ns, (found.ctime_ns, found.inode));
    if now == then { Ok(file) } else { Err(changed()) }
}

fn changed() -> io::Error {
    io::Error::other("it changed while it was being uploaded; the next sync takes it")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(path: &str, tags: &[&str]) -> Described {
        let tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
        Described { document_id: "a".to_owned(), path: path.to_owned(), tags, ..Described::default() }
    }

    #[test]
    fn attributes_tell_who_is_who_and_keep_the_limits() {
        let made = attributes(&described("a.md", &["Größe & Maß", "b-c"])).unwrap();
        assert_eq!(made["tag_größe___maß"], Attribute::Flag(true));
        assert_eq!(made["tag_b-c"], Attribute::Flag(true));
        assert_eq!(made[MADE_BY], Attribute::Text(OURS.to_owned()));
        assert_eq!(made[RESTRICTED], Attribute::Flag(false));
        let staff = Described { roles: vec!["staff".to_owned()], ..described("a.md", &[]) };
        let made = attributes(&staff).unwrap();
        assert_eq!((&made[RESTRICTED], &made["role_staff"]), (&Attribute::Flag(true), &Attribute::Flag(true)));
        let long = "x/".repeat(400) + "a.md";
        let made = attributes(&described(&long, &[&"t".repeat(100)])).unwrap();
        let Attribute::Text(path) = &made[PATH] else { panic!("a text") };
        assert_eq!((path.chars().count(), path.chars().last()), (CUT_CHARS + 1, Some('…')));
        assert!(made.keys().all(|key| key.chars().count() <= MAX_KEY_CHARS));
    }

    #[test]
    fn too_many_labels_are_a_problem_of_the_document() {
        let tags: Vec<String> = (0..10).map(|n| format!("t{n}")).collect();
        let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
        assert_eq!(attributes(&described("a.md", &tags[..9])).unwrap().len(), MAX_PAIRS);
        let problem = attributes(&described("a.md", &tags)).unwrap_err();
        assert_eq!((problem.path.as_str(), problem.code.as_str()), ("a.md", "document/too-many-labels"));
    }

    #[test]
    fn words_about_a_document_change_the_second_half_of_its_recipe_only() {
        let (plain, tagged) = (recipe(&described("a.md", &[])), recipe(&described("a.md", &["t"])));
        assert_eq!((plain.len(), body_part(&plain)), (2 * HALF, body_part(&tagged)));
        assert_ne!(plain, tagged);
        assert_ne!(body_recipe(Form::Original), body_recipe(Form::Markdown));
    }
}
