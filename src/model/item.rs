//! What threads hold beside messages: tasks, widgets, forms, calls of the page's tools, hidden context.
//!
//! Names and defaults are those of the ChatKit protocol. Free-form objects are kept as they are.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::model::thread::{ItemContent, ThreadStatus};

/// A call of a tool that the page has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClientToolCall {
    /// Whether the page has answered.
    pub status: CallStatus,
    /// The id the model gave the call.
    pub call_id: String,
    /// The tool.
    pub name: String,
    /// What it is called with.
    pub arguments: Map<String, Value>,
    /// What it gave; `None` before, and for a result of null.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Value>,
}

/// Whether a tool call was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallStatus {
    /// It waits.
    Pending,
    /// It was.
    Completed,
}

/// A widget: a tree of components that the page draws.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Widget {
    /// Its root component: `Card`, `ListView` or `Basic`.
    pub widget: Map<String, Value>,
    /// What is copied when a visitor copies it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copy_text: Option<String>,
}

/// A picture that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GeneratedImage {
    /// It, once there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Image>,
}

/// A picture by its address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// Its id.
    pub id: String,
    /// Its address.
    pub url: String,
}

/// A form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StructuredInput {
    /// Whether it was filled in.
    pub status: InputStatus,
    /// Its questions.
    pub inputs: Vec<InputQuestion>,
}

/// Whether a form was filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InputStatus {
    /// It waits.
    Pending,
    /// It was.
    Answered,
    /// The visitor did not want to.
    Skipped,
}

/// A question of a form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum InputQuestion {
    /// One or more of some values.
    MultipleChoice {
        /// The question's id.
        id: String,
        /// The question.
        question: String,
        /// The values.
        options: Vec<InputOption>,
        /// Whether several may be chosen.
        #[serde(default)]
        multiple: bool,
        /// What was answered.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        answer: Option<InputAnswer>,
    },
    /// Any text.
    Freeform {
        /// The question's id.
        id: String,
        /// The question.
        question: String,
        /// More about it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<String>,
        /// What was answered.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        answer: Option<InputAnswer>,
    },
}

/// A value to choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputOption {
    /// It.
    pub value: String,
}

/// An answer to a question of a form.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputAnswer {
    /// What was chosen or written.
    #[serde(default)]
    pub values: Vec<String>,
    /// Whether it was left out.
    #[serde(default)]
    pub skipped: bool,
}

/// What a visitor sends for a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputSubmission {
    /// Whether the form was filled in; never [`InputStatus::Pending`].
    pub status: InputStatus,
    /// Answers by the ids of their questions.
    pub answers: Vec<(String, InputAnswer)>,
}

/// Steps that a bot shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Workflow {
    /// What kind of steps.
    pub r#type: WorkflowKind,
    /// The steps.
    pub tasks: Vec<Task>,
    /// What is shown when it is folded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<WorkflowSummary>,
    /// Whether it is unfolded.
    #[serde(default)]
    pub expanded: bool,
}

/// What kind of steps a workflow has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkflowKind {
    /// The bot's own.
    Custom,
    /// A model's thoughts.
    Reasoning,
}

/// What is shown of a folded workflow: a title, or how long it took.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkflowSummary {
    /// A title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The name of a picture beside the title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon: Option<String>,
    /// Seconds it took; without a title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<u64>,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// How far it is.
    #[serde(default)]
    pub status_indicator: TaskStatus,
    /// What it is.
    #[serde(flatten)]
    pub kind: TaskKind,
}

/// How far a step is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskStatus {
    /// Not told.
    #[default]
    None,
    /// It goes on.
    Loading,
    /// It is done.
    Complete,
}

/// What a step is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum TaskKind {
    /// Anything.
    Custom {
        /// Its title.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
        /// The name of a picture.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        icon: Option<String>,
        /// More about it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        content: Option<String>,
    },
    /// A search in the web.
    WebSearch {
        /// Its title.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
        /// The query in the title.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title_query: Option<String>,
        /// The queries.
        #[serde(default)]
        queries: Vec<String>,
        /// What was found.
        #[serde(default)]
        sources: Vec<Source>,
    },
    /// A thought of the model.
    Thought {
        /// Its title.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
        /// The thought.
        content: String,
    },
    /// Reading documents.
    File {
        /// Its title.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
        /// The documents.
        #[serde(default)]
        sources: Vec<Source>,
    },
    /// Making a picture.
    Image {
        /// Its title.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
    },
}

/// What an annotation or a step names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// Its title.
    pub title: String,
    /// More about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What it is.
    #[serde(flatten)]
    pub kind: SourceKind,
}

