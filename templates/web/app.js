// The page: which conversation is shown, the question box, the drawer of narrow screens.

import { ApiError, describe, fileUrl, getJson, loadDocuments } from './api.js';
import { Composer } from './composer.js';
import { Conversation, GONE } from './conversation.js';
import { byId, el, icon } from './dom.js';
import { buildProblem } from './message.js';
import { ThreadList } from './threads.js';

const SHOWN_DOCUMENTS = 6;
const STICK_DISTANCE = 48;
/** Pixels that stay free above a question that was scrolled to the top. */
const QUESTION_MARGIN = 16;

const view = byId('view');
const scroller = byId('scroll');
const question = byId('question');

let assistantName = 'Knowledge Assistant';
let current = null;
/** Conversations that are still streaming or being looked at, by thread id. */
const alive = new Map();

// ---- Scrolling: follow the answer only while the reader is at the bottom ----

let atBottom = true;
const scrollToEnd = () => { scroller.scrollTop = scroller.scrollHeight; };

/** To the end of the answer, but not past its beginning: a long one is read from its question on. */
function scrollToAnswer() {
  const question = [...view.querySelectorAll('.message-user')].at(-1);
  const end = scroller.scrollHeight - scroller.clientHeight;
  if (!question) {
    scroller.scrollTop = end;
    return;
  }
  const top = question.getBoundingClientRect().top - scroller.getBoundingClientRect().top + scroller.scrollTop;
  scroller.scrollTop = Math.min(end, Math.max(0, top - QUESTION_MARGIN));
}

function setUpScrolling() {
  let lastTop = 0;
  scroller.addEventListener('scroll', () => {
    const top = scroller.scrollTop;
    // The event comes late: new text may have moved the end away meanwhile. Only a move up is the reader's.
    if (scroller.scrollHeight - top - scroller.clientHeight < STICK_DISTANCE) atBottom = true;
    else if (top < lastTop) atBottom = false;
    lastTop = top;
    byId('jump').hidden = atBottom;
  }, { passive: true });
  const follow = new ResizeObserver(() => {
    if (atBottom && !current.isEmpty) scrollToAnswer();
  });
  follow.observe(view);
  follow.observe(scroller);
  byId('jump').addEventListener('click', () => { scrollToEnd(); restFocus(); });
}

// ---- Conversations ----

const hooks = {
  changed: (conversation) => {
    if (!conversation.streaming && conversation !== current && conversation.threadId) alive.delete(conversation.threadId);
    if (conversation === current) refresh();
  },
  created: (thread, conversation) => {
    alive.set(thread.id, conversation);
    threads.add(thread);
    if (conversation !== current) return;
    // The empty page becomes this conversation, so "back" leads to what was before it.
    history.replaceState(null, '', `#${thread.id}`);
    threads.setActive(thread.id);
    refresh();
  },
  updated: (thread) => threads.update(thread),
  limited: (seconds) => composer.pause(seconds),
  grew: () => {
    atBottom = true;
    scrollToEnd();
    // The Retry button that was pressed is gone.
    if (document.activeElement === document.body) restFocus();
  },
};

const threads = new ThreadList({
  renamed: (thread) => {
    alive.get(thread.id)?.setThread(thread);
    refresh();
  },
  removed: (id) => {
    alive.get(id)?.stop();
    alive.delete(id);
    if (current.threadId === id) openNew();
  },
  chosen: () => drawer.close(),
});

function hashThread() {
  const found = /^#(thr_[\w-]{1,128})$/.exec(location.hash);
  return found ? found[1] : null;
}

function route() {
  const id = hashThread();
  const isFresh = current !== null && current.threadId === null && current.isEmpty;
  if (id === null && !isFresh) show(new Conversation(hooks));
  else if (id !== null && id !== current?.threadId) openThread(id);
}

function openNew() {
  if (location.hash !== '') history.pushState(null, '', location.pathname + location.search);
  show(new Conversation(hooks));
  restFocus();
}

async function openThread(id) {
  const running = alive.get(id);
  if (running) {
    show(running);
    return;
  }
  const conversation = new Conversation(hooks, id);
  show(conversation);
  try {
    await conversation.load();
    if (conversation === current) scrollToEnd();
  } catch (error) {
    conversation.root.replaceChildren(loadProblem(error, id));
    // Nothing can be asked in a thread that is not there.
    if (error instanceof ApiError && error.status === 404) {
      conversation.closed = GONE;
      conversation.title = 'Not found';
    }
    hooks.changed(conversation);
  }
}

function loadProblem(error, id) {
  const gone = error instanceof ApiError && error.status === 404;
  return buildProblem(gone ? 'This conversation was not found. It may have been deleted.' : describe(error), {
    retry: gone ? null : () => { alive.delete(id); openThread(id); },
    wait: error.retryAfter ?? 0,
  });
}

function show(conversation) {
  const before = current;
  current = conversation;
  if (before?.threadId && !before.streaming) alive.delete(before.threadId);
  if (conversation.threadId) alive.set(conversation.threadId, conversation);
  atBottom = true;
  byId('jump').hidden = true;
  threads.setActive(conversation.threadId);
  refresh();
  scrollToEnd();
}

