//! Opens a file and keeps what text needs: no pictures, no attachments, and a bound on what its objects unpack to.

use std::cell::Cell;

use pdf_extract::{Document, Error, LoadOptions, Object, ObjectId, Stream};

use crate::docs::format::FormatError;
use crate::docs::format::pdf::{guard, repair, unpack};

/// Small objects come packed together in streams; in real files all of them unpack to less.
const MAX_OBJECT_BYTES: usize = 64 * 1024 * 1024;

thread_local! {
    /// The engine takes a bare function as its filter; this is what the function remembers of one file.
    static LEFT_BYTES: Cell<Option<usize>> = const { Cell::new(Some(0)) };
}

/// Opens a file. Its memory is about that of its text: pictures are dropped while it is read. A file without pages may
/// have lost the way to its objects; they are looked for then.
pub fn open(bytes: &[u8]) -> Result<Document, FormatError> {
    let opened = load(bytes);
    match &opened {
        Err(FormatError::Malformed(_)) => {}
        Ok(document) if !has_pages(document) => {}
        _ => return opened,
    }
    // An engine that breaks on the remains says nothing new about the file.
    let found = guard(|| repair::repaired(bytes).and_then(|repaired| load(&repaired).ok())).ok().flatten();
    found.and_then(rooted).map_or(opened, Ok)
}

fn has_pages(document: &Document) -> bool {
    document.page_iter().next().is_some()
}

/// A document with the catalogue that leads to pages; the trailer that named it is lost.
fn rooted(mut document: Document) -> Option<Document> {
    let is_catalogue = |object: &Object| object.as_dict().is_ok_and(|dict| dict.has_type(b"Catalog"));
    let root = document.objects.iter().rev().find(|(_, object)| is_catalogue(object)).map(|(id, _)| *id)?;
    document.trailer.set("Root", root);
    has_pages(&document).then_some(document)
}

fn load(bytes: &[u8]) -> Result<Document, FormatError> {
    LEFT_BYTES.set(Some(MAX_OBJECT_BYTES));
    let loaded = Document::load_mem_with_options(bytes, LoadOptions::with_filter(slim));
    if LEFT_BYTES.get().is_none() {
        let megabytes = MAX_OBJECT_BYTES / (1024 * 1024);
        return Err(FormatError::TooMuch(format!("its objects unpack to more than {megabytes} MB")));
    }
    let mut document = loaded.map_err(|error| {
        let text = error.to_string();
        let encrypted = matches!(error, Error::Decryption(_)) || text.to_lowercase().contains("password");
        if encrypted { FormatError::Encrypted } else { FormatError::Malformed(text) }
    })?;
    if document.is_encrypted() && document.decrypt("").is_err() {
        return Err(FormatError::Encrypted);
    }
    // Encrypted files pass the filter by, and object streams have given all they hold.
    document.objects.retain(|_, object| {
        object.as_stream().map_or(true, |stream| !is_media(stream) && !stream.dict.has_type(b"ObjStm"))
    });
    Ok(document)
}

/// What the engine asks of each object while it loads. It looks at the value only for objects out of streams, which
/// are never streams themselves.
fn slim(id: ObjectId, object: &mut Object) -> Option<(ObjectId, Object)> {
    let Object::Stream(stream) = object else {
        return Some((id, object.clone()));
    };
    if is_media(stream) {
        return None;
    }
    if stream.dict.has_type(b"ObjStm") {
        let left = LEFT_BYTES.get()?;
        let unpacked = unpack::unpack(stream, left).map(|bytes| bytes.len());
        LEFT_BYTES.set(unpacked.map(|unpacked| left - unpacked.min(left)));
        unpacked?;
    }
    Some((id, Object::Null))
}

/// Whether a stream is a picture, an attachment or a packet of metadata.
fn is_media(stream: &Stream) -> bool {
    let is = |key: &[u8], name: &[u8]| stream.dict.get(key).and_then(Object::as_name).is_ok_and(|found| found == name);
    is(b"Subtype", b"Image") || is(b"Type", b"EmbeddedFile") || is(b"Type", b"Metadata")
}
