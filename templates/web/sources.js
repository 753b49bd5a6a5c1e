// The sources of an answer: which footnote mark belongs to which source, and the list under the answer.

import { fileUrl, previewUrl } from './api.js';
import { el, icon } from './dom.js';
import { linkTarget, readableAddress } from './safe.js';

const text = (value) => (typeof value === 'string' && value.trim() !== '' ? value : null);

/** All annotations of a message in order, each with the part and the code point it stands at. */
function flatten(parts) {
  return parts.flatMap((part, partIndex) => part.annotations.map((annotation) => ({
    part: partIndex,
    // Without a position the mark goes behind the text.
    pos: Number.isInteger(annotation.index) ? Math.max(annotation.index, 0) : Infinity,
    index: annotation.index ?? null,
    source: annotation.source ?? {},
  })));
}

/**
 * Finds the citation of each annotation. The server sends them in the same order; if that does not fit,
 * position and file name decide.
 */
function pair(all, citations) {
  // Pages of the web and things of the page are no citations of documents.
  const isFile = (note) => note.source.type === undefined || note.source.type === 'file';
  const { paired, rest } = pairFiles(all.filter(isFile), citations);
  return { paired: all.map((note) => (isFile(note) ? paired.shift() : null)), rest };
}

function pairFiles(notes, citations) {
  const inOrder = citations.length === notes.length
    && notes.every((note, i) => (citations[i].annotation_index ?? null) === note.index);
  if (inOrder) return { paired: [...citations], rest: [] };
  const rest = [...citations];
  const take = (fits) => {
    const at = rest.findIndex(fits);
    return at < 0 ? null : rest.splice(at, 1)[0];
  };
  const paired = notes.map((note) => take((one) => one.annotation_index === note.index && one.filename === note.source.filename)
    ?? take((one) => one.annotation_index === note.index));
  return { paired, rest };
}

function toSource(note, citation, documents) {
  const kind = note?.source.type;
  if (kind === 'url' || kind === 'entity') return toOther(note.source);
  const filename = text(citation?.filename) ?? text(note?.source.filename);
  // A citation says which document it means, or that this server does not have it; only without one its name must do.
  const known = citation
    ? documents.find((one) => one.id === citation.document_id)
    : documents.find((one) => filename !== null && one.filename === filename);
  return {
    documentId: citation ? citation.document_id ?? null : known?.id ?? null,
    located: citation?.located !== false,
    filename,
    title: text(citation?.title) ?? text(known?.title) ?? text(note?.source.title) ?? filename ?? 'Source',
    page: citation?.page ?? null,
    slide: citation?.slide ?? null,
    sheet: text(citation?.sheet),
    rows: Array.isArray(citation?.rows) ? citation.rows : null,
    heading: text(citation?.heading),
    quote: text(citation?.quote),
  };
}

/** A page of the web, or a thing that some page knows. */
function toOther(source) {
  const url = source.type === 'url' ? text(source.url) : null;
  return {
    documentId: null,
    filename: null,
    url,
    title: text(source.label) ?? text(source.title) ?? (url === null ? 'Source' : readableAddress(url)),
    heading: text(source.attribution) ?? text(source.description),
    quote: null,
    id: text(source.id),
  };
}

/**
 * Numbers the sources of a message. Marks of the same passage share a number. `citations` is null while
 * they are unknown: then every annotation counts for itself, and no two are taken for the same passage.
 */
export function resolveSources(parts, citations, documents = []) {
  const notes = flatten(parts);
  const { paired, rest } = pair(notes, citations ?? []);
  const sources = [];
  const numbers = new Map();
  const number = (source, key) => {
    if (!numbers.has(key)) {
      sources.push(source);
      numbers.set(key, sources.length);
    }
    return numbers.get(key);
  };
  const keyOf = (source) => JSON.stringify([source.documentId ?? source.filename ?? source.url ?? source.id, source.quote, source.quote ? null : where(source)]);
  const marks = parts.map(() => []);
  notes.forEach((note, i) => {
    const source = toSource(note, paired[i], documents);
    const n = number(source, citations === null ? String(i) : keyOf(source));
    const here = marks[note.part];
    if (here.some((mark) => mark.pos === note.pos && mark.n === n)) return;
    here.push({ pos: note.pos, n, label: sourceLabel(n, source), key: sourceLabel(n, source) });
  });
  for (const citation of rest) {
    const source = toSource(null, citation, documents);
    number(source, keyOf(source));
  }
  return { sources, marks };
}

