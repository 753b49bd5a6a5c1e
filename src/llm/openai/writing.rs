//! One answer while it is written: the service's events become ours.
//!
//! All text goes through [`Writer`]. Nothing is told before the answer is known to have a source, which the service
//! says right behind its first claim, and nothing before the end where the whole has to be looked through first: what
//! was told cannot be unsaid.

use std::collections::HashSet;

use crate::llm::ModelEvent;
use crate::llm::chat::quote;
use crate::llm::chat::text::Writer;
use crate::llm::openai::position::Positions;
use crate::llm::openai::sources::Sources;
use crate::model::Hit;
use crate::model::item::Beside;
use crate::openai::responses::{Event, FileCitation, Item, MessagePart, Part, Response};
use crate::openai::vector_store::Attributes;

/// Stands between two parts of an answer.
const BETWEEN_PARTS: &str = "\n\n";
/// A claim is looked for in so much of the text before its mark, in characters.
const CLAIM_CHARS: usize = 600;

/// Until when an answer is held back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hold {
    /// Until it has a source.
    UntilSupported,
    /// Until it is whole, and released by [`Writing::release`].
    ToTheEnd,
}

/// One answer while it is written.
pub(super) struct Writing {
    writer: Writer,
    /// Which hits of the request the model was given by numbers, in their order.
    given: Vec<usize>,
    sources: Sources,
    parts: Vec<Text>,
    /// Messages that only say what the model is about to do.
    commentary: HashSet<(String, u64)>,
    positions: Positions,
    /// Citations that were told, by file and place.
    told: HashSet<(String, usize)>,
    held: Vec<ModelEvent>,
    hold: Hold,
    is_supported: bool,
    has_declined: bool,
    progress: Progress,
}

/// One part of the answer's text.
struct Text {
    part: Part,
    words: String,
    /// Where it begins, in characters of all that the service wrote.
    start: usize,
    chars: usize,
    /// Citations that came, by file and index: the service says each of them more than once.
    seen: HashSet<(String, Option<usize>)>,
    /// Citations whose place is not there yet; without one they belong to the end of the part.
    pending: Vec<(String, Option<usize>)>,
}

/// What a visitor was told of the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Progress {
    None,
    Searching,
    Reading,
    Writing,
}

impl Writing {
    /// Nothing yet, for a model that was given these of the request's hits by numbers.
    pub(super) fn new(hits: Vec<Hit>, given: Vec<usize>, hold: Hold) -> Self {
        let count = given.len();
        Self {
            writer: Writer::unheld(hits, count),
            given,
            sources: Sources::default(),
            parts: Vec::new(),
            commentary: HashSet::new(),
            positions: Positions::default(),
            told: HashSet::new(),
            held: Vec::new(),
            hold,
            is_supported: false,
            has_declined: false,
            progress: Progress::None,
        }
    }

    /// Whether it has a source.
    pub(super) fn is_supported(&self) -> bool {
        self.is_supported
    }

    /// Whether there is any text that is no thought.
    pub(super) fn has_text(&self) -> bool {
        self.writer.has_text()
    }

    /// Whether the model says that it will not answer.
    pub(super) fn has_declined(&self) -> bool {
        self.has_declined
    }

    /// How many searches were made.
    pub(super) fn searches(&self) -> usize {
        self.sources.searches()
    }

    /// Whether this file has to be looked up before it can be cited.
    pub(super) fn needs(&self, citation: &FileCitation) -> bool {
        !self.sources.has_results() && !self.sources.knows(&citation.file_id)
    }

    /// Takes what was looked up.
    pub(super) fn add(&mut self, citation: &FileCitation, attributes: &Attributes) -> Vec<ModelEvent> {
        let found = self.sources.add(&citation.file_id, &citation.filename, attributes);
        found.map(|found| ModelEvent::Found(vec![found])).into_iter().collect()
    }

    /// What an event gives.
    pub(super) fn take(&mut self, event: Event) -> Vec<ModelEvent> {
        let mut events = Vec::new();
        match event {
            Event::Searching => self.show(Progress::Searching, &mut events),
            Event::Began(part, Item::Message(message)) if message.is_commentary => {
                self.commentary.insert((part.item_id, part.output_index));
            }
            Event::Began(..) => {}
            Event::Item(item) => self.take_item(&item, &mut events),
            Event::Text(part, delta) => self.say(&part, &delta, &mut events),
            Event::WholeText(part, text) => self.complete(&part, &text, &mut events),
            Event::Citation(part, citation) => self.cite(&part, &citation, &mut events),
            Event::Part(part, whole) => self.take_part(&part, &whole, &mut events),
            Event::Refusal => self.has_declined = true,
            Event::End(response) => self.end(&response, &mut events),
        }
        self.let_through(events)
    }

