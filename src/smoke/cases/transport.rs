//! How requests and answers travel: methods, content types, framing, ends.

use std::time::{Duration, Instant};

use reqwest::header::{ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE};
use reqwest::{Client, Method, Url};
use serde_json::{Value, json};

use crate::smoke::call::Reply;
use crate::smoke::case::{Case, CaseResult, Stop, case};
use crate::smoke::expect::{ensure, json, refused, refused_with, skip, taken};
use crate::smoke::lab::{Lab, QUESTION, create};
use crate::smoke::sse;

pub(super) const CASES: &[Case] = &[
    case!(
        "transport/json-answer",
        "a request that streams nothing is answered with application/json",
        "transport: all other request types answer 200 with application/json",
        json_answer
    ),
    case!(
        "transport/stream-answer",
        "a request that streams is answered with text/event-stream",
        "transport: streaming request types answer 200 with text/event-stream",
        stream_answer
    ),
    case!(
        "transport/framing",
        "every event is `data: `, one line of JSON and a blank line, in UTF-8",
        "SSE framing, exact bytes",
        framing
    ),
    case!(
        "transport/proper-end",
        "a stream ends as HTTP says, so that an end can be told from a cut",
        "SSE framing: the end of the answer is the terminating chunk",
        proper_end
    ),
    case!(
        "transport/as-it-comes",
        "events are sent as they come, not all at the end",
        "SSE framing; a proxy or a buffer in between takes the stream's sense",
        as_it_comes
    )
    .advisory(),
    case!(
        "transport/no-store",
        "streams and threads are not storable by caches",
        "recommended additions: Cache-Control; RFC 9111 section 3",
        no_store
    )
    .advisory(),
    case!("transport/nosniff", "answers say `X-Content-Type-Options: nosniff`", "OWASP secure headers", nosniff)
        .advisory(),
    case!("transport/charset-accepted", "`application/json; charset=utf-8` is JSON", "RFC 8259 section 11", charset),
    case!(
        "transport/text-refused",
        "JSON that says it is text/plain is refused with 415",
        "errors: wrong Content-Type; it closes the hole for posts from other sites",
        text_refused
    ),
    case!(
        "transport/form-refused",
        "a form post is refused with 415",
        "errors: wrong Content-Type; it closes the hole for posts from other sites",
        form_refused
    ),
    case!(
        "transport/encoded-body",
        "a body that says it is compressed, and is not, is refused with a 4xx",
        "RFC 9110 section 8.4",
        encoded_body
    ),
    case!(
        "transport/get-refused",
        "GET on the endpoint is refused with 405",
        "errors: other HTTP methods",
        get_refused
    ),
    case!(
        "transport/methods-refused",
        "PUT, PATCH and DELETE on the endpoint are refused with 405",
        "errors: other HTTP methods",
        methods_refused
    ),
    case!("transport/allow", "a 405 says which methods there are", "RFC 9110 section 15.5.6", allow).advisory(),
    case!(
        "transport/after-an-error",
        "a connection is of use after a refused request",
        "errors: after each 500 the reference closes the connection without saying so",
        after_an_error
    ),
    case!(
        "transport/length-and-chunks",
        "a body sent in chunks is read like one of a known length",
        "RFC 9112 section 7.1",
        chunked_body
    ),
];

async fn list(lab: &Lab) -> Result<Reply, Stop> {
    lab.one.call("threads.list", json!({ "limit": 1 })).await
}

/// A stream, whole.
async fn stream(lab: &Lab) -> Result<Reply, Stop> {
    let reply = lab.one.call("threads.create", create(QUESTION)).await?;
    ensure(reply.status == 200, || reply.describe())
        .map_err(|_| Stop::Unknown(format!("it needs a stream, and {}", reply.describe())))?;
    Ok(reply)
}

async fn json_answer(lab: &Lab) -> CaseResult {
    let reply = list(lab).await?;
    json(&reply)?;
    ensure(reply.media_type() == "application/json", || format!("the content type is `{}`", reply.media_type()))
}

async fn stream_answer(lab: &Lab) -> CaseResult {
    let reply = lab.one.call("threads.create", create(QUESTION)).await?;
    ensure(reply.status == 200, || reply.describe())?;
    ensure(reply.is_stream(), || format!("the content type is `{}`", reply.media_type()))
}

async fn framing(lab: &Lab) -> CaseResult {
    let faults = sse::faults(&stream(lab).await?.body);
    ensure(faults.is_empty(), || faults.join("; "))
}

async fn proper_end(lab: &Lab) -> CaseResult {
    let reply = stream(lab).await?;
    ensure(reply.cut.is_none(), || reply.describe())?;
    let is_old = lab.one.target.url.scheme() == "http";
    ensure(!is_old || reply.has_end(), || {
        "the stream has neither chunks nor a length, so a cut looks like an end".to_owned()
    })
}

