//! Files that visitors attach, over real connections: in, out, and what is refused.

mod bounds;
mod kept;
mod messages;
mod out;
mod refused;

use reqwest::Method;
use serde_json::{Value, json};

use crate::config::settings::AttachmentSettings;
use crate::serve::tests::bot::{Bot, Browser, Setup};

pub const MIB: u64 = 1024 * 1024;
pub const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89";
pub const TEXT: &[u8] = b"# Warranty\n\nThe warranty of the kettle ends after three years.\n";

pub fn settings() -> AttachmentSettings {
    AttachmentSettings { max_bytes: MIB, visitor_bytes: 4 * MIB, total_bytes: 16 * MIB, clamav_socket: None }
}

pub async fn bot() -> Bot {
    bot_with(settings()).await
}

pub async fn bot_with(settings: AttachmentSettings) -> Bot {
    Bot::start(Setup { attachments: Some(settings), ..Setup::default() }).await
}

/// Status, code of the error (or nothing) and body of an answer.
pub async fn outcome(response: reqwest::Response) -> (u16, String, Value) {
    let status = response.status().as_u16();
    let body: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    (status, body["error"]["code"].as_str().unwrap_or_default().to_owned(), body)
}

pub async fn announce(browser: &Browser, name: &str, size: u64) -> reqwest::Response {
    let params = json!({"name": name, "size": size, "mime_type": "application/x-claimed"});
    browser.post(&json!({"type": "attachments.create", "params": params})).await
}

pub async fn send_bytes(browser: &Browser, url: &str, bytes: impl Into<reqwest::Body>) -> reqwest::Response {
    let mut request = browser.client.put(format!("{}{url}", browser.url)).body(bytes);
    if let Some(cookie) = &browser.cookie {
        request = request.header("cookie", cookie);
    }
    request.send().await.unwrap()
}

/// Announces and uploads a file, and expects success; its id.
pub async fn upload(browser: &Browser, name: &str, bytes: &[u8]) -> String {
    let (status, _, announced) = outcome(announce(browser, name, bytes.len() as u64).await).await;
    assert_eq!(status, 200, "{announced}");
    let url = announced["upload_descriptor"]["url"].as_str().unwrap();
    let (status, _, uploaded) = outcome(send_bytes(browser, url, bytes.to_vec()).await).await;
    assert_eq!(status, 200, "{uploaded}");
    uploaded["id"].as_str().unwrap().to_owned()
}

/// A form with these fields: name, file name, contents.
pub async fn send_form(browser: &Browser, fields: &[(&str, Option<&str>, &[u8])]) -> reqwest::Response {
    let mut body = Vec::new();
    for (name, file_name, bytes) in fields {
        let file_name = file_name.map(|name| format!("; filename=\"{name}\"")).unwrap_or_default();
        body.extend(format!("--cut\r\nContent-Disposition: form-data; name=\"{name}\"{file_name}\r\n\r\n").bytes());
        body.extend_from_slice(bytes);
        body.extend(b"\r\n");
    }
    body.extend(b"--cut--\r\n");
    let mut request = browser.client.post(format!("{}/knowledge/attachments", browser.url));
    if let Some(cookie) = &browser.cookie {
        request = request.header("cookie", cookie);
    }
    request.header("content-type", "multipart/form-data; boundary=cut").body(body).send().await.unwrap()
}

pub async fn delete(browser: &Browser, id: &str) -> (u16, String, Value) {
    let body = json!({"type": "attachments.delete", "params": {"attachment_id": id}});
    outcome(browser.post(&body).await).await
}

pub async fn get_file(browser: &Browser, id: &str, headers: &[(&str, &str)]) -> reqwest::Response {
    browser.send(Method::GET, &format!("/knowledge/attachments/{id}/file"), headers, None).await
}

/// A message with these files.
pub fn message(text: &str, ids: &[&str]) -> Value {
    json!({"content": [{"type": "input_text", "text": text}], "attachments": ids, "inference_options": {}})
}

/// All files below the folder of attachments.
pub fn files(bot: &Bot) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![bot.attachments_dir()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found
}