    /// What was held back.
    pub(super) fn release(&mut self) -> Vec<ModelEvent> {
        joined(std::mem::take(&mut self.held))
    }

    /// The text that is held back, as far as it is told.
    pub(super) fn held_text(&self) -> String {
        let texts = self.held.iter().filter_map(|event| match event {
            ModelEvent::Text(text) => Some(text.as_str()),
            _ => None,
        });
        texts.collect()
    }

    fn take_item(&mut self, item: &Item, events: &mut Vec<ModelEvent>) {
        let Item::Search { id, results } = item else {
            return;
        };
        let found = self.sources.take(id, results.as_deref());
        if !found.is_empty() {
            for piece in &found {
                self.writer.allow_addresses_of(&piece.text);
            }
            events.push(ModelEvent::Found(found));
        }
        self.show(Progress::Reading, events);
    }

    fn take_part(&mut self, part: &Part, whole: &MessagePart, events: &mut Vec<ModelEvent>) {
        match whole {
            MessagePart::Text { text, citations } => {
                self.complete(part, text, events);
                for citation in citations {
                    self.cite(part, citation, events);
                }
                self.close(part, events);
            }
            MessagePart::Refusal => self.has_declined = true,
            MessagePart::Other => {}
        }
    }

    /// The whole answer, of which some or all may have come before. Its parts are those that came, in their order:
    /// servers number them differently at the end.
    fn end(&mut self, response: &Response, events: &mut Vec<ModelEvent>) {
        for item in &response.output {
            self.take_item(item, events);
        }
        let known: Vec<Part> = self.parts.iter().map(|text| text.part.clone()).collect();
        let is_empty = |part: &&MessagePart| matches!(part, MessagePart::Text { text, .. } if text.is_empty());
        let mut texts = 0;
        for part in response.parts().filter(|part| !is_empty(part)) {
            let place = known.get(texts).cloned();
            texts += usize::from(matches!(part, MessagePart::Text { .. }));
            let unknown = || Part { item_id: format!("part {texts} of the end"), ..Part::default() };
            self.take_part(&place.unwrap_or_else(unknown), part, events);
        }
        for part in known {
            self.close(&part, events);
        }
        let told = self.writer.finish();
        self.pass(told, events);
    }

    /// The place of this part among the texts; none where nobody wants to hear it.
    fn text_of(&mut self, part: &Part, events: &mut Vec<ModelEvent>) -> Option<usize> {
        if self.commentary.contains(&(part.item_id.clone(), part.output_index)) {
            return None;
        }
        if let Some(place) = self.parts.iter().position(|text| text.part == *part) {
            return Some(place);
        }
        if let Some(before) = self.parts.last().map(|text| text.part.clone()) {
            self.close(&before, events);
            self.write(BETWEEN_PARTS, events);
        }
        self.parts.push(Text {
            part: part.clone(),
            words: String::new(),
            start: self.positions.written(),
            chars: 0,
            seen: HashSet::new(),
            pending: Vec::new(),
        });
        Some(self.parts.len() - 1)
    }

    fn say(&mut self, part: &Part, delta: &str, events: &mut Vec<ModelEvent>) {
        if delta.is_empty() {
            return;
        }
        self.show(Progress::Writing, events);
        let Some(place) = self.text_of(part, events) else {
            return;
        };
        // What comes for a part after another one has begun would stand in the wrong place.
        if place + 1 < self.parts.len() {
            return;
        }
        let text = &mut self.parts[place];
        text.words.push_str(delta);
        text.chars += delta.chars().count();
        self.write(delta, events);
        self.resolve(place, false, events);
    }

    /// The rest of a part's text, when not all of it came.
    fn complete(&mut self, part: &Part, whole: &str, events: &mut Vec<ModelEvent>) {
        let known = self.parts.iter().find(|text| text.part == *part).map_or("", |text| text.words.as_str());
        if let Some(rest) = whole.strip_prefix(known).map(str::to_owned) {
            self.say(part, &rest, events);
        }
    }

    fn cite(&mut self, part: &Part, citation: &FileCitation, events: &mut Vec<ModelEvent>) {
        let Some(place) = self.text_of(part, events) else {
            return;
        };
        let file_id = citation.file_id.clone();
        if !self.parts[place].seen.insert((file_id.clone(), citation.index)) {
            return;
        }
        if !self.sources.knows(&file_id) {
            events.push(ModelEvent::InventedMarker);
            return;
        }
        self.is_supported = true;
        // What could be the number of a file is none of the text: a claim is longer than that.
        let index = citation.index.filter(|index| *index >= self.sources.files().max(1));
        self.parts[place].pending.push((file_id, index));
        self.resolve(place, false, events);
    }

