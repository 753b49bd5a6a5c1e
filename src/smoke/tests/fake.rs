//! A small server of the protocol that can be broken in one place at a time.
//!
//! Whole, it keeps the protocol as far as it has it: it shows tool calls and hidden context, and has no forms, widgets,
//! attachments and transcription.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;

use super::fake_answer::Telling;
use super::fake_pages::{page, parse};

/// Where the fake is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Broken {
    Nowhere,
    /// Times have no zone.
    Zoneless,
    /// A thread without a title has a title of null.
    NullTitle,
    /// `done` is told twice.
    DoneTwice,
    /// The last delta of an answer is not sent.
    LostDelta,
    /// Annotations are counted from 1.
    CountsFromOne,
    /// There is no `stream_options`.
    NoOptions,
    /// Lines end with CRLF.
    Crlf,
    /// An unknown type is a 500.
    UnknownType500,
    /// JSON is read whatever it says it is.
    AnyContentType,
    /// Anybody gets any thread.
    OpenGet,
    /// Deleting does nothing.
    DeletesNothing,
    /// A retry removes nothing.
    RetryKeeps,
    /// An unknown cursor starts from the beginning.
    CursorRestarts,
    /// The last page has a cursor, too.
    AfterAtEnd,
    /// A hang-up loses the answer.
    HangUpLoses,
    /// Hidden items are listed.
    ShowsHidden,
    /// Every answer sets the title.
    Retitles,
    /// Errors show a stack.
    Leaks,
    /// Errors are plain text.
    PlainErrors,
    /// Two answers at once run on one thread.
    TwoAnswers,
    /// An answer brings its deleted thread back.
    Revives,
    /// A source of an annotation lacks its file's name.
    NoFilename,
    /// A 405 does not say what is allowed.
    NoAllow,
    /// A second output of a tool is taken.
    ToolTwice,
    /// The body is never ended.
    Cut,
    /// A message is stored when it is answered.
    StoresLate,
}

pub(super) struct Thread {
    pub(super) id: String,
    pub(super) owner: String,
    pub(super) created_at: String,
    pub(super) title: Option<String>,
    pub(super) title_is_users: bool,
    pub(super) items: Vec<Value>,
    pub(super) is_busy: bool,
}

#[derive(Default)]
pub(super) struct Data {
    pub(super) threads: Vec<Thread>,
    next: u128,
}

pub(super) struct Fake {
    pub(super) broken: Broken,
    pub(super) data: Mutex<Data>,
}