/** Brings everything around the messages in line with the current conversation. */
function refresh() {
  const waiting = current.loading && current.isEmpty;
  const content = current.isEmpty && !waiting && current.threadId === null ? welcome() : current.root;
  if (view.firstElementChild !== content || view.childElementCount > 1) view.replaceChildren(content);
  if (waiting) view.append(skeleton());
  byId('title').textContent = current.title ?? (current.threadId || !current.isEmpty ? 'New conversation' : assistantName);
  document.title = current.title ? `${current.title} – ${assistantName}` : assistantName;
  scroller.setAttribute('aria-busy', String(current.loading));
  current.root.classList.toggle('is-closed', current.closed !== null);
  composer.refresh(current);
}

const skeleton = () => el('div', { class: 'skeleton', role: 'status', 'aria-label': 'Loading the conversation' }, el('i'), el('i'), el('i'));

// ---- The empty page ----

let welcomeNode = null;

function welcome() {
  welcomeNode ??= buildWelcome();
  welcomeNode.querySelector('[data-assistant-name]').textContent = assistantName;
  return welcomeNode;
}

function buildWelcome() {
  const box = el('section', { class: 'welcome', 'aria-labelledby': 'welcome-heading' },
    el('img', { src: '/assets/favicon.svg', alt: '', width: '52', height: '52' }),
    el('h2', { id: 'welcome-heading' }, 'What would you like to know?'),
    el('p', { class: 'welcome-text' }, el('bdi', { 'data-assistant-name': true }), ' answers from the documents below and shows where each statement comes from.'));
  loadDocuments().then((documents) => {
    if (documents.length > 0) box.append(buildDocuments(documents));
    else box.querySelector('.welcome-text').lastChild.textContent = ' answers from its documents and shows where each statement comes from.';
  });
  return box;
}

function buildDocuments(documents) {
  const list = el('ul', { class: 'document-list' }, documents.slice(0, SHOWN_DOCUMENTS).map(buildDocument));
  const rest = documents.slice(SHOWN_DOCUMENTS);
  const more = rest.length === 0 ? null : el('button', { type: 'button', class: 'text-button', text: `and ${rest.length} more` });
  more?.addEventListener('click', () => {
    list.append(...rest.map(buildDocument));
    list.children[SHOWN_DOCUMENTS].querySelector('a').focus();
    more.remove();
  });
  return el('div', { class: 'documents' }, el('h3', { class: 'documents-heading', text: 'Documents' }), list, more);
}

function buildDocument(one) {
  return el('li', {}, el('a', {
    class: 'document', href: fileUrl(one.id), target: '_blank', rel: 'noopener', title: one.description || one.filename,
  }, icon('file'), el('span', { class: 'document-title', dir: 'auto', text: one.title || one.filename })));
}

// ---- The question box ----

/** Where the focus goes when its place is gone. On touch screens the question box would open the keyboard. */
function restFocus() {
  (drawer.narrow.matches ? scroller : question).focus();
}

const composer = new Composer({
  send: (text, attachments) => current.send(text, attachments),
  stop: () => current.stop(),
  rest: restFocus,
});

// ---- The drawer of narrow screens ----

const drawer = {
  narrow: matchMedia('(max-width: 55rem)'),
  isOpen: false,

  open() { this.isOpen = true; this.apply(); byId('drawer-close').focus(); },
  close() {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.apply();
    byId('drawer-open').focus();
  },
  apply() {
    const open = this.isOpen && this.narrow.matches;
    document.body.classList.toggle('drawer-open', open);
    byId('backdrop').hidden = !open;
    byId('drawer-open').setAttribute('aria-expanded', String(open));
    // What is covered or off the screen must not take the focus.
    byId('sidebar').inert = this.narrow.matches && !open;
    byId('main').inert = open;
  },
  setUp() {
    byId('drawer-open').addEventListener('click', () => this.open());
    byId('drawer-close').addEventListener('click', () => this.close());
    byId('backdrop').addEventListener('click', () => this.close());
    document.addEventListener('keydown', (event) => {
      if (event.key === 'Escape' && !document.querySelector('dialog[open]')) this.close();
    });
    this.narrow.addEventListener('change', () => { this.isOpen = false; this.apply(); });
    this.apply();
  },
};

// ---- Start ----

async function loadInfo() {
  try {
    const info = await getJson('/knowledge/info');
    composer.enableAttachments(info.attachments);
    if (typeof info.assistant_name === 'string' && info.assistant_name.trim() !== '') assistantName = info.assistant_name.trim();
  } catch {
    return; // The page works under its own name.
  }
  for (const node of document.querySelectorAll('[data-assistant-name]')) node.textContent = assistantName;
  refresh();
}

drawer.setUp();
byId('skip').addEventListener('click', (event) => {
  // The hash names the conversation, so this link must not change it.
  event.preventDefault();
  question.focus();
});
byId('new-conversation').addEventListener('click', () => { drawer.close(); openNew(); });
window.addEventListener('hashchange', route);
route();
setUpScrolling();
loadInfo();
threads.load();
if (!drawer.narrow.matches) question.focus({ preventScroll: true });
