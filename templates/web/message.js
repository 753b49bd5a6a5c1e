// What one message looks like.

import { buildAttachments } from './attachments.js';
import { copyText, el, icon, iconButton } from './dom.js';
import { renderMarkdown } from './markdown.js';
import { buildSourceList, resolveSources } from './sources.js';

/** The plain text of a user message; a tag reads as "@name". */
export function userText(item) {
  return (item.content ?? []).map((part) => (part.type === 'input_tag' ? `@${part.text}` : part.text ?? '')).join('');
}

export class UserView {
  constructor(text, { id = null, quotedText = null, attachments = [] } = {}) {
    this.id = id;
    this.text = text;
    this.attachments = Array.isArray(attachments) ? attachments : [];
    this.root = el('article', { class: 'message message-user', 'aria-label': 'Your question' },
      quotedText ? el('blockquote', { class: 'quote', dir: 'auto', text: quotedText }) : null,
      buildAttachments(this.attachments),
      el('p', { class: 'bubble', dir: 'auto', text }));
  }
}

const calm = matchMedia('(prefers-reduced-motion: reduce)');
const reveal = (node) => node.scrollIntoView({ block: 'nearest', behavior: calm.matches ? 'auto' : 'smooth' });

/** Signs that belong to the one before them: accents, joiners, skin tones. */
const JOINS = /^[\p{M}\u200d\u{1f3fb}-\u{1f3ff}]$/u;

/** The place of a mark in code points: never past the text, and never within what is seen as one sign. */
function markPlace(chars, position) {
  let at = Math.min(position, chars.length);
  while (at > 0 && at < chars.length && (JOINS.test(chars[at]) || chars[at - 1] === '\u200d')) at += 1;
  return at;
}

const asPart = (content) => ({
  text: typeof content?.text === 'string' ? content.text : '',
  annotations: Array.isArray(content?.annotations) ? content.annotations : [],
});

/**
 * An answer, streaming or finished. `actions` are the conversation's: `retry()`, `feedback(id, kind)`,
 * `citations(id)`, `documents()` and `hosts()`, to which links may lead.
 */
export class AnswerView {
  #parts = [];
  #citations = null;
  #documents = [];
  #frame = 0;
  #status = el('p', { class: 'status' });
  #body = el('div', { class: 'answer' });
  #after = el('div', { class: 'answer-after' });
  #actions;

  constructor(actions) {
    this.id = null;
    this.#actions = actions;
    this.root = el('article', { class: 'message message-answer', 'aria-label': 'Answer' }, this.#status, this.#body, this.#after);
  }

  get text() { return this.#parts.map((part) => part.text).join('\n\n'); }
  get isEmpty() { return this.text.trim() === ''; }

  /** Shows that work is going on, with the server's word for it if there is one. */
  setWorking(text = 'Thinking') {
    this.root.setAttribute('aria-busy', 'true');
    this.root.classList.add('is-streaming');
    this.#status.replaceChildren(el('span', { class: 'dots', 'aria-hidden': 'true' }, el('i'), el('i'), el('i')), el('span', { dir: 'auto', text }));
    this.#status.hidden = !this.isEmpty;
  }

  get type() { return 'assistant_message'; }

  /** Shows a whole answer. */
  set(item) {
    this.setItem(item);
    this.finish('done');
  }

  setItem(item) {
    this.id = item.id;
    this.#parts = (item.content ?? []).map(asPart);
  }

  /** Applies one update of the stream. Unknown updates are ignored. */
  update(update) {
    const at = Number.isInteger(update.content_index) ? update.content_index : 0;
    if (at < 0 || at > this.#parts.length) return;
    const part = (this.#parts[at] ??= asPart(null));
    switch (update.type) {
      case 'assistant_message.content_part.added':
        this.#parts[at] = asPart(update.content);
        break;
      case 'assistant_message.content_part.text_delta':
        part.text += update.delta ?? '';
        break;
      case 'assistant_message.content_part.annotation_added':
        if (update.annotation) part.annotations = [...part.annotations, update.annotation];
        break;
      case 'assistant_message.content_part.done': {
        const done = asPart(update.content);
        // Some servers send this event without the annotations they announced before.
        this.#parts[at] = done.annotations.length > 0 ? done : { ...done, annotations: part.annotations };
        break;
      }
      default: return;
    }
    this.#schedule();
  }

  /** Deltas come faster than frames: draw at most once per frame. */
  #schedule() {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.render();
    });
  }

  render() {
    this.#status.hidden = !(this.isEmpty && this.root.classList.contains('is-streaming'));
    const { sources, marks } = resolveSources(this.#parts, this.#citations, this.#documents);
    while (this.#body.children.length > this.#parts.length) this.#body.lastChild.remove();
    this.#parts.forEach((part, i) => {
      const box = this.#body.children[i] ?? this.#body.appendChild(el('div', { class: 'part' }));
      const chars = Array.from(part.text);
      renderMarkdown(box, part.text, marks[i].map((mark) => ({ ...mark, pos: markPlace(chars, mark.pos) })), (mark) => this.#buildMark(mark));
    });
    return sources;
  }

  #buildMark(mark) {
    return el('sup', { class: 'mark' }, el('button', {
      type: 'button', text: String(mark.n), title: mark.label, 'aria-label': mark.label, 'data-n': mark.n,
      on: { click: () => this.#showSource(mark.n) },
    }));
  }

  #showSource(n) {
    this.#highlight(n);
    const source = this.#after.querySelector(`.source[data-n="${n}"]`);
    if (!source) return;
    source.focus({ preventScroll: true });
    reveal(source);
  }

  #showMark(n) {
    this.#highlight(n);
    const mark = this.#body.querySelector(`.mark button[data-n="${n}"]`);
    if (!mark) return;
    mark.focus({ preventScroll: true });
    reveal(mark);
  }

