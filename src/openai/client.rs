//! Sends requests and reads answers.

use std::time::Duration;

use reqwest::header::{ACCEPT, HeaderMap};
use reqwest::multipart::{Form, Part};
use reqwest::{Method, RequestBuilder, Response, redirect};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::config::settings::OpenAiSettings;
use crate::openai::file::{Body, File, Upload};
use crate::openai::{ErrorKind, FailedCall, OpenAiError};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const CALL_TIMEOUT: Duration = Duration::from_mins(1);

/// A client of the service. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    settings: OpenAiSettings,
}

/// What a deletion answers.
#[derive(Debug, serde::Deserialize)]
pub(super) struct Deleted {}

impl Client {
    /// A client of the account that the settings name.
    pub fn new(settings: OpenAiSettings) -> Result<Self, OpenAiError> {
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .no_proxy()
            .redirect(redirect::Policy::none())
            .build()
            .map_err(|error| failed("make a client", &error))?;
        Ok(Self { http, settings })
    }

    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str, query: &[(&str, &str)]) -> Result<T, OpenAiError> {
        self.send(Method::GET, path, |request| request.query(query)).await
    }

    pub(super) async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, OpenAiError> {
        self.send(Method::POST, path, |request| request.json(body)).await
    }

    pub(super) async fn delete<T: DeserializeOwned>(&self, path: &str) -> Result<T, OpenAiError> {
        self.send(Method::DELETE, path, |request| request).await
    }

    pub(super) async fn post_file(&self, upload: &Upload) -> Result<File, OpenAiError> {
        let part = match &upload.body {
            Body::Bytes(bytes) => Part::stream_with_length(bytes.clone(), bytes.len() as u64),
            Body::Path { path, bytes } => {
                let file = tokio::fs::File::open(path).await.map_err(|error| {
                    let why = format!("`{}` cannot be read: {error}", path.display());
                    FailedCall::new("POST /files", ErrorKind::Refused, why)
                })?;
                Part::stream_with_length(reqwest::Body::from(file), *bytes)
            }
        };
        let part = part.file_name(upload.filename.clone());
        let form = Form::new().text("purpose", "assistants").part("file", part);
        self.send(Method::POST, "/files", |request| request.multipart(form)).await
    }

    /// Posts and gives the answer once its head says that it is one. Who calls reads the body, and bounds its bytes and
    /// its time.
    pub(super) async fn open(&self, path: &str, body: &impl Serialize) -> Result<Response, OpenAiError> {
        let call = format!("{} {path}", Method::POST);
        let request = self.request(Method::POST, path).json(body).header(ACCEPT, "text/event-stream, application/json");
        let response = request.send().await.map_err(|error| failed(&call, &error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        read(&call, response)
            .await
            .and_then(|Deleted {}| Err(FailedCall::new(&call, ErrorKind::Broken, "no answer").into()))
    }

    async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        fill: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Result<T, OpenAiError> {
        let call = format!("{method} {path}");
        let request = self.request(method, path).timeout(CALL_TIMEOUT);
        let response = fill(request).send().await.map_err(|error| failed(&call, &error))?;
        read(&call, response).await
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.settings.base_url));
        match &self.settings.api_key {
            Some(key) => request.bearer_auth(key.expose()),
            None => request,
        }
    }
}

async fn read<T: DeserializeOwned>(call: &str, response: Response) -> Result<T, OpenAiError> {
    let status = response.status();
    let request_id = request_id(response.headers());
    let body = response.bytes().await.map_err(|error| failed(call, &error))?;
    if status.is_success() {
        return serde_json::from_slice(&body).map_err(|error| {
            let why = format!("the answer cannot be read: {error}");
            let failed = FailedCall::new(call, ErrorKind::Broken, why);
            FailedCall { status: Some(status.as_u16()), request_id, ..failed }.into()
        });
    }
    let error = serde_json::from_slice::<Value>(&body).unwrap_or_default();
    let text = |name: &str| error["error"][name].as_str().map(str::to_owned);
    let code = text("code");
    let kind = match (status.as_u16(), code.as_deref()) {
        (401, _) => ErrorKind::WrongKey,
        (403, _) => ErrorKind::Forbidden,
        (404, _) => ErrorKind::NotFound,
        (409, _) => ErrorKind::Conflict,
        (429, Some("insufficient_quota")) => ErrorKind::NoQuota,
        (429, _) => ErrorKind::RateLimited,
        (400..500, _) => ErrorKind::Refused,
        _ => ErrorKind::Server,
    };
    let message = text("message").unwrap_or_else(|| "no reason given".to_owned());
    let failed = FailedCall::new(call, kind, message);
    Err(FailedCall { status: Some(status.as_u16()), param: text("param"), code, request_id, ..failed }.into())
}

fn request_id(headers: &HeaderMap) -> Option<String> {
    headers.get("x-request-id")?.to_str().ok().map(str::to_owned)
}

fn failed(call: &str, error: &reqwest::Error) -> OpenAiError {
    let kind = if error.is_timeout() { ErrorKind::TimedOut } else { ErrorKind::Connection };
    FailedCall::new(call, kind, error.to_string()).into()
}
