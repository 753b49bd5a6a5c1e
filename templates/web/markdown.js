// Renders the small part of Markdown that answers use, by building nodes: paragraphs, headings, lists,
// pipe tables, fenced code, **bold**, *emphasis* and `code`. Everything else, links and images included, stays
// plain text on purpose: the text comes from a model and from documents and must not become active.
//
// Footnote marks have positions in the raw text, counted in code points, so the parser keeps for every
// character where it came from.

import { isHidden } from './safe.js';

const LIST_ITEM = /^(\s*)(?:([-*+•])|(\d{1,4})[.)])\s+/;
const HEADING = /^\s{0,3}#{1,6}\s+/;
const FENCE = /^\s{0,3}(```+|~~~+)\s*[\w+#.-]*\s*$/;
const RULE = /^\s{0,3}([-*_])(?:\s*\1){2,}\s*$/;
const TABLE_RULE = /^\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$/;
const ESCAPABLE = new Set('*`|_#[]()<>!~');
/** Signs between which a span may reach. Without a bound, each of many opening signs would search all the rest. */
const MAX_SPAN = 1000;
const isSpace = (c) => c === undefined || /\s/.test(c);

/** What a container shows now, so that a growing answer replaces only the blocks that changed. */
const shown = new WeakMap();

/**
 * Shows `text` in `container`. `marks` are `{pos, key}` with `pos` in code points; `makeMark(mark)` builds
 * the node. `key` must differ when the node would.
 */
export function renderMarkdown(container, text, marks, makeMark) {
  const chars = Array.from(text);
  const blocks = parseBlocks(chars);
  const isBare = blocks.every((block) => leavesOf(block).length === 0);
  if (isBare && marks.length > 0) blocks.push({ kind: 'paragraph', start: 0, end: 0, leaf: leaf(chars, []) });
  const placed = placeMarks(blocks, marks);
  const keys = blocks.map((block) => blockKey(chars, block, placed));
  const old = shown.get(container) ?? [];
  let same = 0;
  while (same < keys.length && keys[same] === old[same]) same += 1;
  while (container.childNodes.length > same) container.lastChild.remove();
  for (const block of blocks.slice(same)) container.append(buildBlock(block, placed, makeMark));
  shown.set(container, keys);
}

function blockKey(chars, block, placed) {
  const marks = leavesOf(block).map((one) => (placed.get(one) ?? []).map((mark) => `${mark.pos}:${mark.key}`).join());
  return `${block.kind}\n${chars.slice(block.start, block.end).join('')}\n${marks.join(';')}`;
}

// ---- Blocks ----------------------------------------------------------------------------------

function splitLines(chars) {
  const lines = [];
  let start = 0;
  for (let i = 0; i <= chars.length; i += 1) {
    if (i < chars.length && chars[i] !== '\n') continue;
    const end = i > start && chars[i - 1] === '\r' ? i - 1 : i;
    lines.push({ start, end, text: chars.slice(start, end).join('') });
    start = i + 1;
  }
  return lines;
}

const isBlank = (line) => line.text.trim() === '';

function isTableAt(lines, i) {
  const rule = lines[i + 1]?.text ?? '';
  if (!lines[i].text.includes('|')) return false;
  if (rule.includes('|') && TABLE_RULE.test(rule)) return true;
  // A table that is still growing: its head would else show as text with pipes for a moment.
  return i + 2 >= lines.length && /^\s*\|/.test(lines[i].text) && /^[\s|:-]*$/.test(rule);
}

/** Whether the line starts a block even straight after a line of a paragraph. */
function interrupts(lines, i) {
  const { text } = lines[i];
  const item = LIST_ITEM.exec(text);
  // "In\n1999. A year" is a paragraph: only a first number may start a list in the middle of one.
  return FENCE.test(text) || HEADING.test(text) || RULE.test(text) || isTableAt(lines, i)
    || (item !== null && (item[2] !== undefined || item[3] === '1'));
}

function parseBlocks(chars) {
  const lines = splitLines(chars);
  const blocks = [];
  let i = 0;
  while (i < lines.length) {
    if (isBlank(lines[i])) { i += 1; continue; }
    const [block, next] = parseBlock(chars, lines, i);
    block.start = lines[i].start;
    block.end = lines[next - 1].end;
    blocks.push(block);
    i = next;
  }
  return blocks;
}

function parseBlock(chars, lines, i) {
  const { text } = lines[i];
  if (FENCE.test(text)) return parseFence(chars, lines, i);
  if (RULE.test(text)) return [{ kind: 'rule' }, i + 1];
  if (isTableAt(lines, i)) return parseTable(chars, lines, i);
  const heading = HEADING.exec(text);
  if (heading) return [{ kind: 'heading', leaf: leaf(chars, [[lines[i].start + heading[0].length, lines[i].end]]) }, i + 1];
  if (LIST_ITEM.test(text)) return parseList(chars, lines, i);
  let next = i + 1;
  while (next < lines.length && !isBlank(lines[next]) && !interrupts(lines, next)) next += 1;
  const ranges = lines.slice(i, next).map((line) => [line.start, line.end]);
  return [{ kind: 'paragraph', leaf: leaf(chars, ranges) }, next];
}

/** An unclosed fence runs to the end, which is what a growing answer needs. */
function parseFence(chars, lines, i) {
  const fence = FENCE.exec(lines[i].text)[1];
  let close = i + 1;
  while (close < lines.length && !closesFence(lines[close].text, fence)) close += 1;
  const ranges = lines.slice(i + 1, close).map((line) => [line.start, line.end]);
  return [{ kind: 'fence', leaf: leaf(chars, ranges, false) }, Math.min(close + 1, lines.length)];
}

const closesFence = (text, fence) => text.trim().startsWith(fence) && /^(`+|~+)$/.test(text.trim());

function parseTable(chars, lines, i) {
  const aligns = (lines[i + 1] ? cellRanges(chars, lines[i + 1]) : []).map(([start, end]) => alignment(chars.slice(start, end).join('')));
  const rows = [cellRanges(chars, lines[i])];
  let next = Math.min(i + 2, lines.length);
  while (next < lines.length && !isBlank(lines[next]) && lines[next].text.includes('|')) {
    rows.push(cellRanges(chars, lines[next]));
    next += 1;
  }
  return [{ kind: 'table', aligns, rows: rows.map((row) => row.map((range) => leaf(chars, [range]))) }, next];
}

function alignment(rule) {
  if (!rule.endsWith(':')) return '';
  return rule.startsWith(':') ? 'center' : 'end';
}

/** The ranges of the cells of one row, without the blanks around them. Pipes in code do not split. */
function cellRanges(chars, line) {
  const ranges = [];
  let [from, to] = trimRange(chars, line.start, line.end);
  if (chars[from] === '|') from += 1;
  if (to > from && chars[to - 1] === '|' && chars[to - 2] !== '\\') to -= 1;
  let start = from;
  let inCode = false;
  for (let i = from; i < to; i += 1) {
    if (chars[i] === '\\') i += 1;
    else if (chars[i] === '`') inCode = !inCode && chars.indexOf('`', i + 1) < to && chars.indexOf('`', i + 1) > 0;
    else if (chars[i] === '|' && !inCode) {
      ranges.push(trimRange(chars, start, i));
      start = i + 1;
    }
  }
  ranges.push(trimRange(chars, start, to));
  return ranges;
}

