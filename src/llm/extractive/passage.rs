//! From one telling piece to something readable: its neighbours, its list, its table header.

use std::ops::Range;

use crate::llm::extractive::unit::Unit;
use crate::model::{BlockKind, Hit, Span};

/// A paragraph up to this length is shown whole; of longer ones as many sentences as fit.
const PARAGRAPH_CHARS: usize = 700;
/// A passage shorter than this takes in its neighbours.
const SHORT_CHARS: usize = 320;
/// But does not grow beyond this.
const GROWN_CHARS: usize = 700;
/// A list up to this length is shown whole; of longer ones the items around the best.
const LIST_CHARS: usize = 900;
/// Rows of a table at the most, beside its header.
const MAX_ROWS: usize = 6;
/// Rows, the header among them, of a table that is shown whole beside the words that speak of it.
const SMALL_TABLE: usize = 8;
/// A further row is shown when it is worth this share of the best.
const ROW_SHARE: f32 = 0.85;

/// The lengths above in bytes of one text: a character has one to four.
struct Limits {
    paragraph: usize,
    short: usize,
    grown: usize,
    list: usize,
}

impl Limits {
    fn of(text: &str) -> Self {
        let letters = text.chars().count().max(1);
        let bytes = |chars: usize| chars * text.len() / letters;
        Self {
            paragraph: bytes(PARAGRAPH_CHARS),
            short: bytes(SHORT_CHARS),
            grown: bytes(GROWN_CHARS),
            list: bytes(LIST_CHARS),
        }
    }
}

/// What is shown of one hit.
#[derive(Debug, Clone)]
pub(super) struct Passage {
    /// Place of the hit in the request.
    pub(super) hit: usize,
    /// Where in the chunk's text it begins.
    pub(super) start: usize,
    end: usize,
    /// As shown.
    pub(super) text: String,
    /// The words of the chunk that it rests on.
    pub(super) quote: String,
    /// The heading it stands under.
    pub(super) label: String,
}

impl Passage {
    /// Whether both show some of the same words.
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        self.hit == other.hit && self.start < other.end && other.start < self.end
    }

    /// Whether the unit is part of it.
    pub(super) fn holds(&self, unit: &Unit) -> bool {
        self.hit == unit.hit && unit.range.start < self.end && self.start < unit.range.end
    }
}

/// The passage around `unit`. `units` are those of its hit with their scores, in order.
pub(super) fn around(hit: &Hit, unit: &Unit, units: &[(&Unit, f32)]) -> Passage {
    let span = &hit.chunk.spans[unit.span];
    let label = label(hit, span);
    if matches!(span.kind, BlockKind::TableRow { .. }) {
        return table(hit, unit, units, label);
    }
    let spans = &hit.chunk.spans;
    let limits = Limits::of(&hit.chunk.text);
    let range = match span.kind {
        BlockKind::ListItem => list(spans, unit.span, &limits),
        BlockKind::Paragraph => {
            let sentences = sentences(span, unit, units, &limits);
            announced_list(spans, unit.span, &sentences, &limits).unwrap_or_else(|| grown(spans, sentences, &limits))
        }
        _ => grown(spans, span.start..span.end, &limits),
    };
    with_tables(hit, unit.hit, range, label)
}

/// The words with the small tables right before and after them: they speak of these.
fn with_tables(hit: &Hit, place: usize, words: Range<usize>, label: String) -> Passage {
    let spans = &hit.chunk.spans;
    let text = |range: Range<usize>| hit.chunk.text.get(range).unwrap_or_default().trim().to_owned();
    let (mut start, mut end) = (words.start, words.end);
    let mut shown = text(words.clone());
    if let Some(table) = table_before(spans, words.start) {
        start = spans[table.start].start;
        shown = format!("{}\n\n{shown}", shown_table(hit, table));
    }
    if let Some(table) = table_after(spans, words.end) {
        end = spans[table.end - 1].end;
        shown = format!("{shown}\n\n{}", shown_table(hit, table));
    }
    Passage { hit: place, start, end, text: shown, quote: text(start..end), label }
}

