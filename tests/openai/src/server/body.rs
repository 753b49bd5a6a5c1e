//! Bodies: read to their end whatever will be answered, so that a client always gets to see the answer.

use std::io::{Seek, Write};
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::multipart::{Field, Multipart};
use axum::extract::{DefaultBodyLimit, FromRequest};
use futures_util::StreamExt;
use hyper::Request;
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap};
use hyper::http::request::Parts;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::api::{Checked, Form, FormFile, Refusal, Takes, TextCheck, hex};
use crate::rules::Rules;
use crate::world::{Kept, PartBytes};

/// Largest JSON body in bytes.
const MAX_JSON: usize = 32 * 1024 * 1024;

/// What a body may hold, and what is done with it.
pub(crate) struct Bounds {
    max: u64,
    keep: bool,
    is_part: bool,
}

/// A body, read.
pub(crate) struct Read {
    pub(crate) json: Checked<Map<String, Value>>,
    pub(crate) form: Form,
    /// For the log.
    pub(crate) summary: Value,
}

impl Bounds {
    pub(crate) fn of(rules: &Rules, takes: Takes) -> Self {
        let is_part = takes == Takes::Part;
        let max = if is_part { rules.max_part_bytes } else { rules.max_file_bytes };
        Self { max, keep: rules.keep_bytes, is_part }
    }
}

/// Reads a body of this kind.
pub(crate) async fn read(head: &Parts, body: Body, takes: Takes, bounds: &Bounds) -> Read {
    match takes {
        Takes::File | Takes::Part => read_form(head, body, bounds).await,
        Takes::Json | Takes::Nothing => read_json(head, body, takes).await,
    }
}

/// Reads until half of what is announced has come.
pub(crate) async fn read_half(headers: &HeaderMap, body: Body) {
    let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    let half = announced.unwrap_or(0) / 2;
    let mut seen = 0;
    let mut body = body.into_data_stream();
    while let Some(Ok(piece)) = body.next().await {
        seen += piece.len();
        if seen >= half {
            return;
        }
    }
}

async fn read_json(head: &Parts, body: Body, takes: Takes) -> Read {
    let Some(bytes) = collect(body).await else {
        let refusal = Err(Refusal::too_large("Request body is too large."));
        return Read { json: refusal, form: Form::default(), summary: Value::Null };
    };
    let parsed = serde_json::from_slice::<Value>(&bytes);
    let summary = parsed.as_ref().map_or(Value::Null, Clone::clone);
    let is_json = head.headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    let json = match (takes, parsed) {
        (Takes::Nothing, _) => Ok(Map::new()),
        (_, Ok(Value::Object(map))) if is_json => Ok(map),
        (_, Ok(_)) if is_json => Err(Refusal::malformed("The body of the request must be a JSON object.")),
        (_, _) if is_json => Err(Refusal::malformed("We could not parse the JSON body of your request.")),
        _ => Err(Refusal::malformed("Unsupported content type: the body must be application/json.")),
    };
    Read { json, form: Form::default(), summary }
}

/// The whole body, or nothing when it is too large; it is read to its end all the same.
async fn collect(body: Body) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut fits = true;
    let mut body = body.into_data_stream();
    while let Some(Ok(piece)) = body.next().await {
        fits &= bytes.len() + piece.len() <= MAX_JSON;
        if fits {
            bytes.extend_from_slice(&piece);
        }
    }
    fits.then_some(bytes)
}

async fn read_form(head: &Parts, body: Body, bounds: &Bounds) -> Read {
    let mut request = Request::new(body);
    request.headers_mut().clone_from(&head.headers);
    DefaultBodyLimit::disable().apply(&mut request);
    let mut form = Form::default();
    match Multipart::from_request(request, &()).await {
        Ok(mut multipart) => {
            while form.refused.is_none() {
                match multipart.next_field().await {
                    Ok(Some(field)) => form.refused = take_field(&mut form, field, bounds).await.err(),
                    Ok(None) => break,
                    Err(_) => form.refused = Some(Refusal::malformed("Could not parse the multipart form.")),
                }
            }
        }
        Err(_) => form.refused = Some(Refusal::malformed("The body must be multipart/form-data.")),
    }
    let summary = summary(&form);
    Read { json: Ok(Map::new()), form, summary }
}