function trimRange(chars, start, end) {
  let from = start;
  let to = end;
  while (from < to && isSpace(chars[from])) from += 1;
  while (to > from && isSpace(chars[to - 1])) to -= 1;
  return [from, to];
}

function parseList(chars, lines, i) {
  const items = [];
  let next = i;
  while (next < lines.length) {
    const line = lines[next];
    const found = RULE.test(line.text) ? null : LIST_ITEM.exec(line.text);
    if (found) {
      items.push({
        indent: found[1].length, number: found[3] === undefined ? null : Number(found[3]),
        ranges: [[line.start + found[0].length, line.end]],
      });
    } else if (isBlank(line)) {
      // A blank line ends the list unless the list goes on behind it.
      const after = lines.findIndex((one, at) => at > next && !isBlank(one));
      if (after < 0 || !(LIST_ITEM.test(lines[after].text) || /^\s{2,}\S/.test(lines[after].text))) break;
    } else if (interrupts(lines, next)) break;
    else items[items.length - 1].ranges.push([line.start, line.end]);
    next += 1;
  }
  return [{ kind: 'list', items: items.map((item) => ({ ...item, leaf: leaf(chars, item.ranges) })) }, next];
}

// ---- Marks -----------------------------------------------------------------------------------

/** A run of text that marks can be put in: its characters with their positions in the raw text. */
function leaf(chars, ranges, trim = true) {
  const tokens = [];
  ranges.forEach(([start, end], index) => {
    const [from, to] = trim ? trimRange(chars, start, end) : [start, end];
    if (index > 0) tokens.push({ c: '\n', p: from });
    for (let p = from; p < to; p += 1) if (!isHidden(chars[p])) tokens.push({ c: chars[p], p });
  });
  return { tokens, start: tokens.length > 0 ? tokens[0].p : (ranges[0]?.[0] ?? 0) };
}