fn label(hit: &Hit, span: &Span) -> String {
    let heading = span.locator.heading.clone().or_else(|| hit.chunk.heading_path.last().cloned());
    heading.filter(|heading| !heading.is_empty()).unwrap_or_else(|| hit.title.clone())
}

/// The sentence, then as many after it and before it in its paragraph as fit.
fn sentences(span: &Span, unit: &Unit, units: &[(&Unit, f32)], limits: &Limits) -> Range<usize> {
    if span.end - span.start <= limits.paragraph {
        return span.start..span.end;
    }
    let siblings: Vec<&Unit> = units.iter().map(|(other, _)| *other).filter(|other| other.span == unit.span).collect();
    let Some(place) = siblings.iter().position(|other| other.range == unit.range) else {
        return unit.range.clone();
    };
    let (mut first, mut last) = (place, place);
    let fits = |first: usize, last: usize| siblings[last].range.end - siblings[first].range.start <= limits.paragraph;
    // One sentence before, for what "it" and "this" mean, then what follows.
    if first > 0 && fits(first - 1, last) {
        first -= 1;
    }
    while last + 1 < siblings.len() && fits(first, last + 1) {
        last += 1;
    }
    while first > 0 && fits(first - 1, last) {
        first -= 1;
    }
    siblings[first].range.start..siblings[last].range.end
}

/// A paragraph that a list follows is shown with the list: it announces it.
fn announced_list(spans: &[Span], place: usize, sentences: &Range<usize>, limits: &Limits) -> Option<Range<usize>> {
    let follows = spans.get(place + 1).is_some_and(|next| next.kind == BlockKind::ListItem);
    let reaches_it = sentences.end == spans[place].end;
    (follows && reaches_it).then(|| {
        let list = list(spans, place + 1, limits);
        sentences.start.min(list.start)..list.end
    })
}

/// The list around the item at `place`, with the paragraph that leads into it.
fn list(spans: &[Span], place: usize, limits: &Limits) -> Range<usize> {
    let is_item = |index: usize| spans.get(index).is_some_and(|span| span.kind == BlockKind::ListItem);
    let (mut first, mut last) = (place, place);
    let fits = |first: usize, last: usize| spans[last].end - spans[first].start <= limits.list;
    loop {
        let before = first > 0 && is_item(first - 1) && fits(first - 1, last);
        let after = is_item(last + 1) && fits(first - usize::from(before), last + 1);
        first -= usize::from(before);
        last += usize::from(after);
        if !before && !after {
            break;
        }
    }
    let leads = first > 0 && spans[first - 1].kind == BlockKind::Paragraph;
    if leads && fits(first - 1, last) {
        first -= 1;
    }
    spans[first].start..spans[last].end
}

/// A short passage takes in its neighbours, what follows first: out of its place a line says little.
fn grown(spans: &[Span], range: Range<usize>, limits: &Limits) -> Range<usize> {
    let touched = |span: &&Span| span.start < range.end && range.start < span.end;
    let is_text = |span: &&Span| !is_row(span);
    let after = spans.iter().filter(|span| span.start >= range.end).take_while(is_text);
    let before = spans.iter().rev().filter(|span| span.end <= range.start).take_while(is_text);
    let mut grown = range.clone();
    // A passage cut within a paragraph is long enough.
    if !spans.iter().filter(touched).all(|span| grown.start <= span.start && span.end <= grown.end) {
        return grown;
    }
    for span in after {
        if grown.len() >= limits.short || span.end - grown.start > limits.grown {
            break;
        }
        grown.end = span.end;
    }
    for span in before {
        if span.end > grown.start {
            continue;
        }
        if grown.len() >= limits.short {
            break;
        }
        // A list is taken from its beginning, or not at all.
        let first = spans.iter().position(|other| other.start == span.start).map_or(span.start, |place| {
            let items = spans[..=place].iter().rev().take_while(|item| item.kind == BlockKind::ListItem);
            items.last().map_or(span.start, |item| item.start)
        });
        if grown.end - first > limits.grown {
            break;
        }
        grown.start = first;
    }
    grown
}