  #highlight(n) {
    for (const node of this.root.querySelectorAll('[data-n]')) node.classList.toggle('is-active', Number(node.dataset.n) === n);
  }

  /**
   * Ends the answer. `state` is 'done', 'stopped' or 'failed'. Sources are fetched only for finished
   * answers: the server knows no others.
   */
  finish(state) {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.root.removeAttribute('aria-busy');
    this.root.classList.remove('is-streaming');
    this.render();
    const tools = this.isEmpty ? null : this.#buildTools(state === 'done');
    this.#after.replaceChildren(...(tools ? [tools] : []));
    if (state === 'done' && this.#parts.some((part) => part.annotations.length > 0)) this.#loadSourcesWhenNear();
  }

  /** A note under the answer: why it ended early, with a way to try again. */
  showProblem(text, { retry = null, wait = 0, kind = 'error' } = {}) {
    this.#after.append(buildProblem(text, { retry, wait, kind }));
  }

  #buildTools(complete) {
    const copy = iconButton('copy', 'Copy the answer', async () => {
      const ok = await copyText(this.text).then(() => true, () => false);
      copy.replaceChildren(icon(ok ? 'check' : 'warning'));
      copy.setAttribute('aria-label', ok ? 'Copied' : 'Copying failed');
      setTimeout(() => {
        copy.replaceChildren(icon('copy'));
        copy.setAttribute('aria-label', 'Copy the answer');
      }, 1600);
    });
    const votes = [['positive', 'up', 'Good answer'], ['negative', 'down', 'Bad answer']].map(([kind, name, label]) => {
      const button = iconButton(name, label, () => this.#vote(kind, votes), 'vote');
      button.dataset.kind = kind;
      button.setAttribute('aria-pressed', 'false');
      return button;
    });
    const retry = iconButton('retry', 'Answer again', () => this.#actions.retry(), 'retry');
    return el('div', { class: 'tools', role: 'group', 'aria-label': 'Actions for this answer' },
      copy, complete ? votes : null, complete ? retry : null);
  }

  async #vote(kind, buttons) {
    const before = buttons.map((button) => button.getAttribute('aria-pressed'));
    for (const button of buttons) button.setAttribute('aria-pressed', String(button.dataset.kind === kind));
    try {
      await this.#actions.feedback(this.id, kind);
    } catch {
      buttons.forEach((button, i) => button.setAttribute('aria-pressed', before[i]));
    }
  }

  /** Old answers of a long thread ask for their sources only when they come near the screen. */
  #loadSourcesWhenNear() {
    const watcher = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      watcher.disconnect();
      this.#loadSources();
    }, { rootMargin: '600px 0px' });
    watcher.observe(this.root);
  }

  async #loadSources() {
    // Without citations the annotations still name the files.
    const [citations, documents] = await Promise.all([this.#actions.citations(this.id).catch(() => []), this.#actions.documents()]);
    this.#citations = citations;
    this.#documents = documents;
    const list = buildSourceList(this.render(), this.#actions.hosts(), (n) => this.#showMark(n));
    if (list) this.#after.prepend(list);
  }
}

/** A box that tells what went wrong. `wait` seconds must pass before another try. */
export function buildProblem(text, { retry = null, wait = 0, kind = 'error' } = {}) {
  const box = el('div', { class: `problem problem-${kind}`, role: kind === 'error' ? 'alert' : null },
    kind === 'error' ? icon('warning') : null,
    el('p', { class: 'problem-text', dir: 'auto', text }));
  if (retry) box.append(buildRetry(retry, wait));
  return box;
}

function buildRetry(retry, wait) {
  const label = el('span', { text: 'Retry' });
  const button = el('button', { type: 'button', class: 'button button-small', on: { click: retry } }, icon('retry'), label);
  let left = wait;
  const tick = () => {
    button.disabled = left > 0;
    label.textContent = left > 0 ? `Retry in ${left} s` : 'Retry';
    if (left <= 0) return;
    left -= 1;
    setTimeout(tick, 1000);
  };
  tick();
  return button;
}