function leavesOf(block) {
  if (block.kind === 'table') return block.rows.flat();
  if (block.kind === 'list') return block.items.map((item) => item.leaf);
  return block.leaf ? [block.leaf] : [];
}

/** A mark belongs to the text before it: it goes to the last run that starts before its position. */
function placeMarks(blocks, marks) {
  const placed = new Map();
  const all = blocks.flatMap(leavesOf);
  if (all.length === 0) return placed;
  const full = all.filter((one) => one.tokens.length > 0);
  const leaves = full.length > 0 ? full : all;
  for (const mark of [...marks].sort((a, b) => a.pos - b.pos)) {
    const home = leaves.findLast((one) => one.start < mark.pos) ?? leaves[0];
    placed.set(home, [...(placed.get(home) ?? []), mark]);
  }
  return placed;
}

// ---- Nodes -----------------------------------------------------------------------------------

function node(tag, className, dir = false) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (dir) made.dir = 'auto';
  return made;
}

function buildBlock(block, placed, makeMark) {
  const fill = (parent, one) => { fillLeaf(parent, one, placed.get(one) ?? [], makeMark); return parent; };
  switch (block.kind) {
    case 'rule': return node('hr');
    case 'heading': return fill(node('p', 'md-heading', true), block.leaf);
    case 'fence': return buildFence(block, placed.get(block.leaf) ?? [], makeMark);
    case 'table': return buildTable(block, fill);
    case 'list': return buildList(block, fill);
    default: return fill(node('p', '', true), block.leaf);
  }
}

/** A mark inside a code block would look like code, so it goes below the block. */
function buildFence(block, marks, makeMark) {
  const box = node('div', 'md-code');
  const pre = node('pre');
  pre.tabIndex = 0;
  const code = node('code');
  code.textContent = block.leaf.tokens.map((token) => token.c).join('');
  pre.append(code);
  box.append(pre, ...marks.map(makeMark));
  return box;
}

function buildTable(block, fill) {
  const width = Math.max(...block.rows.map((row) => row.length));
  const table = node('table', '', true);
  const buildRow = (row, tag) => {
    const tr = node('tr');
    for (let i = 0; i < width; i += 1) {
      const cell = node(tag, block.aligns[i] ? `align-${block.aligns[i]}` : '');
      if (tag === 'th') cell.scope = 'col';
      tr.append(row[i] ? fill(cell, row[i]) : cell);
    }
    return tr;
  };
  const head = node('thead');
  head.append(buildRow(block.rows[0], 'th'));
  const body = node('tbody');
  body.append(...block.rows.slice(1).map((row) => buildRow(row, 'td')));
  table.append(head, body);
  // Wide tables scroll inside their own box; a box that scrolls must be reachable by keyboard.
  const box = node('div', 'md-table');
  box.tabIndex = 0;
  box.setAttribute('role', 'region');
  box.setAttribute('aria-label', 'Table');
  box.append(table);
  return box;
}

function buildList(block, fill) {
  const root = node('div', 'md-list');
  // The open lists, outermost first; an item further in than the last one opens a list inside it.
  const open = [];
  for (const item of block.items) {
    while (open.length > 1 && item.indent < open.at(-1).indent) open.pop();
    const level = open.at(-1);
    const ordered = item.number !== null;
    if (level && item.indent >= level.indent + 2) open.push(newList(level.list.lastElementChild, item));
    else if (!level || level.ordered !== ordered) {
      open.pop();
      open.push(newList(open.at(-1)?.list.lastElementChild ?? root, item));
    }
    open.at(-1).list.append(fill(node('li'), item.leaf));
  }
  return root;
}

