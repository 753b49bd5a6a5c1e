//! One attempt of a call: the request out, the answer in, within deadlines and bounds of size.

use std::error::Error as _;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use jiff::Timestamp;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::multipart::{Form, Part};
use reqwest::{RequestBuilder, Response};
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use tokio::time::timeout;

use crate::openai::answer::{self, Complaint};
use crate::openai::call::{Call, Payload};
use crate::openai::client::Inner;
use crate::openai::piece::{Piece, Progress};
use crate::openai::retry::{Miss, Patience, Stage};
use crate::openai::{ErrorKind, FailedCall};

/// How much of a refusal is read, in bytes.
const MAX_REFUSAL_BYTES: usize = 64 * 1024;
/// An upload that is slower counts as stuck, in bytes a second.
const SLOWEST_UPLOAD: u64 = 64 * 1024;
/// What vector stores were in beta under; the service no longer asks for it, some gateways do.
const BETA: (&str, &str) = ("openai-beta", "assistants=v2");

/// How long the whole call may take.
pub(super) fn whole(patience: &Patience, call: &Call<'_>) -> Duration {
    patience.whole + sending(call).saturating_mul(2)
}

fn sending(call: &Call<'_>) -> Duration {
    Duration::from_secs(call.upload_bytes().div_ceil(SLOWEST_UPLOAD))
}

/// Sends the request; the answer begins, whatever its status.
pub(super) async fn attempt(client: &Inner, call: &Call<'_>, own_id: &str) -> Result<Response, Miss> {
    let progress = Progress::default();
    let request = request(client, call, own_id, &progress)?;
    let is_open = |progress: &Progress| !matches!(call.payload, Payload::Form { .. }) || progress.is_out();
    let stage = |progress: &Progress| if is_open(progress) { Stage::Unknown } else { Stage::NotSent };
    match timeout(client.patience.head + sending(call), request.send()).await {
        Ok(Ok(response)) => Ok(response),
        Ok(Err(error)) => Err(match progress.fault() {
            Some(why) => Miss::new(call.failed(ErrorKind::Refused, why), Stage::NotSent),
            None if error.is_connect() => unconnected(client, call, &error),
            None => Miss::new(broken_off(client, call, &error), stage(&progress)),
        }),
        Err(_) => Err(Miss::new(call.failed(ErrorKind::TimedOut, "no answer came in time"), stage(&progress))),
    }
}

fn request(client: &Inner, call: &Call<'_>, own_id: &str, progress: &Progress) -> Result<RequestBuilder, Miss> {
    let local = |failed: FailedCall| Miss::new(failed, Stage::NotSent);
    let headers = client.address.headers(call.account).ok_or_else(|| {
        local(call.failed(ErrorKind::WrongKey, "it takes the key of an administrator: set OPENAI_ADMIN_KEY"))
    })?;
    let url = client.address.url(&call.path, &call.query).map_err(|error| local(FailedCall::clone(&error)))?;
    let mut request = client.http.request(call.method.clone(), url).headers(headers.clone());
    request = request.header("x-client-request-id", own_id).header(ACCEPT, "application/json, text/event-stream, */*");
    if call.path.starts_with("/vector_stores") {
        request = request.header(BETA.0, BETA.1);
    }
    Ok(match &call.payload {
        Payload::Nothing => request,
        Payload::Json(json) => request.header(CONTENT_TYPE, "application/json").body(json.clone()),
        Payload::Form { texts, field, piece } => {
            let form = texts.iter().fold(Form::new(), |form, (name, text)| form.text(*name, *text));
            let part = part(piece, progress).map_err(|why| local(call.failed(ErrorKind::Refused, why)))?;
            request.multipart(form.part(*field, part))
        }
    })
}

fn part(piece: &Piece, progress: &Progress) -> Result<Part, String> {
    let part = Part::stream_with_length(piece.body(progress), piece.len()).file_name(piece.filename.clone());
    part.mime_str(piece.mime_type).map_err(|_| format!("`{}` is no media type", piece.mime_type))
}

fn unconnected(client: &Inner, call: &Call<'_>, error: &reqwest::Error) -> Miss {
    let kind = if error.is_timeout() { ErrorKind::TimedOut } else { ErrorKind::Connection };
    let through = client.proxy.as_ref().map(|proxy| format!(" (through the proxy {proxy})")).unwrap_or_default();
    let why = format!("no connection{through}: {}", client.redactor.redact(&innermost(error)));
    Miss::new(call.failed(kind, why), Stage::NotSent)
}

