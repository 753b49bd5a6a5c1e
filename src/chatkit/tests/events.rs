//! Events byte for byte, and that no text breaks out of its event.

use proptest::prelude::*;

use super::super::{Event, Item, StreamOptions, ThreadObject, Update, frame};
use super::*;
use crate::model::item::{HiddenContext, Image, ItemUpdate, NoticeLevel, Task, TaskKind, TaskStatus};
use crate::model::thread::{AssistantMessage, Thread, ThreadStatus};

#[test]
fn frames_are_written_byte_for_byte() {
    let thread = thread("a\nb", Some("r"));
    let page = item(ItemContent::EndOfTurn {});
    let data = [("k".to_owned(), Value::Null)].into_iter().collect();
    let cases = [
        (
            Event::ThreadUpdated { thread: ThreadObject::from(&thread) },
            concat!(
                r#"{"type":"thread.updated","thread":{"title":"a\nb","id":"thr_1","created_at":"2026-01-02T03:04:05Z","#,
                r#""status":{"type":"locked","reason":"r"},"metadata":{},"items":{"data":[],"has_more":false}}}"#
            ),
        ),
        (
            Event::ItemReplaced { item: Item::from(&page) },
            concat!(
                r#"{"type":"thread.item.replaced","item":{"id":"msg_1","thread_id":"thr_1","#,
                r#""created_at":"2026-01-02T03:04:05.000123Z","type":"end_of_turn"}}"#
            ),
        ),
        (Event::ItemRemoved { item_id: "msg_1" }, r#"{"type":"thread.item.removed","item_id":"msg_1"}"#),
        (
            Event::StreamOptions { stream_options: StreamOptions { allow_cancel: true } },
            r#"{"type":"stream_options","stream_options":{"allow_cancel":true}}"#,
        ),
        (
            Event::Progress { icon: Some("search"), text: "t" },
            r#"{"type":"progress_update","icon":"search","text":"t"}"#,
        ),
        (Event::Progress { icon: None, text: "t" }, r#"{"type":"progress_update","text":"t"}"#),
        (
            Event::Notice { level: NoticeLevel::Danger, message: "m", title: Some("t") },
            r#"{"type":"notice","level":"danger","message":"m","title":"t"}"#,
        ),
        (Event::ClientEffect { name: "n", data: &data }, r#"{"type":"client_effect","name":"n","data":{"k":null}}"#),
        (Event::stream_error(true), r#"{"type":"error","code":"stream.error","allow_retry":true}"#),
        (Event::custom_error("m", false), r#"{"type":"error","code":"custom","message":"m","allow_retry":false}"#),
    ];
    for (event, expected) in cases {
        assert_eq!(frame(&event), format!("data: {expected}\n\n"));
    }
}

#[test]
fn updates_are_written_byte_for_byte() {
    let task = Task { status_indicator: TaskStatus::None, kind: TaskKind::Image { title: Some("t".into()) } };
    let map = || [("type".to_owned(), json!("Text"))].into_iter().collect();
    let image = || Image { id: "i".into(), url: "u".into() };
    let cases = [
        (
            ItemUpdate::TaskAdded { task_index: 0, task: task.clone() },
            r#"{"type":"workflow.task.added","task_index":0,"task":{"status_indicator":"none","type":"image","title":"t"}}"#,
        ),
        (
            ItemUpdate::TaskUpdated { task_index: 1, task },
            r#"{"type":"workflow.task.updated","task_index":1,"task":{"status_indicator":"none","type":"image","title":"t"}}"#,
        ),
        (
            ItemUpdate::WidgetText { component_id: "c".into(), delta: "d".into(), done: false },
            r#"{"type":"widget.streaming_text.value_delta","component_id":"c","delta":"d","done":false}"#,
        ),
        (
            ItemUpdate::WidgetComponent { component_id: "c".into(), component: map() },
            r#"{"type":"widget.component.updated","component_id":"c","component":{"type":"Text"}}"#,
        ),
        (ItemUpdate::WidgetRoot { widget: map() }, r#"{"type":"widget.root.updated","widget":{"type":"Text"}}"#),
        (
            ItemUpdate::Image { image: image(), progress: Some(0.5) },
            r#"{"type":"generated_image.updated","image":{"id":"i","url":"u"},"progress":0.5}"#,
        ),
        (
            ItemUpdate::Image { image: image(), progress: None },
            r#"{"type":"generated_image.updated","image":{"id":"i","url":"u"}}"#,
        ),
    ];
    for (update, expected) in cases {
        assert_eq!(
            frame(&Event::ItemUpdated { item_id: "wf_1", update: Update::Beside(&update) }),
            format!("data: {{\"type\":\"thread.item.updated\",\"item_id\":\"wf_1\",\"update\":{expected}}}\n\n")
        );
    }
}

/// What could end a line, a field or an event for one reader or another.
const BREAKERS: &str =
    "[a\n\r\u{85}\u{2028}\u{2029}\u{b}\u{c}\u{0}:\"\\\\ 🙂{}]{0,12}|\n\ndata: \\{\\}\n\n|\r\revent: x|\\PC{0,12}";

proptest! {
    /// H18: no text of a user, a model, a title or a document starts a new event or field.
    #[test]
    fn no_text_breaks_out_of_its_event(text in BREAKERS, other in BREAKERS) {
        let titled = thread(&text, Some(&other));
        let message = AssistantMessage { text: text.clone(), citations: Vec::new(), links: Vec::new() };
        let told = item(ItemContent::AssistantMessage(message.clone()));
        let data = [(other.clone(), json!(text))].into_iter().collect();
        let delta = ItemUpdate::WidgetText { component_id: other.clone(), delta: text.clone(), done: true };
        let hidden = item(ItemContent::SdkHiddenContext(HiddenContext { content: json!(text) }));
        let events = [
            Event::ThreadCreated { thread: ThreadObject::from(&titled) },
            Event::ItemDone { item: Item::from(&told) },
            Event::ItemDone { item: Item::from(&hidden) },
            Event::ItemUpdated { item_id: &other, update: Update::TextDelta { content_index: 0, delta: &text } },
            Event::ItemUpdated { item_id: &other, update: Update::Beside(&delta) },
            Event::ItemUpdated {
                item_id: &other,
                update: Update::PartDone { content_index: 0, content: (&message).into() },
            },
            Event::Progress { icon: Some(&other), text: &text },
            Event::Notice { level: NoticeLevel::Info, message: &text, title: Some(&other) },
            Event::ClientEffect { name: &other, data: &data },
            Event::custom_error(&text, true),
        ];
        for event in events {
            let frame = frame(&event);
            let line = frame.strip_prefix("data: ").and_then(|rest| rest.strip_suffix("\n\n")).expect("a whole frame");
            prop_assert!(!line.contains(['\n', '\r', '\0']), "{line:?}");
            let read: Value = serde_json::from_str(line).expect("one line of JSON");
            prop_assert_eq!(&read, &serde_json::to_value(&event).expect("it is JSON"));
        }
    }
}

fn thread(title: &str, reason: Option<&str>) -> Thread {
    Thread {
        id: "thr_1".into(),
        created_at: "2026-01-02T03:04:05Z".parse().unwrap(),
        title: Some(title.into()),
        title_is_users: false,
        status: ThreadStatus::Locked { reason: reason.map(str::to_owned) },
    }
}
