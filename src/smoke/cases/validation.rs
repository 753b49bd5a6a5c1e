//! Bad requests: every one is a 4xx before anything is streamed or changed, and good ones are not refused by mistake.

use std::time::{Duration, Instant};

use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

use crate::smoke::call::Reply;
use crate::smoke::case::{Case, CaseResult, Stop, case};
use crate::smoke::expect::{answered, ensure, refused, refused_with, taken};
use crate::smoke::lab::{Lab, QUESTION, create, input};

/// Where the protocol says it.
const RULE: &str = "errors: malformed JSON, empty body, wrong or missing type, missing or invalid field";

pub(super) const CASES: &[Case] = &[
    case!("validation/malformed-json", "a body that is no JSON is refused", RULE, malformed),
    case!("validation/empty-body", "an empty body is refused", RULE, empty),
    case!("validation/not-an-object", "JSON that is no object is refused", RULE, not_an_object),
    case!("validation/missing-type", "a request without `type` is refused", RULE, missing_type),
    case!("validation/type-not-a-string", "a `type` that is no string is refused", RULE, type_not_a_string),
    case!(
        "validation/unknown-type",
        "an unknown `type` is refused",
        "transport: unknown type values are an error",
        unknown_type
    ),
    case!(
        "validation/missing-params",
        "a request without `params` is refused",
        "requests: params is required for every type",
        missing_params
    ),
    case!("validation/params-not-an-object", "`params` that are no object are refused", RULE, params_not_an_object),
    case!(
        "validation/metadata-null",
        "`metadata` of null is refused",
        "transport: metadata must be an object when present",
        metadata_null
    ),
    case!(
        "validation/metadata-object",
        "`metadata` that is an object is accepted",
        "transport: metadata is optional",
        metadata_object
    ),
    case!(
        "validation/unknown-fields",
        "unknown fields are ignored",
        "transport: unknown fields are ignored everywhere",
        unknown_fields
    ),
    case!(
        "validation/missing-fields",
        "a message without a required field is refused",
        "requests: UserMessageInput",
        missing_fields
    ),
    case!(
        "validation/missing-thread-id",
        "a request about a thread without its id is refused",
        "requests: thread_id is required",
        missing_thread_id
    ),
    case!(
        "validation/number-for-a-string",
        "a number where a string belongs is refused",
        "leniency: a number for a string field is refused",
        number_for_a_string
    ),
    case!(
        "validation/unknown-part",
        "a part of a message of an unknown type is refused",
        "requests: UserMessageContent, by type",
        unknown_part
    ),
    case!(
        "validation/tag-without-data",
        "a tag without its fields is refused",
        "requests: input_tag has id, text and data",
        tag_without_data
    ),
    case!(
        "validation/unknown-order",
        "an `order` that is neither asc nor desc is refused",
        "requests: threads.list",
        unknown_order
    ),
    case!(
        "validation/unknown-feedback",
        "feedback that is neither positive nor negative is refused",
        "requests: items.feedback",
        unknown_feedback
    ),
    case!(
        "validation/invalid-utf8",
        "a body that is not UTF-8 is refused",
        "leniency: invalid UTF-8 is refused",
        invalid_utf8
    ),
    case!(
        "validation/lone-surrogate",
        "half of a surrogate pair is refused",
        "leniency: lone surrogates are refused",
        lone_surrogate
    ),
    case!(
        "validation/deep-nesting",
        "JSON nested 100,000 deep is refused within two seconds",
        "JSON of any nesting gives a 4xx and ends nothing",
        deep_nesting
    ),
    case!(
        "validation/huge-number",
        "a number that no type holds is answered properly",
        "JSON of any number size ends nothing",
        huge_number
    ),
    case!(
        "validation/repeated-keys",
        "a key that stands twice is answered properly",
        "leniency: repeated keys",
        repeated_keys
    ),
    case!(
        "validation/huge-body",
        "a body of 6 MiB is refused, also when its length is declared",
        "every body is bounded; too much gives 413",
        huge_body
    ),
    case!(
        "validation/huge-chunks",
        "a body of 6 MiB in chunks is refused",
        "every body is bounded the same way; too much gives 413",
        huge_chunks
    ),
    case!(
        "validation/blank-message",
        "a message of white space is answered properly",
        "requests: content may be empty",
        blank_message
    ),
    case!(
        "validation/empty-content",
        "a message without parts is answered properly",
        "requests: content may be empty",
        empty_content
    ),
    case!(
        "validation/odd-ids",
        "ids with slashes, quotes, NUL and 10,000 characters are unknown, and no more",
        "errors: unknown thread in a JSON request",
        odd_ids
    ),
];