fn broken_off(client: &Inner, call: &Call<'_>, error: &reqwest::Error) -> FailedCall {
    let kind = match error {
        error if error.is_builder() => ErrorKind::Refused,
        error if error.is_timeout() => ErrorKind::TimedOut,
        _ => ErrorKind::Connection,
    };
    call.failed(kind, format!("the connection broke: {}", client.redactor.redact(&innermost(error))))
}

/// The innermost cause. The URL is not told, and causes in between repeat each other.
pub(super) fn innermost(error: &reqwest::Error) -> String {
    let mut cause = error.source();
    while let Some(inner) = cause.and_then(std::error::Error::source) {
        cause = Some(inner);
    }
    cause.map_or_else(|| "the request failed".to_owned(), ToString::to_string)
}

/// What an answer that is no success says.
pub(super) async fn refused(client: &Inner, call: &Call<'_>, response: Response) -> Miss {
    let status = response.status();
    let headers = response.headers();
    let request_id = answer::request_id(headers);
    let retry_after = answer::retry_after(headers, Timestamp::now());
    let should_retry = answer::should_retry(headers);
    let body = beginning(response, client.patience.idle).await;
    let complaint = Complaint::read(&body);
    let kind = answer::kind_of(status.as_u16(), &complaint);
    let param = complaint.param.filter(|param| !param.is_empty());
    let param = param.or_else(|| call.quoted_field(complaint.message.as_deref()?));
    let clean = |text: Option<String>| text.map(|text| client.redactor.redact(&text));
    let message = match (kind, status.as_u16()) {
        (ErrorKind::WrongKey, _) => "the service does not accept the key".to_owned(),
        (_, 407) => "the proxy wants a name and a password".to_owned(),
        (_, 300..400) => "it would send the request elsewhere, and that is not followed".to_owned(),
        _ if call.is_private => "the service refused it".to_owned(),
        _ => clean(complaint.message).unwrap_or_else(|| "no reason given".to_owned()),
    };
    let failed = FailedCall {
        status: Some(status.as_u16()),
        code: clean(complaint.code),
        param: clean(param),
        request_id: clean(request_id),
        retry_after,
        ..call.failed(kind, message)
    };
    Miss { should_retry, ..Miss::new(failed, Stage::Told) }
}

/// The body of a success as JSON.
pub(super) async fn json<T: DeserializeOwned>(client: &Inner, call: &Call<'_>, response: Response) -> Result<T, Miss> {
    let request_id = answer::request_id(response.headers());
    let status = response.status().as_u16();
    let body = bytes(client, call, response).await?;
    serde_json::from_slice(&body).map_err(|error| {
        // The parser's own words repeat values.
        let why = match error.classify() {
            Category::Eof => "the answer is cut short",
            Category::Io | Category::Syntax => "the answer is no JSON",
            Category::Data => "the answer lacks what the API promises",
        };
        let failed = call.failed(ErrorKind::Broken, format!("{why} (byte {} of {})", error.column(), body.len()));
        Miss::new(FailedCall { status: Some(status), request_id, ..failed }, Stage::Unknown)
    })
}

/// The body of a success.
pub(super) async fn bytes(client: &Inner, call: &Call<'_>, mut response: Response) -> Result<Bytes, Miss> {
    let request_id = answer::request_id(response.headers());
    let status = response.status().as_u16();
    let miss = |failed: FailedCall| {
        let request_id = request_id.clone();
        Miss::new(FailedCall { status: Some(status), request_id, ..failed }, Stage::Unknown)
    };
    let mut body = BytesMut::new();
    loop {
        match timeout(client.patience.idle, response.chunk()).await {
            Ok(Ok(Some(chunk))) if body.len() + chunk.len() <= call.max_bytes => body.extend_from_slice(&chunk),
            Ok(Ok(Some(_))) => {
                // It would be as long the next time.
                let why = format!("the answer is longer than {} bytes", call.max_bytes);
                let too_long = miss(call.failed(ErrorKind::Broken, why));
                return Err(Miss { should_retry: Some(false), ..too_long });
            }
            Ok(Ok(None)) => return Ok(body.freeze()),
            Ok(Err(error)) => return Err(miss(broken_off(client, call, &error))),
            Err(_) => return Err(miss(call.failed(ErrorKind::TimedOut, "the answer stopped half-way"))),
        }
    }
}

/// The beginning of a refusal's body, as far as it comes.
async fn beginning(mut response: Response, idle: Duration) -> BytesMut {
    let mut body = BytesMut::new();
    while let Ok(Ok(Some(chunk))) = timeout(idle, response.chunk()).await {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_REFUSAL_BYTES {
            break;
        }
    }
    body
}
