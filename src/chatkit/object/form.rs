//! Forms, in the reference's key order: the answer stands before the kind of the question.

use serde::Serialize;

use crate::model::item::{InputAnswer, InputOption, InputQuestion, InputStatus, StructuredInput};

/// A form's own fields.
#[derive(Debug, Clone, Serialize)]
pub(super) struct FormFields<'a> {
    status: InputStatus,
    inputs: Vec<Question<'a>>,
}

#[derive(Debug, Clone, Serialize)]
struct Question<'a> {
    id: &'a str,
    #[serde(rename = "question")]
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<&'a InputAnswer>,
    r#type: &'static str,
    #[serde(flatten)]
    kind: Kind<'a>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
enum Kind<'a> {
    MultipleChoice {
        options: &'a [InputOption],
        multiple: bool,
    },
    Freeform {
        #[serde(skip_serializing_if = "Option::is_none")]
        description: Option<&'a str>,
    },
}

impl<'a> From<&'a StructuredInput> for FormFields<'a> {
    fn from(form: &'a StructuredInput) -> Self {
        Self { status: form.status, inputs: form.inputs.iter().map(Question::from).collect() }
    }
}

impl<'a> From<&'a InputQuestion> for Question<'a> {
    fn from(question: &'a InputQuestion) -> Self {
        match question {
            InputQuestion::MultipleChoice { id, question, options, multiple, answer } => Self {
                id,
                text: question,
                answer: answer.as_ref(),
                r#type: "multiple_choice",
                kind: Kind::MultipleChoice { options, multiple: *multiple },
            },
            InputQuestion::Freeform { id, question, description, answer } => Self {
                id,
                text: question,
                answer: answer.as_ref(),
                r#type: "freeform",
                kind: Kind::Freeform { description: description.as_deref() },
            },
        }
    }
}