/// Refused, however the body is sent.
async fn refuses(lab: &Lab, what: &str, body: Value) -> CaseResult {
    refused(&lab.one.post(what, &body).await?)
}

async fn refuses_bytes(lab: &Lab, what: &str, body: &[u8]) -> CaseResult {
    refused(&lab.one.send(what, "application/json", body.to_vec()).await?)
}

async fn malformed(lab: &Lab) -> CaseResult {
    for body in [&b"{\"type\":"[..], b"hello", b"{'type': 1}", b"{\"type\":\"threads.list\",\"params\":{}}}"] {
        refuses_bytes(lab, "malformed JSON", body).await?;
    }
    Ok(())
}

async fn empty(lab: &Lab) -> CaseResult {
    refuses_bytes(lab, "an empty body", b"").await
}

async fn not_an_object(lab: &Lab) -> CaseResult {
    for body in [json!([]), json!("threads.list"), json!(null), json!(1)] {
        refuses(lab, "no object", body).await?;
    }
    Ok(())
}

async fn missing_type(lab: &Lab) -> CaseResult {
    refuses(lab, "no type", json!({ "params": {} })).await
}

async fn type_not_a_string(lab: &Lab) -> CaseResult {
    for kind in [json!(1), json!(null), json!(["threads.list"])] {
        refuses(lab, "a type that is no string", json!({ "type": kind, "params": {} })).await?;
    }
    Ok(())
}

async fn unknown_type(lab: &Lab) -> CaseResult {
    for kind in ["threads.destroy", "", "THREADS.LIST", "__proto__"] {
        refuses(lab, "an unknown type", json!({ "type": kind, "params": {} })).await?;
    }
    Ok(())
}

async fn missing_params(lab: &Lab) -> CaseResult {
    refuses(lab, "threads.list without params", json!({ "type": "threads.list" })).await
}

async fn params_not_an_object(lab: &Lab) -> CaseResult {
    for params in [json!([]), json!(null), json!("x")] {
        refuses(lab, "params that are no object", json!({ "type": "threads.list", "params": params })).await?;
    }
    Ok(())
}

async fn metadata_null(lab: &Lab) -> CaseResult {
    refuses(lab, "metadata of null", json!({ "type": "threads.list", "params": {}, "metadata": null })).await
}

async fn metadata_object(lab: &Lab) -> CaseResult {
    let body = json!({ "type": "threads.list", "params": { "limit": 1 }, "metadata": { "a": { "b": null } } });
    taken(&lab.one.post("threads.list", &body).await?)
}

async fn unknown_fields(lab: &Lab) -> CaseResult {
    let body = json!({
        "type": "threads.list", "params": { "limit": 1, "owner": "someone", "role": "admin" }, "more": [1], "id": "x"
    });
    taken(&lab.one.post("threads.list", &body).await?)
}

async fn missing_fields(lab: &Lab) -> CaseResult {
    for field in ["content", "attachments", "inference_options"] {
        let mut message = input(QUESTION);
        message.as_object_mut().map(|fields| fields.remove(field));
        let reply = lab.one.call("threads.create", json!({ "input": message })).await?;
        refused(&reply)?;
    }
    refused(&lab.one.call("threads.create", json!({})).await?)
}

async fn missing_thread_id(lab: &Lab) -> CaseResult {
    for kind in ["threads.get_by_id", "threads.delete", "items.list", "threads.update", "items.feedback"] {
        refused(&lab.one.call(kind, json!({})).await?)?;
    }
    Ok(())
}

async fn number_for_a_string(lab: &Lab) -> CaseResult {
    refused(&lab.one.call("threads.get_by_id", json!({ "thread_id": 5 })).await?)?;
    let mut message = input(QUESTION);
    message["quoted_text"] = json!(7);
    refused(&lab.one.call("threads.create", json!({ "input": message })).await?)?;
    message = input(QUESTION);
    message["content"][0]["text"] = json!(7);
    refused(&lab.one.call("threads.create", json!({ "input": message })).await?)
}

async fn unknown_part(lab: &Lab) -> CaseResult {
    let mut message = input(QUESTION);
    message["content"][0]["type"] = json!("input_video");
    refused(&lab.one.call("threads.create", json!({ "input": message })).await?)
}

