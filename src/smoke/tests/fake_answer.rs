//! How the fake tells one answer, event by event.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::fake::{Broken, Fake, Thread};

/// One answer on its way.
pub(super) struct Telling {
    pub(super) fake: Arc<Fake>,
    pub(super) id: String,
    pub(super) owner: String,
    pub(super) sender: mpsc::UnboundedSender<Result<Bytes, std::io::Error>>,
}

impl Telling {
    pub(super) fn tell(&self, event: &Value) {
        let end = if self.fake.broken == Broken::Crlf { "\r\n\r\n" } else { "\n\n" };
        // Nobody reads any more after a hang-up.
        let _ = self.sender.send(Ok(format!("data: {event}{end}").into()));
    }

    fn done(&self, item: &Value) {
        self.store(item);
        let times = if self.fake.broken == Broken::DoneTwice { 2 } else { 1 };
        for _ in 0..times {
            self.tell(&json!({ "type": "thread.item.done", "item": item }));
        }
    }

    fn store(&self, item: &Value) {
        let is_there = self.fake.with(&self.id, |thread| thread.items.push(item.clone())).is_some();
        if !is_there && self.fake.broken == Broken::Revives {
            let thread = Thread {
                id: self.id.clone(),
                owner: self.owner.clone(),
                created_at: self.fake.now(),
                title: None,
                title_is_users: false,
                items: vec![item.clone()],
                is_busy: false,
            };
            self.fake.data.lock().unwrap().threads.push(thread);
        }
    }

    pub(super) async fn answer(&self, word: &str) {
        if word.starts_with("[[hidden]]") {
            let item = self.fake.item(&self.id, "msg", "hidden_context_item", &json!({ "content": "secret" }));
            self.fake.with(&self.id, |thread| thread.items.push(item));
        }
        if word.starts_with("[[tool]]") {
            let fields = json!({ "status": "pending", "call_id": "c1", "name": "open", "arguments": { "page": null } });
            return self.done(&self.fake.item(&self.id, "tc", "client_tool_call", &fields));
        }
        self.title();
        let mut item = self.fake.item(&self.id, "msg", "assistant_message", &json!({ "content": [] }));
        let update = |update: Value| {
            self.tell(&json!({ "type": "thread.item.updated", "item_id": item["id"], "update": update }));
        };
        self.tell(&json!({ "type": "thread.item.added", "item": item }));
        let part = |text: &str, marks: &[Value]| json!({ "annotations": marks, "text": text, "type": "output_text" });
        update(json!({
            "type": "assistant_message.content_part.added", "content_index": 0, "content": part("", &[])
        }));
        let (count, pause) = if word.starts_with("[[slow]]") { (30, 15) } else { (4, 0) };
        let mut text = String::new();
        for at in 0..count {
            tokio::time::sleep(Duration::from_millis(pause)).await;
            // What is stored late is stored at the end, also when nobody reads any more.
            if self.sender.is_closed() && self.fake.broken != Broken::StoresLate {
                break;
            }
            text.push_str("five days ");
            if at + 1 < count || self.fake.broken != Broken::LostDelta {
                update(json!({
                    "type": "assistant_message.content_part.text_delta", "content_index": 0, "delta": "five days "
                }));
            }
        }
        let mut mark = json!({
            "type": "annotation", "index": text.len(), "source": { "type": "file", "title": "Refunds", "filename": "refunds.md" }
        });
        if self.fake.broken == Broken::NoFilename {
            mark["source"].as_object_mut().unwrap().remove("filename");
        }
        let first = u8::from(self.fake.broken == Broken::CountsFromOne);
        update(json!({
            "type": "assistant_message.content_part.annotation_added", "content_index": 0, "annotation_index": first,
            "annotation": mark
        }));
        let whole = part(&text, &[mark]);
        update(json!({ "type": "assistant_message.content_part.done", "content_index": 0, "content": whole }));
        item["content"] = json!([whole]);
        if !(self.sender.is_closed() && self.fake.broken == Broken::HangUpLoses) {
            self.done(&item);
        }
    }

    fn title(&self) {
        let retitles = self.fake.broken == Broken::Retitles;
        let updated = self.fake.with(&self.id, |thread| {
            if !thread.title_is_users || retitles {
                thread.title = Some("Refunds".to_owned());
            }
            self.fake.thread(thread, &json!({ "data": [], "has_more": false }))
        });
        if let Some(thread) = updated {
            self.tell(&json!({ "type": "thread.updated", "thread": thread }));
        }
    }
}