function where(source) {
  return [
    source.page && `Page ${source.page}`,
    source.slide && `Slide ${source.slide}`,
    source.sheet && `Sheet ${source.sheet}`,
    source.rows && rowsText(source.rows),
    source.heading,
    source.located === false && 'Place in the document not known',
  ].filter(Boolean).join(' · ');
}

function rowsText([first, last]) {
  return first === last ? `Row ${first}` : `Rows ${first}–${last}`;
}

/**
 * A quote as people write: cells of a table row between dots, items of a list behind a bullet. Documents are
 * indexed with `| a | b |` for rows and `- ` for items, and a quote may begin or end within one.
 */
export function readableQuote(quote) {
  const row = (line) => ` ${line} `.split(/\s\|(?=\s)/).map((cell) => cell.trim()).filter((cell) => cell !== '').join(' · ');
  const isRow = (line) => /^\s*\|\s|\s\|\s*$|\s\|\s.*\s\|\s/.test(line);
  return quote.split('\n').map((line) => (isRow(line) ? row(line) : line.replace(/^(\s*)- /, '$1• '))).join('\n');
}

function sourceLabel(n, source) {
  return `Source ${n}: ${[source.title, where(source)].filter((one) => one !== '').join(', ')}`;
}

/** Builds the list under an answer. Links lead to this server or to `hosts`; `backToText(n)` is called when a number in the list is pressed. */
export function buildSourceList(sources, hosts, backToText) {
  if (sources.length === 0) return null;
  const items = sources.map((source, i) => buildSource(source, i + 1, hosts, backToText));
  const heading = sources.length === 1 ? 'Source' : `Sources (${sources.length})`;
  return el('section', { class: 'sources', 'aria-label': 'Sources of this answer' },
    el('h2', { class: 'sources-heading', text: heading }),
    el('ol', { class: 'source-list' }, items));
}

function buildSource(source, n, hosts, backToText) {
  const place = where(source);
  return el('li', { class: 'source', 'data-n': n, tabindex: '-1' },
    el('button', {
      type: 'button', class: 'source-number', text: String(n), 'aria-label': `Source ${n}: go to its place in the answer`,
      on: { click: () => backToText(n) },
    }),
    el('div', { class: 'source-body' },
      el('p', { class: 'source-title', dir: 'auto', text: source.title }),
      source.documentId === null ? null : buildLinks(source),
      source.url ? buildAddress(source, hosts) : null,
      place === '' ? null : el('p', { class: 'source-place', dir: 'auto', text: place }),
      source.quote === null ? null : buildQuote(source.quote)));
}

/** To the passage among the text, and to the file as it is. */
function buildLinks(source) {
  const link = (href, label, name) => el('a', {
    class: 'source-link', href, target: '_blank', rel: 'noopener', 'aria-label': `${label}: ${source.title} (new tab)`,
  }, name, icon('external'));
  return el('div', { class: 'source-links' },
    // Without a place the document's text is shown from its beginning.
    source.located ? link(previewUrl(source), 'Open the passage', 'Passage') : link(previewUrl(source), 'Open the text', 'Text'),
    link(fileUrl(source.documentId, source.page), 'Open the file', 'File'));
}

/** An address elsewhere is shown and not linked: it may be made up. */
function buildAddress(source, hosts) {
  const target = linkTarget(source.url, hosts);
  const address = readableAddress(source.url);
  return target === null
    ? el('p', { class: 'source-place source-address', text: address })
    : el('a', { class: 'source-link source-address', href: target, target: '_blank', rel: 'noopener noreferrer' }, address, icon('external'));
}

/** Long quotes are cut to a few lines until asked for. */
function buildQuote(quote) {
  const block = el('blockquote', { class: 'quote', dir: 'auto', text: readableQuote(quote) });
  if (quote.length <= 260 && quote.split('\n').length <= 3) return [block];
  block.classList.add('is-short');
  const more = el('button', { type: 'button', class: 'text-button', 'aria-expanded': 'false', text: 'Show the whole passage' });
  more.addEventListener('click', () => {
    const short = block.classList.toggle('is-short');
    more.textContent = short ? 'Show the whole passage' : 'Show less';
    more.setAttribute('aria-expanded', String(!short));
  });
  return [block, more];
}