async fn as_it_comes(lab: &Lab) -> CaseResult {
    const MEASURABLE: Duration = Duration::from_millis(400);
    let since = Instant::now();
    let mut live = lab.one.open("threads.create", create(&format!("[[slow]] {QUESTION}"))).await?;
    let mut first = None;
    while live.next().await?.is_some() {
        // Events that come this far apart were not held back to the end; the rest need not be waited for.
        let now = since.elapsed();
        if now.saturating_sub(*first.get_or_insert(now)) >= MEASURABLE {
            return Ok(());
        }
    }
    let (first, whole) = (first.unwrap_or_default(), since.elapsed());
    if whole < MEASURABLE {
        return skip("the whole answer came so fast that nothing can be told");
    }
    ensure(first < whole.mul_f64(0.8), || {
        format!("the first event came after {} ms of {} ms", first.as_millis(), whole.as_millis())
    })
}

async fn no_store(lab: &Lab) -> CaseResult {
    for reply in [stream(lab).await?, list(lab).await?] {
        let control = reply.header(CACHE_CONTROL).to_ascii_lowercase();
        let keeps_out = ["no-store", "no-cache", "private"].iter().any(|word| control.contains(word));
        if !keeps_out {
            return Err(Stop::Warn(format!("`{}` has the Cache-Control `{control}`", reply.kind)));
        }
    }
    Ok(())
}

async fn nosniff(lab: &Lab) -> CaseResult {
    let reply = list(lab).await?;
    let found = reply.header("x-content-type-options").to_owned();
    if found.eq_ignore_ascii_case("nosniff") { Ok(()) } else { Err(Stop::Warn(format!("the header is `{found}`"))) }
}

fn list_body() -> Vec<u8> {
    json!({ "type": "threads.list", "params": {} }).to_string().into_bytes()
}

async fn charset(lab: &Lab) -> CaseResult {
    taken(&lab.one.send("threads.list", "application/json; charset=utf-8", list_body()).await?)
}

async fn text_refused(lab: &Lab) -> CaseResult {
    refused_with(&lab.one.send("threads.list as text/plain", "text/plain", list_body()).await?, &[415])
}

async fn form_refused(lab: &Lab) -> CaseResult {
    let form = "application/x-www-form-urlencoded";
    refused_with(&lab.one.send("threads.list as a form", form, list_body()).await?, &[415])
}

async fn encoded_body(lab: &Lab) -> CaseResult {
    let reply = lab
        .one
        .exchange("threads.list as gzip", lab.one.target.url.clone(), |http, url| {
            http.post(url).header(CONTENT_TYPE, "application/json").header(CONTENT_ENCODING, "gzip").body(list_body())
        })
        .await?;
    refused(&reply)
}

async fn get_refused(lab: &Lab) -> CaseResult {
    refused_with(&lab.one.method(Method::GET).await?, &[405])
}

async fn methods_refused(lab: &Lab) -> CaseResult {
    for method in [Method::PUT, Method::PATCH, Method::DELETE] {
        refused_with(&lab.one.method(method).await?, &[405])?;
    }
    Ok(())
}

async fn allow(lab: &Lab) -> CaseResult {
    let reply = lab.one.method(Method::GET).await?;
    if reply.status != 405 {
        return Err(Stop::Unknown(format!("it needs a 405, and {}", reply.describe())));
    }
    ensure(reply.header(ALLOW).contains("POST"), || format!("`Allow` is `{}`", reply.header(ALLOW)))
}

async fn after_an_error(lab: &Lab) -> CaseResult {
    for _ in 0..10 {
        for body in [json!({ "type": "no.such", "params": {} }), json!({ "type": "threads.list", "params": {} })] {
            let build = |_: &Client, url: Url| lab.one.keeping.post(url).json(&body);
            let reply = lab.one.exchange("a request on a kept connection", lab.one.target.url.clone(), build).await?;
            ensure(reply.cut.is_none(), || reply.describe())?;
        }
    }
    Ok(())
}

async fn chunked_body(lab: &Lab) -> CaseResult {
    let reply = lab
        .one
        .exchange("threads.list in chunks", lab.one.target.url.clone(), |http, url| {
            let halves = list_body().chunks(10).map(<[u8]>::to_vec).map(Ok::<_, std::io::Error>).collect::<Vec<_>>();
            let body = reqwest::Body::wrap_stream(futures_util::stream::iter(halves));
            http.post(url).header(CONTENT_TYPE, "application/json").body(body)
        })
        .await?;
    let page: Value = json(&reply)?;
    ensure(page["data"].is_array(), || "the answer is no page".to_owned())
}