type Refusal = (StatusCode, &'static str);

/// Starts it and returns its address.
pub(super) async fn start(broken: Broken) -> String {
    let fake = Arc::new(Fake { broken, data: Mutex::default() });
    let router = Router::new().route("/knowledge/chatkit", any(handle)).with_state(fake);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

async fn handle(State(fake): State<Arc<Fake>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    // Read to its end, so that a client gets to see a refusal.
    let body = to_bytes(body, 64 * 1024 * 1024).await.unwrap_or_default();
    let (owner, cookie) = owner(&fake, &head.headers);
    let mut response = match admit(&fake, &head.method, &head.headers, &body) {
        Ok((kind, params)) => answer(&fake, &owner, &kind, &params).unwrap_or_else(|refusal| refuse(&fake, refusal)),
        Err(refusal) => refuse(&fake, refusal),
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, "no-store".parse().unwrap());
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, "nosniff".parse().unwrap());
    if let Some(cookie) = cookie {
        headers.insert(header::SET_COOKIE, format!("v={cookie}; HttpOnly").parse().unwrap());
    }
    response
}

fn owner(fake: &Fake, headers: &HeaderMap) -> (String, Option<String>) {
    let known = headers.get(header::COOKIE).and_then(|value| value.to_str().ok()?.strip_prefix("v="));
    if let Some(owner) = known {
        return (owner.to_owned(), None);
    }
    let owner = fake.new_id("vis");
    (owner.clone(), Some(owner))
}

fn admit(
    fake: &Fake,
    method: &Method,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<(String, Map<String, Value>), Refusal> {
    if method != Method::POST {
        return Err((StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"));
    }
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_json = content_type.starts_with("application/json") || fake.broken == Broken::AnyContentType;
    if !is_json || headers.contains_key(header::CONTENT_ENCODING) {
        return Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type"));
    }
    if body.len() > 1024 * 1024 {
        return Err((StatusCode::PAYLOAD_TOO_LARGE, "too_large"));
    }
    parse(body, fake.broken)
}

fn refuse(fake: &Fake, (status, code): Refusal) -> Response {
    let message = if fake.broken == Broken::Leaks { "Traceback (most recent call last)" } else { "No." };
    let body = json!({ "error": { "code": code, "message": message } }).to_string();
    let kind = if fake.broken == Broken::PlainErrors { "text/plain" } else { "application/json" };
    let body = if fake.broken == Broken::PlainErrors { "no".to_owned() } else { body };
    let mut response = (status, [(header::CONTENT_TYPE, kind)], body).into_response();
    if status == StatusCode::METHOD_NOT_ALLOWED && fake.broken != Broken::NoAllow {
        response.headers_mut().insert(header::ALLOW, "POST".parse().unwrap());
    }
    response
}

const NOT_FOUND: Refusal = (StatusCode::NOT_FOUND, "not_found");
const CONFLICT: Refusal = (StatusCode::CONFLICT, "conflict");

fn ok(value: &Value) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}

fn answer(fake: &Arc<Fake>, owner: &str, kind: &str, params: &Map<String, Value>) -> Result<Response, Refusal> {
    let text = |key: &str| params.get(key).and_then(Value::as_str).unwrap_or_default();
    let mut data = fake.data.lock().unwrap();
    if kind == "threads.create" {
        drop(data);
        return fake.create(owner, &params["input"]);
    }
    if kind == "threads.list" {
        let threads: Vec<&Thread> = data.threads.iter().filter(|thread| thread.owner == owner).collect();
        let rows: Vec<Value> =
            threads.iter().map(|thread| fake.thread(thread, &json!({ "data": [], "has_more": false }))).collect();
        return page(rows, params, "desc", fake.broken).map(|page| ok(&page));
    }
    let is_open = fake.broken == Broken::OpenGet && kind == "threads.get_by_id";
    let at =
        data.threads.iter().position(|thread| thread.id == text("thread_id") && (is_open || thread.owner == owner));
    if kind == "threads.delete" {
        if let Some(at) = at.filter(|_| fake.broken != Broken::DeletesNothing) {
            data.threads.remove(at);
        }
        return Ok(ok(&json!({})));
    }
    let thread = &mut data.threads[at.ok_or(NOT_FOUND)?];
    let visible = |thread: &Thread| -> Vec<Value> {
        let shows = |item: &&Value| fake.broken == Broken::ShowsHidden || item["type"] != "hidden_context_item";
        thread.items.iter().filter(shows).cloned().collect()
    };
    match kind {
        "threads.get_by_id" => {
            let items = page(visible(thread), &Map::new(), "asc", fake.broken)?;
            Ok(ok(&fake.thread(thread, &items)))
        }
        "items.list" => page(visible(thread), params, "desc", fake.broken).map(|page| ok(&page)),
        "threads.update" => {
            thread.title = Some(text("title").to_owned());
            thread.title_is_users = true;
            Ok(ok(&fake.thread(thread, &json!({ "data": [], "has_more": false }))))
        }
        "items.feedback" => Ok(ok(&json!({}))),
        _ => {
            let id = thread.id.clone();
            drop(data);
            fake.stream_in(&id, kind, params)
        }
    }
}

impl Fake {
    fn new_id(&self, prefix: &str) -> String {
        let mut data = self.data.lock().unwrap();
        data.next += 1;
        format!("{prefix}_{:032x}", data.next.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835))
    }

    pub(super) fn now(&self) -> String {
        let now = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S.%6f").to_string();
        if self.broken == Broken::Zoneless { now } else { format!("{now}Z") }
    }

    pub(super) fn thread(&self, thread: &Thread, items: &Value) -> Value {
        let mut value = json!({
            "id": thread.id, "created_at": thread.created_at, "status": { "type": "active" }, "metadata": {}, "items": items
        });
        if thread.title.is_some() || self.broken == Broken::NullTitle {
            value["title"] = json!(thread.title);
        }
        value
    }

    pub(super) fn with<T>(&self, id: &str, act: impl FnOnce(&mut Thread) -> T) -> Option<T> {
        self.data.lock().unwrap().threads.iter_mut().find(|thread| thread.id == id).map(act)
    }

    pub(super) fn item(&self, thread: &str, prefix: &str, kind: &str, fields: &Value) -> Value {
        let mut item =
            json!({ "id": self.new_id(prefix), "thread_id": thread, "created_at": self.now(), "type": kind });
        item.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        item
    }

    fn user_item(&self, thread: &str, input: &Value) -> Value {
        let mut fields = input.clone();
        if fields["quoted_text"].is_null() {
            fields.as_object_mut().unwrap().remove("quoted_text");
        }
        self.item(thread, "msg", "user_message", &fields)
    }

    fn create(self: &Arc<Self>, owner: &str, input: &Value) -> Result<Response, Refusal> {
        if input["attachments"] != json!([]) {
            return Err((StatusCode::BAD_REQUEST, "unknown_attachment"));
        }
        let id = self.new_id("thr");
        let thread = Thread {
            id: id.clone(),
            owner: owner.to_owned(),
            created_at: self.now(),
            title: None,
            title_is_users: false,
            items: Vec::new(),
            is_busy: true,
        };
        let created = json!({ "type": "thread.created", "thread": self.thread(&thread, &json!({ "data": [], "has_more": false })) });
        self.data.lock().unwrap().threads.push(thread);
        let message = self.user_item(&id, input);
        Ok(self.stream(&id, owner, vec![created], Some(message)))
    }

    fn stream_in(self: &Arc<Self>, id: &str, kind: &str, params: &Map<String, Value>) -> Result<Response, Refusal> {
        let item = |thread: &Thread| {
            let at =
                thread.items.iter().position(|item| item["id"] == params.get("item_id").cloned().unwrap_or_default());
            at.ok_or(NOT_FOUND)
        };
        let message = match kind {
            "threads.add_user_message" => Some(self.user_item(id, &params["input"])),
            "threads.retry_after_item" => {
                self.with(id, |thread| {
                    let at = item(thread)?;
                    if thread.items[at]["type"] != "user_message" {
                        return Err((StatusCode::BAD_REQUEST, "invalid_request"));
                    }
                    if self.broken != Broken::RetryKeeps {
                        thread.items.truncate(at + 1);
                    }
                    Ok(())
                })
                .ok_or(NOT_FOUND)??;
                None
            }
            "threads.add_client_tool_output" => {
                self.with(id, |thread| {
                    let takes = |item: &&mut Value| item["status"] == "pending" || self.broken == Broken::ToolTwice;
                    let mut calls = thread.items.iter_mut().filter(|item| item["type"] == "client_tool_call");
                    let call = calls.next_back().filter(takes).ok_or(CONFLICT)?;
                    call["status"] = json!("completed");
                    if !params["result"].is_null() {
                        call["output"] = params["result"].clone();
                    }
                    Ok(())
                })
                .ok_or(NOT_FOUND)??;
                None
            }
            _ => return Err((StatusCode::NOT_IMPLEMENTED, "not_supported")),
        };
        let is_free = |thread: &mut Thread| !std::mem::replace(&mut thread.is_busy, true);
        if !self.with(id, is_free).ok_or(NOT_FOUND)? && self.broken != Broken::TwoAnswers {
            return Err(CONFLICT);
        }
        let owner = self.with(id, |thread| thread.owner.clone()).unwrap_or_default();
        Ok(self.stream(id, &owner, Vec::new(), message))
    }

    /// The answer is made by a task of its own, which a hang-up does not cancel.
    fn stream(self: &Arc<Self>, id: &str, owner: &str, mut events: Vec<Value>, message: Option<Value>) -> Response {
        let word =
            message.as_ref().and_then(|message| message["content"][0]["text"].as_str()).unwrap_or_default().to_owned();
        if let Some(message) = message {
            if self.broken != Broken::StoresLate {
                self.with(id, |thread| thread.items.push(message.clone()));
            }
            events.push(json!({ "type": "thread.item.done", "item": message }));
        }
        if self.broken != Broken::NoOptions {
            events.push(json!({ "type": "stream_options", "stream_options": { "allow_cancel": true } }));
        }
        let (sender, receiver) = mpsc::unbounded_channel();
        let late =
            events.iter().filter(|event| event["type"] == "thread.item.done").map(|event| event["item"].clone()).next();
        let talk = Telling { fake: Arc::clone(self), id: id.to_owned(), owner: owner.to_owned(), sender };
        for event in &events {
            talk.tell(event);
        }
        tokio::spawn(async move {
            talk.answer(&word).await;
            if let Some(late) = late.filter(|_| talk.fake.broken == Broken::StoresLate) {
                talk.fake.with(&talk.id, |thread| thread.items.insert(thread.items.len().saturating_sub(1), late));
            }
            talk.fake.with(&talk.id, |thread| thread.is_busy = false);
            if talk.fake.broken == Broken::Cut {
                let _ = talk.sender.send(Err(std::io::Error::other("cut")));
            }
        });
        let body = Body::from_stream(UnboundedReceiverStream::new(receiver));
        ([(header::CONTENT_TYPE, "text/event-stream; charset=utf-8")], body).into_response()
    }
}
