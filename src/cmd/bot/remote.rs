//! A bot by its URL, over the ChatKit protocol.

use std::time::Duration;

use eventsource_stream::Eventsource;
use futures_util::StreamExt;
use reqwest::header::{COOKIE, SET_COOKIE};
use reqwest::{Client, RequestBuilder, Response, Url};
use serde_json::{Value, json};

use crate::cmd::bot::{Reply, Shown, Source};
use crate::error::Failure;
use crate::exit::Exit;
use crate::model::{LineRange, Locator};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest silence within an answer.
const READ_TIMEOUT: Duration = Duration::from_mins(1);
/// Longer error bodies are not read.
const MAX_ERROR_CHARS: usize = 300;

/// A server, the thread that goes on there, and the cookie that it gave us.
pub struct RemoteBot {
    base: Url,
    client: Client,
    thread_id: Option<String>,
    cookie: Option<String>,
}

impl RemoteBot {
    pub(super) fn open(url: &str) -> Result<Self, Failure> {
        let base = Url::parse(url).map_err(|error| bad_url(&error.to_string()))?;
        if !matches!(base.scheme(), "http" | "https") || base.host().is_none() {
            return Err(bad_url("it needs the form http://HOST:PORT or https://HOST"));
        }
        let client = Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            .build()
            .map_err(|error| unreachable(&base, &error))?;
        Ok(Self { base, client, thread_id: None, cookie: None })
    }

    pub(super) async fn ask(&mut self, question: &str, shown: &mut Shown<'_>) -> Result<Reply, Failure> {
        let request = self.client.post(self.address("/knowledge/chatkit")).json(&self.message(question));
        let response = self.send(request).await?;
        let mut events = response.bytes_stream().eventsource();
        let mut finished: Option<Value> = None;
        while let Some(event) = events.next().await {
            let event = event.map_err(|error| broken(&self.base, &error.to_string()))?;
            let event: Value =
                serde_json::from_str(&event.data).map_err(|error| broken(&self.base, &error.to_string()))?;
            match event["type"].as_str() {
                Some("thread.created") => self.thread_id = event["thread"]["id"].as_str().map(str::to_owned),
                Some("thread.item.updated") => {
                    shown.delta(event["update"]["delta"].as_str().unwrap_or_default())?;
                }
                Some("thread.item.done") if event["item"]["type"] == "assistant_message" => {
                    finished = Some(event["item"].clone());
                }
                Some("error") => return Err(refused_by(&self.base, event["message"].as_str())),
                _ => {}
            }
        }
        let Some(item) = finished else { return Err(broken(&self.base, "the answer ended before it was whole")) };
        let answer: String =
            item["content"].as_array().into_iter().flatten().filter_map(|part| part["text"].as_str()).collect();
        let citations = self.citations(item["id"].as_str().unwrap_or_default()).await?;
        // Where a source stands is known only now; its marks come after the whole text.
        for source in &citations {
            shown.cite(source)?;
        }
        Ok(Reply { question: question.to_owned(), answer, refused: None, citations, thread_id: self.thread_id.clone() })
    }

    fn message(&self, question: &str) -> Value {
        let input = json!({
            "content": [{ "type": "input_text", "text": question }],
            "attachments": [],
            "inference_options": {},
        });
        match &self.thread_id {
            Some(id) => json!({ "type": "threads.add_user_message", "params": { "thread_id": id, "input": input } }),
            None => json!({ "type": "threads.create", "params": { "input": input } }),
        }
    }

    async fn citations(&mut self, item_id: &str) -> Result<Vec<Source>, Failure> {
        let Some(thread_id) = self.thread_id.clone() else { return Ok(Vec::new()) };
        let mut address = self.address(&format!("/knowledge/threads/{thread_id}/citations"));
        address.query_pairs_mut().append_pair("item", item_id);
        let response = self.send(self.client.get(address)).await?;
        let body: Value = response.json().await.map_err(|error| broken(&self.base, &error.to_string()))?;
        Ok(body["citations"].as_array().into_iter().flatten().map(source).collect())
    }

    fn address(&self, path: &str) -> Url {
        let mut address = self.base.clone();
        address.set_path(&format!("{}{path}", self.base.path().trim_end_matches('/')));
        address.set_query(None);
        address
    }

    async fn send(&mut self, request: RequestBuilder) -> Result<Response, Failure> {
        let request = match &self.cookie {
            Some(cookie) => request.header(COOKIE, cookie),
            None => request,
        };
        let response = request.send().await.map_err(|error| unreachable(&self.base, &error))?;
        let given = response.headers().get(SET_COOKIE).and_then(|cookie| cookie.to_str().ok());
        if let Some(pair) = given.and_then(|cookie| cookie.split(';').next()) {
            self.cookie = Some(pair.to_owned());
        }
        if response.status().is_success() { Ok(response) } else { Err(status_failure(&self.base, response).await) }
    }
}

fn source(citation: &Value) -> Source {
    let text = |key: &str| citation[key].as_str().unwrap_or_default().to_owned();
    Source {
        document_id: text("document_id"),
        path: text("filename"),
        title: text("title"),
        locator: Locator {
            page: number(&citation["page"]),
            slide: number(&citation["slide"]),
            sheet: citation["sheet"].as_str().map(str::to_owned),
            rows: number(&citation["rows"][0])
                .zip(number(&citation["rows"][1]))
                .map(|(first, last)| LineRange(first, last)),
            heading: citation["heading"].as_str().map(str::to_owned),
            ..Locator::default()
        },
        quote: text("quote"),
        // Said only where it is not so.
        located: citation["located"].as_bool().unwrap_or(true),
        index: citation["annotation_index"].as_u64().and_then(|index| usize::try_from(index).ok()),
    }
}

fn number(value: &Value) -> Option<u32> {
    value.as_u64().and_then(|number| u32::try_from(number).ok())
}

fn what(base: &Url) -> String {
    format!("ask the bot at `{}`", base.origin().ascii_serialization())
}

/// The URL itself is not repeated: it may hold a password.
fn bad_url(why: &str) -> Failure {
    Failure::new("ask/bad-url", Exit::Usage, "read the URL of the bot", why)
        .fix("chatbotctl ask \"…\" --url http://127.0.0.1:8002")
}

fn unreachable(base: &Url, error: &reqwest::Error) -> Failure {
    let why = if error.is_timeout() { "it did not answer in time" } else { "it cannot be reached" };
    Failure::new("ask/unreachable", Exit::Temporary, what(base), why)
        .fix("start it with `chatbotctl serve`, or correct --url")
        .cause(anyhow::anyhow!("{error}"))
}

fn broken(base: &Url, why: &str) -> Failure {
    Failure::new("ask/broken-answer", Exit::Temporary, what(base), why).fix("ask again")
}

fn refused_by(base: &Url, message: Option<&str>) -> Failure {
    let why = message.unwrap_or("it reported an error while answering");
    Failure::new("ask/error-event", Exit::Temporary, what(base), why).fix("ask again; the server's log says more")
}

async fn status_failure(base: &Url, response: Response) -> Failure {
    let status = response.status();
    let body: Value = response.json().await.unwrap_or(Value::Null);
    let message: String = body["error"]["message"].as_str().unwrap_or_default().chars().take(MAX_ERROR_CHARS).collect();
    let exit = match status.as_u16() {
        401 | 403 => Exit::Denied,
        408 | 429 | 500.. => Exit::Temporary,
        _ => Exit::NotGood,
    };
    Failure::new("ask/status", exit, what(base), format!("it answered {status} {message}").trim().to_owned())
}
