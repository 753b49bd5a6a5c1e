//! Items and pages byte for byte: the reference's keys in its order.

use std::collections::BTreeMap;

use super::super::{AttachmentObject, Item, UploadDescriptor, items_page};
use super::*;
use crate::model::attachment::{Attachment, AttachmentKind};
use crate::model::item::{
    CallStatus, ClientToolCall, GeneratedImage, HiddenContext, Image, InputAnswer, InputOption, InputQuestion,
    InputStatus, Link, Source, SourceKind, StructuredInput, Task, TaskKind, TaskStatus, Widget, Workflow, WorkflowKind,
    WorkflowSummary,
};
use crate::model::thread::{AssistantMessage, InferenceOptions, Page, UserContent, UserMessage};
use crate::model::{Citation, Locator};

#[test]
fn messages_are_written_byte_for_byte() {
    let rich = UserMessage {
        attachments: vec![attachment(AttachmentKind::File), attachment(AttachmentKind::Image)],
        content: vec![
            UserContent::InputText { text: "Explain ".into() },
            UserContent::InputTag {
                id: "doc_1".into(),
                text: "@Refunds".into(),
                data: [("note".to_owned(), Value::Null)].into_iter().collect(),
                group: None,
                interactive: false,
            },
        ],
        quoted_text: Some("within\u{2028}30 days\u{7}".into()),
        inference_options: InferenceOptions { tool_choice: None, model: Some("m".into()) },
    };
    let page = Page {
        data: vec![item(ItemContent::UserMessage(rich)), item(ItemContent::AssistantMessage(cited(Vec::new())))],
        has_more: true,
        after: Some("msg_1".into()),
    };
    let expected = concat!(
        r#"{"data":[{"id":"msg_1","thread_id":"thr_1","created_at":"2026-01-02T03:04:05.000123Z","type":"user_message","#,
        r#""content":[{"type":"input_text","text":"Explain "},{"type":"input_tag","id":"doc_1","text":"@Refunds","#,
        r#""data":{"note":null},"interactive":false}],"attachments":["#,
        r#"{"id":"atc_1","name":"a.bin","mime_type":"x/y","thread_id":"thr_1","type":"file"},"#,
        r#"{"id":"atc_1","name":"a.bin","mime_type":"x/y","thread_id":"thr_1","type":"image","#,
        r#""preview_url":"/knowledge/attachments/atc_1/file"}],"quoted_text":"within"#,
        "\u{2028}",
        r#"30 days\u0007","inference_options":{"model":"m"}},{"id":"msg_1","thread_id":"thr_1","#,
        r#""created_at":"2026-01-02T03:04:05.000123Z","type":"assistant_message","content":[{"annotations":["#,
        r#"{"type":"annotation","source":{"title":"Refunds","type":"file","filename":"refunds.md"},"index":12}],"#,
        r#""text":"Größe 🦀","type":"output_text"}]}],"has_more":true,"after":"msg_1"}"#,
    );
    assert_eq!(serde_json::to_string(&items_page(&page)).unwrap(), expected);
    let begun = item(ItemContent::AssistantMessage(cited(Vec::new())));
    let begun = serde_json::to_string(&Item::from(&begun).without_content()).unwrap();
    assert!(begun.ends_with(r#""type":"assistant_message","content":[]}"#), "{begun}");
}

#[test]
fn all_other_items_are_written_byte_for_byte() {
    let arguments = [("a".to_owned(), Value::Null)].into_iter().collect();
    let call = |status, output| ClientToolCall {
        status,
        call_id: "c".into(),
        name: "n".into(),
        arguments: serde_json::Map::clone(&arguments),
        output,
    };
    let widget = [("type".to_owned(), json!("Basic")), ("key".to_owned(), Value::Null)].into_iter().collect();
    let image = Image { id: "i".into(), url: "u".into() };
    let summary =
        |title: Option<&str>, duration| WorkflowSummary { title: title.map(str::to_owned), icon: None, duration };
    let workflow = |tasks, summary| Workflow { r#type: WorkflowKind::Reasoning, tasks, summary, expanded: true };
    let cases = [
        (
            ItemContent::ClientToolCall(call(CallStatus::Pending, None)),
            r#""type":"client_tool_call","status":"pending","call_id":"c","name":"n","arguments":{"a":null}}"#,
        ),
        (
            ItemContent::ClientToolCall(call(CallStatus::Completed, Some(json!({"b": null})))),
            r#""status":"completed","call_id":"c","name":"n","arguments":{"a":null},"output":{"b":null}}"#,
        ),
        (
            ItemContent::Widget(Widget { widget, copy_text: Some("t".into()) }),
            r#""type":"widget","widget":{"type":"Basic","key":null},"copy_text":"t"}"#,
        ),
        (ItemContent::GeneratedImage(GeneratedImage { image: None }), r#""type":"generated_image"}"#),
        (
            ItemContent::GeneratedImage(GeneratedImage { image: Some(image) }),
            r#""type":"generated_image","image":{"id":"i","url":"u"}}"#,
        ),
        (
            ItemContent::Workflow { workflow: workflow(vec![thought()], Some(summary(None, Some(3)))) },
            concat!(
                r#""type":"workflow","workflow":{"type":"reasoning","tasks":[{"status_indicator":"loading","#,
                r#""type":"thought","content":"c"}],"summary":{"duration":3},"expanded":true}}"#
            ),
        ),
        (
            ItemContent::Workflow { workflow: workflow(Vec::new(), Some(summary(Some("t"), None))) },
            r#""workflow":{"type":"reasoning","tasks":[],"summary":{"title":"t"},"expanded":true}}"#,
        ),
        (
            ItemContent::Task { task: search() },
            concat!(
                r#""type":"task","task":{"status_indicator":"none","type":"web_search","queries":["q"],"sources":["#,
                r#"{"title":"T","description":"D","type":"url","url":"https://a.example/"}]}}"#
            ),
        ),
        (ItemContent::EndOfTurn {}, r#""type":"end_of_turn"}"#),
    ];
    for (content, expected) in cases {
        let written = serde_json::to_string(&Item::from(&item(content))).unwrap();
        assert!(
            written.starts_with(r#"{"id":"msg_1","thread_id":"thr_1","created_at":"2026-01-02T03:04:05.000123Z","#)
        );
        assert!(written.ends_with(expected), "{written}");
    }
}

#[test]
fn forms_are_written_byte_for_byte() {
    let choice = InputQuestion::MultipleChoice {
        id: "a".into(),
        question: "A?".into(),
        options: vec![InputOption { value: "x".into() }],
        multiple: true,
        answer: Some(InputAnswer { values: vec!["x".into()], skipped: false }),
    };
    let free = |description: Option<&str>| InputQuestion::Freeform {
        id: "b".into(),
        question: "B?".into(),
        description: description.map(str::to_owned),
        answer: None,
    };
    let form = StructuredInput { status: InputStatus::Skipped, inputs: vec![choice, free(None), free(Some("d"))] };
    let written = serde_json::to_string(&Item::from(&item(ItemContent::StructuredInput(form)))).unwrap();
    let expected = concat!(
        r#""type":"structured_input","status":"skipped","inputs":[{"id":"a","question":"A?","#,
        r#""answer":{"values":["x"],"skipped":false},"type":"multiple_choice","options":[{"value":"x"}],"multiple":true},"#,
        r#"{"id":"b","question":"B?","type":"freeform"},"#,
        r#"{"id":"b","question":"B?","type":"freeform","description":"d"}]}"#
    );
    assert!(written.ends_with(expected), "{written}");
}

/// Links take the places that they were told at, citations the others.
#[test]
fn links_stand_among_citations_where_they_were_told() {
    let titles = |links: Vec<Link>| {
        let mut message = cited(links);
        message.citations.push(Citation { title: "Second".into(), ..message.citations[0].clone() });
        let written = serde_json::to_value(Item::from(&item(ItemContent::AssistantMessage(message)))).unwrap();
        let marks = written["content"][0]["annotations"].as_array().unwrap().clone();
        marks.iter().map(|mark| mark["source"]["title"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(titles(vec![link(0, "L0")]), ["L0", "Refunds", "Second"]);
    assert_eq!(titles(vec![link(1, "L1"), link(2, "L2")]), ["Refunds", "L1", "L2", "Second"]);
    assert_eq!(titles(vec![link(9, "late")]), ["Refunds", "Second", "late"], "nothing is lost");
}

#[test]
fn marks_of_all_kinds_are_written_byte_for_byte() {
    let entity = SourceKind::Entity {
        id: "e".into(),
        icon: None,
        label: Some("L".into()),
        inline_label: None,
        interactive: true,
        data: serde_json::Map::new(),
    };
    let entity = Source { title: "E".into(), description: None, kind: entity };
    let message = cited(vec![link(1, "U"), Link { annotation_index: 2, index: 7, source: entity }]);
    let written = serde_json::to_string(&Item::from(&item(ItemContent::AssistantMessage(message)))).unwrap();
    let expected = concat!(
        r#"{"type":"annotation","source":{"title":"U","type":"url","url":"https://a.example/"},"index":3},"#,
        r#"{"type":"annotation","source":{"title":"E","type":"entity","id":"e","label":"L","interactive":true,"#,
        r#""data":{}},"index":7}]"#
    );
    assert!(written.contains(expected), "{written}");
}

#[test]
fn an_announced_attachment_says_where_its_bytes_go() {
    let announced = Attachment { thread_id: None, ..attachment(AttachmentKind::File) };
    let headers = BTreeMap::from([("x-a".to_owned(), "b".to_owned())]);
    let told =
        AttachmentObject::from(&announced).with_upload(UploadDescriptor { url: "/u".into(), method: "PUT", headers });
    assert_eq!(
        serde_json::to_string(&told).unwrap(),
        concat!(
            r#"{"id":"atc_1","name":"a.bin","mime_type":"x/y","#,
            r#""upload_descriptor":{"url":"/u","method":"PUT","headers":{"x-a":"b"}},"type":"file"}"#
        )
    );
}

/// M9: even if a hidden item came this far, none of its text would be written.
#[test]
fn hidden_items_have_no_text() {
    let hidden = HiddenContext { content: json!({"secret": "SECRET"}) };
    for content in [ItemContent::HiddenContextItem(hidden.clone()), ItemContent::SdkHiddenContext(hidden)] {
        let written = serde_json::to_string(&Item::from(&item(content))).unwrap();
        assert!(!written.contains("SECRET"), "{written}");
    }
}

fn cited(links: Vec<Link>) -> AssistantMessage {
    let citation = Citation {
        chunk_id: "c".into(),
        document_id: "d".into(),
        path: "policies/refunds.md".into(),
        title: "Refunds".into(),
        description: None,
        quote: "q".into(),
        locator: Locator::default(),
        index: 12,
        located: true,
    };
    AssistantMessage { text: "Größe 🦀".into(), citations: vec![citation], links }
}

fn link(annotation_index: usize, title: &str) -> Link {
    let kind = SourceKind::Url { url: "https://a.example/".into(), attribution: None };
    Link { annotation_index, index: 3, source: Source { title: title.into(), description: None, kind } }
}

fn attachment(kind: AttachmentKind) -> Attachment {
    Attachment {
        id: "atc_1".into(),
        name: "a.bin".into(),
        mime_type: "x/y".into(),
        size_bytes: 3,
        kind,
        sha256: Some("secret".into()),
        thread_id: Some("thr_1".into()),
        created_at: Timestamp::UNIX_EPOCH,
    }
}

fn thought() -> Task {
    Task { status_indicator: TaskStatus::Loading, kind: TaskKind::Thought { title: None, content: "c".into() } }
}

fn search() -> Task {
    let kind = SourceKind::Url { url: "https://a.example/".into(), attribution: None };
    let sources = vec![Source { title: "T".into(), description: Some("D".into()), kind }];
    let kind = TaskKind::WebSearch { title: None, title_query: None, queries: vec!["q".into()], sources };
    Task { status_indicator: TaskStatus::None, kind }
}