    fn close(&mut self, part: &Part, events: &mut Vec<ModelEvent>) {
        if let Some(place) = self.parts.iter().position(|text| text.part == *part) {
            self.resolve(place, true, events);
        }
    }

    /// Tells the citations whose place has come; at the end of the part all of them.
    fn resolve(&mut self, place: usize, is_end: bool, events: &mut Vec<ModelEvent>) {
        let text = &mut self.parts[place];
        let chars = text.chars;
        let is_due = |index: &Option<usize>| is_end || index.is_some_and(|index| index <= chars);
        let (due, waiting) = std::mem::take(&mut text.pending).into_iter().partition(|(_, index)| is_due(index));
        text.pending = waiting;
        let due: Vec<(String, Option<usize>)> = due;
        for (file_id, index) in due {
            self.tell_citation(place, file_id, index.unwrap_or(chars).min(chars), events);
        }
    }

    fn tell_citation(&mut self, place: usize, file_id: String, index: usize, events: &mut Vec<ModelEvent>) {
        let text = &self.parts[place];
        let before: String = text.words.chars().take(index).skip(index.saturating_sub(CLAIM_CHARS)).collect();
        let Some((found, quote)) = self.sources.choose(&file_id, quote::claim(&before)) else {
            return;
        };
        let at = self.positions.told_at(text.start + index);
        if self.told.insert((file_id, at)) {
            events.push(ModelEvent::CiteFound { found, quote, at });
        }
    }

    /// Writes piece by piece, so that places in the service's text are known in ours.
    fn write(&mut self, text: &str, events: &mut Vec<ModelEvent>) {
        let mut rest = text;
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(piece_length(rest));
            let told = self.writer.push(piece);
            self.pass(told, events);
            self.positions.add(piece.chars().count(), self.writer.told_chars());
            rest = after;
        }
    }

    /// Markers that name what the model was given by numbers are sources, too.
    fn pass(&mut self, told: Vec<ModelEvent>, events: &mut Vec<ModelEvent>) {
        for event in told {
            match event {
                ModelEvent::Cite { hit, quote } => {
                    self.is_supported = true;
                    events.extend(self.given.get(hit).map(|hit| ModelEvent::Cite { hit: *hit, quote }));
                }
                event => events.push(event),
            }
        }
    }

    /// What may be told of this now, with what was held back before.
    fn let_through(&mut self, events: Vec<ModelEvent>) -> Vec<ModelEvent> {
        let is_free = self.hold == Hold::UntilSupported && self.is_supported;
        let mut through = Vec::new();
        for event in events {
            let is_text = matches!(event, ModelEvent::Text(_) | ModelEvent::Cite { .. } | ModelEvent::CiteFound { .. });
            if is_text && !is_free {
                self.held.push(event);
            } else {
                // What is no text of the message may come before what was held: nobody sees the difference.
                if is_text {
                    through.append(&mut self.held);
                }
                through.push(event);
            }
        }
        if is_free {
            through.append(&mut self.held);
        }
        joined(through)
    }

    /// Tells what is being done, each step once.
    fn show(&mut self, progress: Progress, events: &mut Vec<ModelEvent>) {
        if progress <= self.progress {
            return;
        }
        self.progress = progress;
        let (icon, text) = match progress {
            Progress::None => return,
            Progress::Searching => ("search", "Searching the documents"),
            Progress::Reading => ("document", "Reading what was found"),
            Progress::Writing => ("write", "Writing the answer"),
        };
        events.push(ModelEvent::Beside(Beside::Progress { icon: Some(icon.to_owned()), text: text.to_owned() }));
    }
}

/// How many bytes of a text are written together: a word of ASCII, or one other character.
fn piece_length(text: &str) -> usize {
    match text.bytes().take_while(u8::is_ascii_alphanumeric).count() {
        0 => text.chars().next().map_or(0, char::len_utf8),
        word => word,
    }
}

/// The same events, with texts that follow each other in one.
fn joined(events: Vec<ModelEvent>) -> Vec<ModelEvent> {
    let mut joined: Vec<ModelEvent> = Vec::with_capacity(events.len());
    for event in events {
        match (joined.last_mut(), event) {
            (Some(ModelEvent::Text(text)), ModelEvent::Text(more)) => text.push_str(&more),
            (_, event) => joined.push(event),
        }
    }
    joined
}