/// What a source is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum SourceKind {
    /// A file.
    File {
        /// Its name.
        filename: String,
    },
    /// A page of the web.
    Url {
        /// Its address.
        url: String,
        /// Whose it is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        attribution: Option<String>,
    },
    /// A thing that the page knows.
    Entity {
        /// Its id.
        id: String,
        /// The name of a picture.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        icon: Option<String>,
        /// What is shown for it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        label: Option<String>,
        /// What is shown for it within a line.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        inline_label: Option<String>,
        /// Whether it can be clicked.
        #[serde(default)]
        interactive: bool,
        /// What the page keeps with it.
        #[serde(default)]
        data: Map<String, Value>,
    },
}

/// A mark in an answer that is no citation of a document: a page of the web, a thing the page knows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Link {
    /// Its place among all marks of the answer, citations included.
    pub annotation_index: usize,
    /// Position in the text after which it belongs, in Unicode code points.
    pub index: usize,
    /// What it names.
    pub source: Source,
}

/// Text for the model alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HiddenContext {
    /// It. The protocol's own kind holds a text, the other anything.
    pub content: Value,
}

/// What a widget asks for when a visitor touches it.
#[derive(Debug, Clone, PartialEq)]
pub struct Action {
    /// Which action.
    pub r#type: String,
    /// What it comes with.
    pub payload: Value,
}

/// What a turn begins with.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Cue {
    /// A visitor's message.
    #[default]
    Message,
    /// The page ran a tool.
    ToolOutput(ClientToolCall),
    /// A visitor sent a form.
    Form(StructuredInput),
    /// A visitor touched a widget, or the page acts by itself.
    Action {
        /// The action.
        action: Action,
        /// The widget's item, if it came from one.
        widget: Option<(String, Widget)>,
    },
}

/// What a turn does beside writing its message.
#[derive(Debug, Clone, PartialEq)]
pub enum Beside {
    /// Tells what is being done; never stored.
    Progress {
        /// The name of a picture.
        icon: Option<String>,
        /// For people.
        text: String,
    },
    /// Tells something in the thread; never stored.
    Notice {
        /// How much it matters.
        level: NoticeLevel,
        /// For people, Markdown.
        message: String,
        /// Its heading.
        title: Option<String>,
    },
    /// Makes the page do something; never stored.
    Effect {
        /// What.
        name: String,
        /// With what.
        data: Map<String, Value>,
    },
    /// Sets the thread's title, unless a visitor gave it one.
    Title(String),
    /// Locks, closes or opens the thread.
    Status(ThreadStatus),
    /// Begins an item; it is told, and not stored. One is open at a time.
    ItemAdded(ItemContent),
    /// Changes the open item.
    ItemUpdated(ItemUpdate),
    /// Ends the open item with its last content, or tells a whole one when none is open. It is stored before.
    ItemDone(ItemContent),
    /// Replaces a stored item of this thread.
    ItemReplaced {
        /// Which.
        which: Which,
        /// By what.
        content: ItemContent,
    },
    /// Removes a stored item of this thread.
    ItemRemoved {
        /// Which.
        which: Which,
    },
    /// A call of the model is tried again after a failure; counted, not told.
    Retrying,
    /// The model failed and another backend answers; told as a notice, and counted.
    FellBack,
}

/// A stored item of the thread. Ids are made where items are stored, so a backend knows few of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// The one that this turn stored last.
    Last,
    /// The one with this id.
    Id(String),
}

/// How much a notice matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeLevel {
    /// Good to know.
    Info,
    /// Take care.
    Warning,
    /// Something is wrong.
    Danger,
}

/// How an open item changes. Names and fields are those of the protocol's updates.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type")]
pub enum ItemUpdate {
    /// A workflow gets a step.
    #[serde(rename = "workflow.task.added")]
    TaskAdded {
        /// Its place.
        task_index: usize,
        /// It.
        task: Task,
    },
    /// A step changes.
    #[serde(rename = "workflow.task.updated")]
    TaskUpdated {
        /// Its place.
        task_index: usize,
        /// What it is now.
        task: Task,
    },
    /// A text in a widget grows.
    #[serde(rename = "widget.streaming_text.value_delta")]
    WidgetText {
        /// The component.
        component_id: String,
        /// More text.
        delta: String,
        /// Whether the text is whole now.
        done: bool,
    },
    /// A component of a widget changes.
    #[serde(rename = "widget.component.updated")]
    WidgetComponent {
        /// Which.
        component_id: String,
        /// What it is now.
        component: Map<String, Value>,
    },
    /// A widget changes as a whole.
    #[serde(rename = "widget.root.updated")]
    WidgetRoot {
        /// What it is now.
        widget: Map<String, Value>,
    },
    /// A picture is on its way.
    #[serde(rename = "generated_image.updated")]
    Image {
        /// What there is of it.
        image: Image,
        /// How much, 0 to 1.
        #[serde(skip_serializing_if = "Option::is_none")]
        progress: Option<f64>,
    },
}