async fn tag_without_data(lab: &Lab) -> CaseResult {
    let mut message = input(QUESTION);
    message["content"] = json!([{ "type": "input_tag", "text": "order" }]);
    refused(&lab.one.call("threads.create", json!({ "input": message })).await?)
}

async fn unknown_order(lab: &Lab) -> CaseResult {
    refused(&lab.one.call("threads.list", json!({ "order": "sideways" })).await?)
}

async fn unknown_feedback(lab: &Lab) -> CaseResult {
    let talk = lab.sample().await?;
    let params = json!({ "thread_id": talk.thread, "item_ids": [talk.user_id()?], "kind": "angry" });
    refused(&lab.one.call("items.feedback", params).await?)
}

async fn invalid_utf8(lab: &Lab) -> CaseResult {
    refuses_bytes(lab, "invalid UTF-8", b"{\"type\":\"threads.get_by_id\",\"params\":{\"thread_id\":\"\xff\xfe\"}}")
        .await
}

async fn lone_surrogate(lab: &Lab) -> CaseResult {
    refuses_bytes(lab, "a lone surrogate", br#"{"type":"threads.get_by_id","params":{"thread_id":"\ud83d"}}"#).await
}

async fn deep_nesting(lab: &Lab) -> CaseResult {
    const LIMIT: Duration = Duration::from_secs(2);
    for open in ["[", "{\"a\":"] {
        let since = Instant::now();
        let body = format!(r#"{{"type":"threads.list","params":{}"#, open.repeat(100_000));
        refuses_bytes(lab, "deep JSON", body.as_bytes()).await?;
        ensure(since.elapsed() < LIMIT, || format!("the refusal took {} ms", since.elapsed().as_millis()))?;
    }
    Ok(())
}

async fn huge_number(lab: &Lab) -> CaseResult {
    for number in ["1e400", "99999999999999999999999", "-0.0000000001"] {
        let body = format!(r#"{{"type":"threads.list","params":{{"limit":{number}}}}}"#);
        answered(&lab.one.send("threads.list", "application/json", body.into_bytes()).await?)?;
    }
    Ok(())
}

async fn repeated_keys(lab: &Lab) -> CaseResult {
    let body = br#"{"type":"threads.get_by_id","type":"threads.list","params":{"limit":2,"limit":1}}"#;
    answered(&lab.one.send("threads.list", "application/json", body.to_vec()).await?)
}

fn huge() -> Vec<u8> {
    const BYTES: usize = 6 * 1024 * 1024;
    json!({ "type": "threads.create", "params": create(&"a".repeat(BYTES)) }).to_string().into_bytes()
}

/// A server that closes the connection is as safe; only its client does not learn why.
fn refused_or_closed(reply: Result<Reply, Stop>) -> CaseResult {
    match reply {
        Ok(reply) => refused(&reply),
        Err(Stop::Fail(why)) => Err(Stop::Warn(format!("{why}, so the refusal cannot be read"))),
        Err(other) => Err(other),
    }
}

async fn huge_body(lab: &Lab) -> CaseResult {
    refused_or_closed(lab.one.send("6 MiB", "application/json", huge()).await)
}

async fn huge_chunks(lab: &Lab) -> CaseResult {
    let reply = lab
        .one
        .exchange("6 MiB in chunks", lab.one.target.url.clone(), |http, url| {
            let chunks: Vec<_> = huge().chunks(65_536).map(|chunk| Ok::<_, std::io::Error>(chunk.to_vec())).collect();
            let body = reqwest::Body::wrap_stream(futures_util::stream::iter(chunks));
            http.post(url).header(CONTENT_TYPE, "application/json").body(body)
        })
        .await;
    refused_or_closed(reply)
}

async fn blank_message(lab: &Lab) -> CaseResult {
    answered(&lab.one.call("threads.create", create(" \n\t ")).await?)
}

async fn empty_content(lab: &Lab) -> CaseResult {
    let mut message = input(QUESTION);
    message["content"] = json!([]);
    answered(&lab.one.call("threads.create", json!({ "input": message })).await?)
}

async fn odd_ids(lab: &Lab) -> CaseResult {
    let long = "x".repeat(10_000);
    for id in ["../../etc/passwd", "' OR 1=1 --", "a\u{0}b", "", "\u{202e}", long.as_str()] {
        let reply = lab.one.call("threads.get_by_id", json!({ "thread_id": id })).await?;
        refused_with(&reply, &[400, 404, 413, 422])?;
    }
    Ok(())
}
