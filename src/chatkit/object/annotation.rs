//! Marks in an answer's text: citations of documents, and links to pages of the web and things that the page knows.

use serde::Serialize;

use crate::model::Citation;
use crate::model::item::{Link, Source};
use crate::model::thread::AssistantMessage;

/// Said of a citation that names a document only.
const UNLOCATED: &str = "The place in the document is not known.";

/// A part of an answer.
#[derive(Debug, Clone, Serialize)]
pub struct AssistantContent<'a> {
    annotations: Vec<Annotation<'a>>,
    text: &'a str,
    r#type: &'static str,
}

/// A mark in an answer's text that names a source.
#[derive(Debug, Clone, Serialize)]
pub struct Annotation<'a> {
    r#type: &'static str,
    source: AnnotationSource<'a>,
    index: usize,
}

#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
enum AnnotationSource<'a> {
    Cited(FileSource<'a>),
    Linked(&'a Source),
}

#[derive(Debug, Clone, Serialize)]
struct FileSource<'a> {
    title: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    r#type: &'static str,
    filename: &'a str,
}

impl<'a> From<&'a AssistantMessage> for AssistantContent<'a> {
    fn from(message: &'a AssistantMessage) -> Self {
        Self { annotations: merged(&message.citations, &message.links), text: &message.text, r#type: "output_text" }
    }
}

impl<'a> From<&'a Citation> for Annotation<'a> {
    fn from(citation: &'a Citation) -> Self {
        let source = FileSource {
            title: &citation.title,
            description: if citation.located { citation.description.as_deref() } else { Some(UNLOCATED) },
            r#type: "file",
            filename: citation.filename(),
        };
        Self { r#type: "annotation", source: AnnotationSource::Cited(source), index: citation.index }
    }
}

impl<'a> From<&'a Link> for Annotation<'a> {
    fn from(link: &'a Link) -> Self {
        Self { r#type: "annotation", source: AnnotationSource::Linked(&link.source), index: link.index }
    }
}

/// All marks in the order in which they were told: each link knows its place, citations take the others.
fn merged<'a>(citations: &'a [Citation], links: &'a [Link]) -> Vec<Annotation<'a>> {
    let (mut cited, mut linked) = (citations.iter(), links.iter().peekable());
    let mut marks = Vec::with_capacity(citations.len() + links.len());
    loop {
        // A link stands late only in what was stored wrongly; it is not lost for that.
        let link = linked.next_if(|link| link.annotation_index <= marks.len()).map(Annotation::from);
        match link.or_else(|| cited.next().map(Annotation::from)).or_else(|| linked.next().map(Annotation::from)) {
            Some(mark) => marks.push(mark),
            None => return marks,
        }
    }
}
