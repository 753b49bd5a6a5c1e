//! Attachments in two phases: announced, uploaded, sent with a message, deleted. A server without them has nothing to
//! look at. Only an upload address on the target's own origin is contacted.

use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

use crate::smoke::call::Reply;
use crate::smoke::case::{Case, CaseResult, Stop, case};
use crate::smoke::expect::{answered, ensure, json, need, need_taken, refused, skip, taken};
use crate::smoke::lab::{Lab, QUESTION, input};
use crate::smoke::told::id;

pub(super) const CASES: &[Case] = &[
    case!(
        "attachment/descriptor",
        "an attachment is announced and gets an address to upload to, or the server has none",
        "requests: attachments.create",
        descriptor
    ),
    case!(
        "attachment/upload",
        "its bytes are taken at that address",
        "what each request does: two-phase upload",
        uploaded
    ),
    case!(
        "attachment/in-a-message",
        "a message comes back with its attachment, stamped with the thread",
        "what each request does: create",
        in_a_message
    ),
    case!(
        "attachment/delete",
        "it is deleted with {} and of no use afterwards",
        "requests: attachments.delete",
        delete
    ),
    case!(
        "attachment/delete-unknown",
        "deleting an unknown one is answered properly",
        "requests: attachments.delete",
        delete_unknown
    ),
    case!(
        "attachment/missing-fields",
        "one without name, size or type is refused",
        "requests: attachments.create",
        missing_fields
    ),
    case!(
        "attachment/negative-size",
        "a negative size is refused",
        "requests: size is a number of bytes",
        negative_size
    ),
    case!(
        "attachment/odd-name",
        "a name with slashes, NUL and marks is a label, or refused",
        "a stored name is made by the server",
        odd_name
    ),
    case!(
        "attachment/of-another-visitor",
        "another visitor's attachment is of no use",
        "every operation checks the owner",
        foreign
    ),
];

const CONTENT: &str = "Refunds take five working days.\n";

async fn announce(lab: &Lab, name: &str) -> Result<Reply, Stop> {
    let params = json!({ "name": name, "size": CONTENT.len(), "mime_type": "text/plain" });
    lab.one.call("attachments.create", params).await
}

/// An announced attachment, where the server has attachments.
async fn announced(lab: &Lab) -> Result<Value, Stop> {
    let reply = announce(lab, "note.txt").await?;
    match reply.status {
        400..=499 | 501 => skip(format!("this server takes no attachments ({})", reply.status)),
        _ => {
            need_taken(&reply)?;
            need(reply.json(), "an announced attachment")
        }
    }
}

async fn descriptor(lab: &Lab) -> CaseResult {
    let attachment = announced(lab).await.map_err(|stop| match stop {
        Stop::Unknown(why) => Stop::Fail(why),
        other => other,
    })?;
    let upload = &attachment["upload_descriptor"];
    ensure(attachment["id"].is_string() && attachment["name"] == "note.txt", || {
        "it has no id, or another name".to_owned()
    })?;
    ensure(upload["url"].is_string() && upload["method"].is_string(), || "there is no address to upload to".to_owned())
}

/// Sends the bytes as the descriptor says: the body itself, or for POST a form with the part `file`.
async fn upload(lab: &Lab, attachment: &Value) -> Result<Reply, Stop> {
    let upload = &attachment["upload_descriptor"];
    let address = need(upload["url"].as_str(), "an address to upload to")?;
    let Some(url) = lab.one.target.same_origin(address) else {
        return skip("the upload address is on another host, which is not contacted");
    };
    let headers: Vec<(String, String)> = upload["headers"]
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
        .collect();
    let is_put = upload["method"] == "PUT";
    let send = |as_form: bool| {
        let headers = headers.clone();
        let (url, what) = (url.clone(), if as_form { "upload as a form" } else { "upload" });
        lab.one.exchange(what, url, move |http, url| {
            let request = if is_put { http.put(url) } else { http.post(url) };
            let request = headers.iter().fold(request, |request, (name, value)| request.header(name, value));
            if as_form {
                let boundary = "chatbotctl-conformance";
                let body = format!(
                    "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"note.txt\"\r\n\
                     Content-Type: text/plain\r\n\r\n{CONTENT}\r\n--{boundary}--\r\n"
                );
                request.header(CONTENT_TYPE, format!("multipart/form-data; boundary={boundary}")).body(body)
            } else if headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
                request.body(CONTENT)
            } else {
                request.header(CONTENT_TYPE, "text/plain").body(CONTENT)
            }
        })
    };
    // The protocol leaves open which of the two a POST means.
    let first = send(false).await?;
    if (400..500).contains(&first.status) { send(true).await } else { Ok(first) }
}

