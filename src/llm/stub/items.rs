//! What the stub tells beside text.

use serde_json::{Map, Value, json};

use crate::llm::ChatRequest;
use crate::model::Hit;
use crate::model::file_name;
use crate::model::item::{
    Beside, CallStatus, ClientToolCall, GeneratedImage, HiddenContext, Image, InputOption, InputQuestion, InputStatus,
    ItemUpdate, Source, SourceKind, StructuredInput, Task, TaskKind, TaskStatus, Widget, Workflow, WorkflowKind,
    WorkflowSummary,
};
use crate::model::thread::ItemContent;

/// One grey dot.
const DOT: &str = "data:image/gif;base64,R0lGODlhAQABAIAAAHd3dwAAACwAAAAAAQABAAACAkQBADs=";

/// A workflow that reads what was found.
pub(super) fn workflow(request: &ChatRequest) -> Vec<Beside> {
    let sources = sources(&request.hits);
    let read = sources.len();
    let task = Task {
        status_indicator: TaskStatus::Complete,
        kind: TaskKind::File { title: Some("Reading documents".to_owned()), sources },
    };
    let begun = Workflow { r#type: WorkflowKind::Custom, tasks: Vec::new(), summary: None, expanded: false };
    let noun = if read == 1 { "document" } else { "documents" };
    let summary = WorkflowSummary { title: Some(format!("Read {read} {noun}")), ..WorkflowSummary::default() };
    let ended = Workflow { tasks: vec![task.clone()], summary: Some(summary), ..begun.clone() };
    vec![
        Beside::ItemAdded(ItemContent::Workflow { workflow: begun }),
        Beside::ItemUpdated(ItemUpdate::TaskAdded { task_index: 0, task }),
        Beside::ItemDone(ItemContent::Workflow { workflow: ended }),
    ]
}

/// A call of a tool that the page has.
pub(super) fn tool_call(request: &ChatRequest) -> ItemContent {
    let document = request.hits.first().map(|hit| hit.chunk.document_id.clone());
    ItemContent::ClientToolCall(ClientToolCall {
        status: CallStatus::Pending,
        call_id: "call_1".to_owned(),
        name: "open_document".to_owned(),
        arguments: object(json!({"document_id": document, "page": null})),
        output: None,
    })
}

/// A form of one question to choose from and one to write.
pub(super) fn form() -> ItemContent {
    let option = |value: &str| InputOption { value: value.to_owned() };
    ItemContent::StructuredInput(StructuredInput {
        status: InputStatus::Pending,
        inputs: vec![
            InputQuestion::MultipleChoice {
                id: "reason".to_owned(),
                question: "Why are you returning it?".to_owned(),
                options: vec![option("Damaged"), option("Wrong size")],
                multiple: false,
                answer: None,
            },
            InputQuestion::Freeform {
                id: "note".to_owned(),
                question: "Anything else?".to_owned(),
                description: None,
                answer: None,
            },
        ],
    })
}

/// A card with one line.
pub(super) fn card(line: &str) -> ItemContent {
    let widget = json!({"type": "Card", "children": [{"id": "t", "type": "Text", "value": line}]});
    ItemContent::Widget(Widget { widget: object(widget), copy_text: Some(line.to_owned()) })
}

/// A step on its own.
pub(super) fn task() -> ItemContent {
    let kind = TaskKind::Custom {
        title: Some("Checked the documents".to_owned()),
        icon: Some("check".to_owned()),
        content: Some("Nothing was missing.".to_owned()),
    };
    ItemContent::Task { task: Task { status_indicator: TaskStatus::Complete, kind } }
}

/// A picture that comes in two steps.
pub(super) fn image() -> Vec<Beside> {
    let image = || Image { id: "image_1".to_owned(), url: DOT.to_owned() };
    vec![
        Beside::ItemAdded(ItemContent::GeneratedImage(GeneratedImage { image: None })),
        Beside::ItemUpdated(ItemUpdate::Image { image: image(), progress: Some(0.5) }),
        Beside::ItemDone(ItemContent::GeneratedImage(GeneratedImage { image: Some(image()) })),
    ]
}

/// Context of both kinds for the model alone.
pub(super) fn hidden() -> Vec<Beside> {
    let context = |text: &str| HiddenContext { content: Value::String(text.to_owned()) };
    vec![
        Beside::ItemDone(ItemContent::HiddenContextItem(context("HIDDEN: the visitor is known."))),
        Beside::ItemDone(ItemContent::SdkHiddenContext(context("HIDDEN: nothing was cancelled."))),
    ]
}

/// The fields of an object.
pub(super) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn sources(hits: &[Hit]) -> Vec<Source> {
    let mut sources: Vec<Source> = Vec::new();
    for hit in hits {
        let kind = SourceKind::File { filename: file_name(&hit.path).to_owned() };
        let source = Source { title: hit.title.clone(), description: None, kind };
        if !sources.contains(&source) {
            sources.push(source);
        }
    }
    sources
}
