//! The way of one request: read, logged, struck by faults, checked, done, answered.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use hyper::Request;
use hyper::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use hyper::http::request::Parts;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::api::{Asked, Checked, Found, Query, Refusal, Reply, Takes, find};
use crate::fault::Act;
use crate::log::Call;
use crate::server::body::{self, Bounds};
use crate::server::{ADMIN_KEY, KEY, Shared, answer, control};

/// Headers that carry a key.
const SECRET: &[&str] = &["authorization", "api-key"];

/// Answers one request.
pub(crate) async fn answer(shared: &Shared, cut: &CancellationToken, request: Request<Body>) -> Response {
    if request.uri().path().starts_with("/__control") {
        return control::answer(shared, request).await;
    }
    let (head, sent) = request.into_parts();
    let path = below_v1(head.uri.path());
    let found = path.map_or(Found::Nothing, |path| find(head.method.as_str(), path));
    let template = match &found {
        Found::Route(route, _) => route.template,
        _ => path.unwrap_or_else(|| head.uri.path()),
    };
    let acts = shared.world().armed.strike(head.method.as_str(), template);
    let number = open(shared, &head, template, &acts);
    if acts.contains(&Act::ResetBefore) {
        return cut_off(cut).await;
    }
    if acts.contains(&Act::ResetMidBody) {
        body::read_half(&head.headers, sent).await;
        return cut_off(cut).await;
    }
    let takes = if let Found::Route(route, _) = &found { route.takes } else { Takes::Nothing };
    let bounds = Bounds::of(&shared.world().rules, takes);
    let read = body::read(&head, sent, takes, &bounds).await;
    if let Some(call) = shared.log().get_mut(number) {
        call.body.clone_from(&read.summary);
    }
    let latency = shared.world().rules.latency;
    pause(latency).await;
    if let Some(Act::Stall(time)) = acts.iter().find(|act| matches!(act, Act::Stall(_))) {
        pause(*time).await;
        return cut_off(cut).await;
    }
    let answered = if let Some(response) = answer::instead(&acts) {
        response
    } else {
        let result = run(shared, &head, &found, read, &acts);
        if acts.contains(&Act::LostAnswer) {
            return cut_off(cut).await;
        }
        answer::render(shared, result, &acts, cut)
    };
    close(shared, number, answered)
}

/// Pauses, if there is anything to wait for.
pub(crate) async fn pause(time: Duration) {
    if !time.is_zero() {
        tokio::time::sleep(time).await;
    }
}

/// Cuts the connection off; whoever awaits this is dropped with it.
async fn cut_off(cut: &CancellationToken) -> Response {
    cut.cancel();
    std::future::pending().await
}

/// The path below `/v1`, with the prefix that Azure puts before it.
fn below_v1(path: &str) -> Option<&str> {
    let path = path.strip_prefix("/openai").unwrap_or(path);
    path.strip_prefix("/v1").filter(|rest| rest.starts_with('/'))
}

fn run(shared: &Shared, head: &Parts, found: &Found, read: body::Read, acts: &[Act]) -> Checked<Reply> {
    let (route, params) = match found {
        Found::Route(route, params) => (route, params),
        Found::OtherMethod => return Err(Refusal::wrong_method(head.method.as_str())),
        Found::Nothing => return Err(Refusal::no_route(head.method.as_str(), head.uri.path())),
    };
    check_key(&head.headers, route.is_for_admins())?;
    let body = read.json?;
    let mut asked = Asked {
        params: params.clone(),
        query: Query::read(head.uri.query().unwrap_or_default()),
        body,
        form: read.form,
        pages_shift: acts.contains(&Act::ShiftingPages),
    };
    if route.method != "GET" {
        asked.query.only(&[])?;
    }
    let reply = (route.run)(&mut shared.world(), &mut asked);
    if route.method != "GET" {
        shared.changed();
    }
    reply
}

fn check_key(headers: &HeaderMap, admin: bool) -> Checked<()> {
    let bearer = headers.get(AUTHORIZATION).map(HeaderValue::as_bytes);
    let bearer = bearer.map(|value| value.strip_prefix(b"Bearer ").unwrap_or_default());
    let key = bearer.or_else(|| headers.get("api-key").map(HeaderValue::as_bytes)).ok_or_else(Refusal::no_key)?;
    match (key == KEY.as_bytes(), key == ADMIN_KEY.as_bytes(), admin) {
        (true, _, false) | (_, true, true) => Ok(()),
        (true, _, true) | (_, true, false) => Err(Refusal::needs_admin()),
        (false, false, _) => Err(Refusal::wrong_key()),
    }
}

/// Begins an entry of the log; gives its number.
fn open(shared: &Shared, head: &Parts, template: &str, acts: &[Act]) -> usize {
    let headers = head.headers.iter().filter(|(name, _)| !SECRET.contains(&name.as_str()));
    let headers: BTreeMap<String, String> = headers
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    let at_ms = u64::try_from(shared.world().now().as_millis()).unwrap_or(u64::MAX);
    let path = head.uri.path();
    shared.log().push(Call {
        method: head.method.to_string(),
        template: template.to_owned(),
        path: below_v1(path).unwrap_or(path).to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers,
        body: Value::Null,
        status: None,
        faults: acts.iter().map(|act| format!("{act:?}")).collect(),
        at_ms,
    })
}

/// Notes the status, and marks the answer with an id.
fn close(shared: &Shared, number: usize, mut answered: Response) -> Response {
    if let Some(call) = shared.log().get_mut(number) {
        call.status = Some(answered.status().as_u16());
    }
    let id = shared.world().id("req_");
    let headers = answered.headers_mut();
    let mut set = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    set("x-request-id", &id);
    set("openai-version", "2020-10-01");
    set("openai-processing-ms", "1");
    answered
}