async fn uploaded(lab: &Lab) -> CaseResult {
    let reply = upload(lab, &announced(lab).await?).await?;
    ensure((200..300).contains(&reply.status), || reply.describe())
}

/// An attachment whose bytes are there.
async fn ready(lab: &Lab) -> Result<String, Stop> {
    let attachment = announced(lab).await?;
    let reply = upload(lab, &attachment).await?;
    if (200..300).contains(&reply.status) {
        Ok(id(&attachment).to_owned())
    } else {
        Err(Stop::Unknown(format!("it needs an uploaded attachment, and {}", reply.describe())))
    }
}

fn with_attachment(attachment: &str) -> Value {
    let mut message = input(QUESTION);
    message["attachments"] = json!([attachment]);
    json!({ "input": message })
}

async fn in_a_message(lab: &Lab) -> CaseResult {
    let attachment = ready(lab).await?;
    let reply = lab.one.call("threads.create", with_attachment(&attachment)).await?;
    taken(&reply)?;
    let told = reply.told();
    let message = need(told.done("user_message").next(), "the message")?;
    let found = &message["attachments"][0];
    ensure(found["id"] == *attachment, || "the message has no attachment, or another".to_owned())?;
    let thread = need(told.thread_id(), "a thread")?;
    ensure(found.get("thread_id").is_none_or(|found| found == thread), || {
        "it is stamped with another thread".to_owned()
    })
}

async fn delete(lab: &Lab) -> CaseResult {
    let attachment = announced(lab).await?;
    let answer = json(&lab.one.call("attachments.delete", json!({ "attachment_id": id(&attachment) })).await?)?;
    ensure(answer == json!({}), || "the answer is another".to_owned())?;
    refused(&lab.one.call("threads.create", with_attachment(id(&attachment))).await?)
}

async fn delete_unknown(lab: &Lab) -> CaseResult {
    let params = json!({ "attachment_id": "atc_00000000000000000000000000000000" });
    let reply = lab.one.call("attachments.delete", params).await?;
    if reply.status == 501 { skip("this server takes no attachments (501)") } else { answered(&reply) }
}

async fn refuses(lab: &Lab, params: Value) -> CaseResult {
    let reply = lab.one.call("attachments.create", params).await?;
    if reply.status == 501 { skip("this server takes no attachments (501)") } else { refused(&reply) }
}

async fn missing_fields(lab: &Lab) -> CaseResult {
    for field in ["name", "size", "mime_type"] {
        let mut params = json!({ "name": "note.txt", "size": 3, "mime_type": "text/plain" });
        params.as_object_mut().map(|fields| fields.remove(field));
        refuses(lab, params).await?;
    }
    Ok(())
}

async fn negative_size(lab: &Lab) -> CaseResult {
    refuses(lab, json!({ "name": "note.txt", "size": -1, "mime_type": "text/plain" })).await
}

async fn odd_name(lab: &Lab) -> CaseResult {
    announced(lab).await?;
    for name in ["../../etc/passwd.txt", "a\u{0}b.txt", "\u{202e}txt.exe.txt", "\"; filename=x.txt", " .txt"] {
        answered(&announce(lab, name).await?)?;
    }
    Ok(())
}

async fn foreign(lab: &Lab) -> CaseResult {
    lab.need_two_visitors()?;
    let attachment = ready(lab).await?;
    refused(&lab.other.call("threads.create", with_attachment(&attachment)).await?)?;
    lab.other.call("attachments.delete", json!({ "attachment_id": attachment })).await?;
    taken(&lab.one.call("threads.create", with_attachment(&attachment)).await?)
}