function newList(parent, item) {
  const ordered = item.number !== null;
  const list = node(ordered ? 'ol' : 'ul', '', true);
  if (ordered && item.number !== 1) list.start = item.number;
  parent.append(list);
  return { list, ordered, indent: item.indent };
}

function fillLeaf(parent, one, marks, makeMark) {
  const waiting = [...marks];
  inline(parent, one.tokens, {
    due: (position) => waiting.length > 0 && waiting[0].pos <= position,
    next: () => makeMark(waiting.shift()),
  });
  parent.append(...waiting.map(makeMark));
}

/** `marks` gives the waiting marks that stand before the character at a position. */
function inline(parent, tokens, marks) {
  let text = '';
  const flush = () => { if (text !== '') parent.append(text); text = ''; };
  const putMarks = (position) => {
    while (marks.due(position)) { flush(); parent.append(marks.next()); }
  };
  let i = 0;
  while (i < tokens.length) {
    const { c, p } = tokens[i];
    putMarks(p);
    // Code comes first: nothing inside it is a sign.
    const span = c === '`' ? codeSpan(tokens, i) : c === '*' ? boldSpan(tokens, i) ?? emphasisSpan(tokens, i) : null;
    if (span) {
      flush();
      // A mark that points at the opening signs stands before the span, not inside it.
      putMarks(tokens[span.from].p);
      parent.append(buildSpan(span, tokens.slice(span.from, span.to), marks));
      i = span.next;
    } else if (c === '\\' && ESCAPABLE.has(tokens[i + 1]?.c)) {
      text += tokens[i + 1].c;
      i += 2;
    } else if (c === '\n') {
      flush();
      parent.append(document.createElement('br'));
      i += 1;
    } else {
      text += c;
      i += 1;
    }
  }
  flush();
}

function buildSpan(span, inner, marks) {
  const made = node(span.tag);
  if (span.tag === 'code') made.textContent = inner.map((token) => (token.c === '\n' ? ' ' : token.c)).join('');
  else inline(made, inner, marks);
  return made;
}

const runLength = (tokens, at, sign) => {
  let n = 0;
  while (tokens[at + n]?.c === sign) n += 1;
  return n;
};

function codeSpan(tokens, at) {
  const length = runLength(tokens, at, '`');
  let i = at + length;
  const end = Math.min(tokens.length, i + MAX_SPAN);
  while (i < end) {
    const run = runLength(tokens, i, '`');
    if (run === length) return { tag: 'code', from: at + length, to: i, next: i + length };
    i += Math.max(run, 1);
  }
  return null;
}

function boldSpan(tokens, at) {
  if (tokens[at + 1]?.c !== '*' || isSpace(tokens[at + 2]?.c)) return null;
  const end = Math.min(tokens.length - 1, at + MAX_SPAN);
  for (let i = at + 3; i < end; i += 1) {
    if (tokens[i].c === '\\') i += 1;
    else if (tokens[i].c === '`') i = (codeSpan(tokens, i)?.next ?? i + 1) - 1;
    else if (tokens[i].c === '*' && tokens[i + 1].c === '*' && !isSpace(tokens[i - 1].c)) {
      return { tag: 'strong', from: at + 2, to: i, next: i + 2 };
    }
  }
  return null;
}

const isWord = (c) => c !== undefined && /[\p{L}\p{N}]/u.test(c);

/** Stricter than bold: "2*3*4" and "5 * 6" are sums. */
function emphasisSpan(tokens, at) {
  const first = tokens[at + 1]?.c;
  if (isWord(tokens[at - 1]?.c) || first === '*' || isSpace(first)) return null;
  const end = Math.min(tokens.length, at + MAX_SPAN);
  for (let i = at + 2; i < end && tokens[i].c !== '\n'; i += 1) {
    if (tokens[i].c === '\\') i += 1;
    else if (tokens[i].c === '`') i = (codeSpan(tokens, i)?.next ?? i + 1) - 1;
    else if (tokens[i].c === '*' && !isSpace(tokens[i - 1].c) && tokens[i + 1]?.c !== '*' && !isWord(tokens[i + 1]?.c)) {
      return { tag: 'em', from: at + 1, to: i, next: i + 1 };
    }
  }
  return null;
}