fn summary(form: &Form) -> Value {
    let fields: Map<String, Value> =
        form.texts.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
    let file = form.file.as_ref().map(|file| {
        json!({
            "field": file.field,
            "filename": file.filename,
            "bytes": file.kept.bytes,
            "sha256": file.kept.sha256,
        })
    });
    json!({"fields": fields, "file": file})
}

async fn take_field(form: &mut Form, field: Field<'_>, bounds: &Bounds) -> Checked<()> {
    let name = field.name().unwrap_or_default().to_owned();
    let filename = field.file_name().map(str::to_owned);
    let is_file = filename.is_some() || matches!(name.as_str(), "file" | "data");
    if !is_file {
        let text = field.text().await.map_err(|_| Refusal::malformed("A field of the form is no text."))?;
        form.texts.push((name, text));
        return Ok(());
    }
    if form.file.is_some() {
        return Err(Refusal::unknown(&name));
    }
    let (kept, part) = take_file(field, bounds).await?;
    form.file = Some(FormFile { field: name, filename, kept, part });
    Ok(())
}

/// Reads a file piece by piece, counting, hashing and keeping what the rules want kept.
async fn take_file(mut field: Field<'_>, bounds: &Bounds) -> Checked<(Kept, Option<PartBytes>)> {
    let (mut sha, mut text, mut bytes) = (Sha256::new(), TextCheck::default(), 0_u64);
    let mut sink = Sink::new(bounds)?;
    while let Some(piece) = next_piece(&mut field).await? {
        bytes += piece.len() as u64;
        if bytes > bounds.max {
            continue;
        }
        sha.update(&piece);
        text.take(&piece);
        sink.take(&piece)?;
    }
    if bytes > bounds.max {
        return Err(Refusal::too_large("File is too large."));
    }
    let (content, part) = sink.end()?;
    Ok((Kept { bytes, sha256: hex(&sha.finalize()), is_text: text.is_text(), content }, part))
}

async fn next_piece(field: &mut Field<'_>) -> Checked<Option<Bytes>> {
    field.chunk().await.map_err(|_| Refusal::malformed("The form ended in the middle of a file."))
}

type Ended = (Option<Arc<[u8]>>, Option<PartBytes>);

/// Where the bytes of a file go.
enum Sink {
    Nowhere,
    Memory(Vec<u8>),
    PartInMemory(Vec<u8>),
    Disk(std::fs::File),
}

impl Sink {
    fn new(bounds: &Bounds) -> Checked<Self> {
        match (bounds.is_part, bounds.keep) {
            (false, false) => Ok(Self::Nowhere),
            (false, true) => Ok(Self::Memory(Vec::new())),
            (true, true) => Ok(Self::PartInMemory(Vec::new())),
            (true, false) => tempfile::tempfile().map(Self::Disk).map_err(|_| Refusal::server(500)),
        }
    }

    fn take(&mut self, piece: &[u8]) -> Checked<()> {
        match self {
            Self::Nowhere => {}
            Self::Memory(bytes) | Self::PartInMemory(bytes) => bytes.extend_from_slice(piece),
            Self::Disk(file) => file.write_all(piece).map_err(|_| Refusal::server(500))?,
        }
        Ok(())
    }

    /// The contents of a file, or those of a part.
    fn end(self) -> Checked<Ended> {
        match self {
            Self::Nowhere => Ok((None, None)),
            Self::Memory(bytes) => Ok((Some(Arc::from(bytes)), None)),
            Self::PartInMemory(bytes) => Ok((None, Some(PartBytes::Memory(bytes)))),
            Self::Disk(mut file) => {
                file.rewind().map_err(|_| Refusal::server(500))?;
                Ok((None, Some(PartBytes::Spilled(file))))
            }
        }
    }
}