fn is_row(span: &Span) -> bool {
    matches!(span.kind, BlockKind::TableRow { .. })
}

/// The spans of the small table that ends where the words begin.
fn table_before(spans: &[Span], start: usize) -> Option<Range<usize>> {
    let after = spans.iter().position(|span| span.end > start).unwrap_or(spans.len());
    let rows = spans[..after].iter().rev().take_while(|span| is_row(span)).count();
    (1..=SMALL_TABLE).contains(&rows).then_some(after - rows..after)
}

/// The spans of the small table that begins where the words end.
fn table_after(spans: &[Span], end: usize) -> Option<Range<usize>> {
    let first = spans.iter().position(|span| span.start >= end)?;
    let rows = spans[first..].iter().take_while(|span| is_row(span)).count();
    (1..=SMALL_TABLE).contains(&rows).then_some(first..first + rows)
}

fn shown_table(hit: &Hit, rows: Range<usize>) -> String {
    let mut lines: Vec<String> = Vec::new();
    for (place, span) in hit.chunk.spans[rows].iter().enumerate() {
        let row = hit.chunk.text.get(span.start..span.end).unwrap_or_default();
        lines.push(row.to_owned());
        if place == 0 {
            lines.push(rule(row));
        }
    }
    lines.join("\n")
}

/// The header and the best rows, in order. The quote is the best row alone: the rows shown need not touch.
fn table(hit: &Hit, unit: &Unit, units: &[(&Unit, f32)], label: String) -> Passage {
    let spans = &hit.chunk.spans;
    let row_at = |index: usize| is_row(&spans[index]);
    let is_header = |index: usize| spans[index].kind == BlockKind::TableRow { header: true };
    let first = (0..=unit.span).rev().take_while(|index| row_at(*index)).last().unwrap_or(unit.span);
    let last = (unit.span..spans.len()).take_while(|index| row_at(*index)).last().unwrap_or(unit.span);
    let score = |index: usize| units.iter().find(|(other, _)| other.span == index).map_or(0.0, |(_, score)| *score);
    let best = score(unit.span);
    let body: Vec<usize> = (first..=last).filter(|index| !is_header(*index)).collect();
    let mut rows: Vec<usize> = if body.len() <= MAX_ROWS || is_header(unit.span) {
        body.into_iter().take(MAX_ROWS).collect()
    } else {
        body.into_iter().filter(|index| score(*index) >= best * ROW_SHARE).collect()
    };
    if rows.len() > MAX_ROWS {
        rows.sort_by(|one, other| score(*other).total_cmp(&score(*one)).then(one.cmp(other)));
        rows.truncate(MAX_ROWS);
        rows.sort_unstable();
    }
    let row_text = |index: usize| hit.chunk.text.get(spans[index].start..spans[index].end).unwrap_or_default();
    let mut lines: Vec<String> = Vec::new();
    for header in (first..=last).filter(|index| is_header(*index)).take(1) {
        lines.push(row_text(header).to_owned());
        lines.push(rule(row_text(header)));
    }
    lines.extend(rows.iter().map(|row| row_text(*row).to_owned()));
    let quoted = if is_header(unit.span) { rows.first().copied().unwrap_or(unit.span) } else { unit.span };
    Passage {
        hit: unit.hit,
        start: spans[first].start,
        end: spans[last].end,
        text: lines.join("\n"),
        quote: row_text(quoted).trim().to_owned(),
        label,
    }
}

/// The line of dashes under a header row.
fn rule(header: &str) -> String {
    let cells = header.trim().trim_matches('|').split('|').count();
    format!("|{}", " --- |".repeat(cells))
}
