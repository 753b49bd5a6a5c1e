//! A visitor: sends requests to the target, keeps the cookies that it sets, and records what comes back.
//!
//! Every request has a connection of its own, so that a server that closes one badly fails in the case about that and in
//! no other. Redirects are not followed and no proxy of the surroundings is used (C5). A 429 is waited for, a few times.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HeaderValue, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, RequestBuilder, Response, Url};
use serde_json::{Value, json};

use crate::secret::Secret;
use crate::smoke::SmokeError;
use crate::smoke::call::{Live, Reply};
use crate::smoke::case::Stop;
use crate::smoke::jar::Jar;
use crate::smoke::record::Record;
use crate::smoke::target::{Header, Target};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How often a request that met a rate limit is sent again.
const MAX_WAITS: u32 = 5;
/// The longest that is waited for a rate limit.
const MAX_WAIT: Duration = Duration::from_secs(10);

/// How to reach the target.
#[derive(Debug, Clone)]
pub struct ClientSettings {
    /// It.
    pub target: Target,
    /// Headers of every request.
    pub headers: Vec<Header>,
    /// What the first visitor sends as `Authorization: Bearer`.
    pub token: Option<Secret>,
    /// What the second one sends.
    pub token_other: Option<Secret>,
    /// The longest silence.
    pub timeout: Duration,
}

/// One visitor.
pub(super) struct Visitor {
    /// 0 or 1: whose things are whose.
    pub(super) number: usize,
    /// The target.
    pub(super) target: Target,
    http: Client,
    /// Keeps connections, for the case about kept ones.
    pub(super) keeping: Client,
    headers: Vec<Header>,
    token: Option<HeaderValue>,
    /// The cookies it was given.
    pub(super) jar: Jar,
    record: Arc<Record>,
}

impl Visitor {
    /// A visitor without cookies.
    pub(super) fn new(number: usize, settings: &ClientSettings, record: Arc<Record>) -> Result<Self, SmokeError> {
        let http = |kept: usize| {
            let builder = Client::builder().connect_timeout(CONNECT_TIMEOUT).read_timeout(settings.timeout);
            let builder = builder.redirect(Policy::none()).no_proxy().pool_max_idle_per_host(kept);
            builder.build().map_err(SmokeError::Client)
        };
        let (http, keeping) = (http(0)?, http(1)?);
        let token = if number == 0 { &settings.token } else { &settings.token_other };
        let token = token.as_ref().map(bearer).transpose()?;
        let (target, headers) = (settings.target.clone(), settings.headers.clone());
        Ok(Self { number, target, http, keeping, headers, token, jar: Jar::default(), record })
    }

    /// One request of the protocol, and its whole answer.
    pub(super) async fn call(&self, kind: &str, params: Value) -> Result<Reply, Stop> {
        self.post(kind, &json!({ "type": kind, "params": params })).await
    }

    /// Any JSON as a request; `what` names it in reasons.
    pub(super) async fn post(&self, what: &str, body: &Value) -> Result<Reply, Stop> {
        self.send(what, "application/json", body.to_string().into_bytes()).await
    }

    /// Any bytes as a request.
    pub(super) async fn send(&self, what: &str, content_type: &str, body: Vec<u8>) -> Result<Reply, Stop> {
        let build = |http: &Client, url: Url| http.post(url).header(CONTENT_TYPE, content_type).body(body.clone());
        self.exchange(what, self.target.url.clone(), build).await
    }

    /// Any method, without a body.
    pub(super) async fn method(&self, method: Method) -> Result<Reply, Stop> {
        let what = method.as_str().to_owned();
        self.exchange(&what, self.target.url.clone(), |http, url| http.request(method.clone(), url)).await
    }

    /// Any request to the target's origin, and its whole answer.
    pub(super) async fn exchange(
        &self,
        what: &str,
        url: Url,
        build: impl Fn(&Client, Url) -> RequestBuilder,
    ) -> Result<Reply, Stop> {
        let response = self.dispatch(what, url, build).await?;
        let reply = Reply::read(what, response).await;
        let seen = reply.seen();
        for value in seen.told.events.iter().filter(|_| reply.status == 200) {
            self.record.note(self.number, what, value);
        }
        self.record.keep(seen);
        Ok(reply)
    }

    /// One request of the protocol whose stream is read as it comes. Anything but a stream is an error.
    pub(super) async fn open(&self, kind: &str, params: Value) -> Result<Live, Stop> {
        let body = json!({ "type": kind, "params": params }).to_string();
        let build =
            |http: &Client, url: Url| http.post(url).header(CONTENT_TYPE, "application/json").body(body.clone());
        let response = self.dispatch(kind, self.target.url.clone(), build).await?;
        let (record, number, owned) = (Arc::clone(&self.record), self.number, kind.to_owned());
        let live = Live::new(kind, response, Box::new(move |event| record.note(number, &owned, event)));
        match live.status {
            200 => Ok(live),
            status => Err(Stop::Unknown(format!("it needs a stream, and `{kind}` gave {status}"))),
        }
    }

    async fn dispatch(
        &self,
        what: &str,
        url: Url,
        build: impl Fn(&Client, Url) -> RequestBuilder,
    ) -> Result<Response, Stop> {
        let mut waits = 0;
        loop {
            let mut request = build(&self.http, url.clone());
            for (name, value) in &self.headers {
                request = request.header(name, value);
            }
            if let Some(token) = &self.token {
                request = request.header(AUTHORIZATION, token);
            }
            if let Some(cookies) = self.jar.header() {
                request = request.header(COOKIE, cookies);
            }
            let response = request.send().await.map_err(|error| silent(what, &error))?;
            self.jar.take(response.headers());
            let wait = retry_after(&response).filter(|_| waits < MAX_WAITS);
            match wait {
                Some(wait) => tokio::time::sleep(wait).await,
                None => return Ok(response),
            }
            waits += 1;
        }
    }
}

/// How long a rate limit asks to wait; nothing for any other answer.
fn retry_after(response: &Response) -> Option<Duration> {
    if response.status().as_u16() != 429 {
        return None;
    }
    let seconds = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    Some(Duration::from_secs(seconds.unwrap_or(1)).min(MAX_WAIT))
}

fn bearer(token: &Secret) -> Result<HeaderValue, SmokeError> {
    let value = HeaderValue::from_str(&format!("Bearer {}", token.expose()));
    let mut value = value.map_err(|_| SmokeError::Header("cannot hold the token of PROBE_TOKEN".to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}

/// A request without an answer. An address that cannot be reached says nothing about the server's conduct.
fn silent(what: &str, error: &reqwest::Error) -> Stop {
    if error.is_connect() {
        Stop::Unknown("the server cannot be reached".to_owned())
    } else if error.is_timeout() {
        Stop::Fail(format!("`{what}` got no answer in time"))
    } else {
        Stop::Fail(format!("`{what}` got no answer: the connection was closed"))
    }
}
