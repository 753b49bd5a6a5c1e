// One conversation: its messages, and the one answer that may be streaming into it.

import { ApiError, call, describe, isAbort, loadCitations, loadDocuments, stream } from './api.js';
import { announce, el } from './dom.js';
import { ItemView, buildNotice } from './items.js';
import { AnswerView, UserView, buildProblem, userText } from './message.js';
import { visible } from './safe.js';

const BROKEN = 'The answer broke off before it was complete.';
export const GONE = 'This conversation does not exist any more.';

/**
 * `hooks`: `changed(conversation)` after any change of state, `created(thread, conversation)` and
 * `updated(thread)` when the server tells about the thread, `grew()` when a message was added by the reader,
 * `limited(seconds)` when the server asks to wait.
 *
 * A conversation keeps streaming while another one is shown: hanging up would cancel the answer.
 */
export class Conversation {
  #hooks;
  #controller = null;
  #lastUser = null;
  /** What is shown, by the ids of the items. */
  #views = new Map();
  #hosts = [];

  constructor(hooks, threadId = null) {
    this.#hooks = hooks;
    this.threadId = threadId;
    this.title = null;
    this.closed = null;
    this.loading = false;
    this.canStop = true;
    this.root = el('div', { class: 'messages' });
  }

  get streaming() { return this.#controller !== null; }
  get isEmpty() { return this.root.childElementCount === 0; }

  // ---- Loading a past thread ----

  /** Throws when the thread cannot be loaded. */
  async load() {
    this.loading = true;
    this.#hooks.changed(this);
    try {
      const thread = await call('threads.get_by_id', { thread_id: this.threadId });
      this.setThread(thread);
      await this.#loadItems(thread.items ?? {});
    } finally {
      this.loading = false;
      this.#hooks.changed(this);
    }
  }

  async #loadItems(firstPage) {
    const seen = new Set();
    let page = firstPage;
    for (;;) {
      for (const item of page.data ?? []) this.#addStored(item);
      // A page may be short or empty and still not be the last. A cursor seen twice would never end.
      if (!page.has_more || !page.after || seen.has(page.after)) break;
      seen.add(page.after);
      page = await call('items.list', { thread_id: this.threadId, order: 'asc', limit: 50, after: page.after });
    }
    if (this.#lastUser && this.root.lastElementChild === this.#lastUser.root) {
      this.root.append(buildProblem('No answer to this question was saved.', { retry: () => this.retry(), kind: 'note' }));
    }
  }

  #addStored(item) {
    if (item.type === 'user_message') {
      this.#addUser(userText(item), { id: item.id, quotedText: item.quoted_text, attachments: item.attachments });
    } else if (item.type === 'assistant_message') {
      const answer = this.#addAnswer();
      this.#views.set(item.id, answer);
      answer.set(item);
    } else {
      const view = this.#viewOf(item);
      if (view) this.root.append(view.root);
    }
  }

  setThread(thread) {
    this.title = thread.title ? visible(thread.title) : this.title;
    this.#hosts = Array.isArray(thread.allowed_image_domains) ? thread.allowed_image_domains : [];
    this.closed = closedText(thread.status ?? {});
    this.#refreshViews();
  }

  // ---- Messages ----

  #addUser(text, options) {
    const user = new UserView(text, options);
    this.#lastUser = user;
    this.root.append(user.root);
    return user;
  }

  #addAnswer() {
    const user = this.#lastUser;
    const answer = new AnswerView({
      retry: () => this.retry(user),
      feedback: (id, kind) => call('items.feedback', { thread_id: this.threadId, item_ids: [id], kind }),
      citations: (id) => loadCitations(this.threadId, id),
      documents: loadDocuments,
      hosts: () => this.#hosts,
    });
    this.root.append(answer.root);
    return answer;
  }

  /** A view of an item that is no message; null for what shows nothing. */
  #viewOf(item) {
    const view = ItemView.of(item, {
      submit: (id, input) => this.#submitForm(id, input),
      act: (id, action) => this.#act(id, action),
      hosts: () => this.#hosts,
    });
    if (view === null) return null;
    this.#views.set(item.id, view);
    view.setOpen(!this.streaming && this.closed === null);
    return view;
  }

  #refreshViews() {
    const open = !this.streaming && this.closed === null;
    for (const view of this.#views.values()) if (view instanceof ItemView) view.setOpen(open);
  }

  // ---- Asking ----

  send(text, attachments = []) {
    if (this.streaming || this.loading) return;
    const user = this.#addUser(text, { attachments });
    const ids = attachments.map((one) => one.id);
    const input = { content: [{ type: 'input_text', text }], attachments: ids, inference_options: {} };
    if (this.threadId === null) this.#run('threads.create', { input }, user);
    else this.#run('threads.add_user_message', { thread_id: this.threadId, input }, user);
  }

  #submitForm(itemId, input) {
    if (this.streaming || this.closed !== null) return;
    this.#run('threads.add_structured_input', { thread_id: this.threadId, item_id: itemId, input }, null);
  }

  /** A touch of a widget. Actions that do not stream answer at once, with what the widget becomes. */
  async #act(itemId, { type, payload = null, streaming = true }) {
    if (this.streaming || this.closed !== null) return;
    const params = { thread_id: this.threadId, item_id: itemId, action: { type, payload } };
    if (streaming !== false) {
      this.#run('threads.custom_action', params, null);
      return;
    }
    try {
      const { updated_item: item } = await call('threads.sync_custom_action', params);
      const known = item ? this.#views.get(item.id) : null;
      if (known) this.#change(known, item);
    } catch (error) {
      this.root.append(buildProblem(describe(error)));
    }
  }

  /** Answers a question again. What came after it is deleted by the server and goes from the page too. */
  retry(user = this.#lastUser) {
    if (this.streaming || !user) return;
    while (this.root.lastElementChild && this.root.lastElementChild !== user.root) this.root.lastElementChild.remove();
    for (const [id, view] of this.#views) if (!this.root.contains(view.root)) this.#views.delete(id);
    this.#lastUser = user;
    if (user.id !== null && this.threadId !== null) {
      this.#run('threads.retry_after_item', { thread_id: this.threadId, item_id: user.id }, user);
      return;
    }
    // The server never confirmed the question, so it is asked anew.
    user.root.remove();
    this.send(user.text, user.attachments);
  }

  stop() { this.#controller?.abort(); }

  /** Asks and shows what comes. `user` is the question, or null when a form or a widget asks. */
  async #run(type, params, user) {
    const run = { user, answer: this.#addAnswer(), finished: [], acted: false, error: null };
    const controller = new AbortController();
    this.#controller = controller;
    this.canStop = true;
    this.#refreshViews();
    run.answer.setWorking();
    this.#hooks.grew(this);
    this.#hooks.changed(this);
    let failure = null;
    try {
      for await (const event of stream(type, params, controller.signal)) this.#apply(event, run);
    } catch (error) {
      failure = error;
    }
    this.#controller = null;
    this.#settle(run, failure);
    this.#refreshViews();
    this.#hooks.changed(this);
  }

  /** Decides how an answer ended. */
  #settle(run, failure) {
    const { answer } = run;
    const retry = run.user === null && failure instanceof ApiError ? null : () => this.retry(run.user ?? this.#lastUser);
    const isOpen = answer.id !== null && !run.finished.includes(answer);
    if (run.error) {
      answer.finish('failed');
      const text = run.error.message || 'Something went wrong while answering.';
      answer.showProblem(text, { retry: run.error.allow_retry ? retry : null });
    } else if (!isOpen && (run.finished.length > 0 || (run.acted && !failure))) {
      // A connection lost after the last event changes nothing.
      if (!run.finished.includes(answer)) answer.root.remove();
      const said = run.finished.map((one) => one.text).join('\n');
      announce(said === '' ? 'The assistant answered.' : `Answer: ${said}`);
    } else if (isAbort(failure)) {
      answer.finish('stopped');
      answer.showProblem('You stopped this answer.', { retry, kind: 'note' });
      announce('Stopped.');
    } else if (failure instanceof ApiError) {
      this.#refused(answer, failure, retry);
    } else {
      answer.finish('failed');
      answer.showProblem(failure && answer.isEmpty ? describe(failure) : BROKEN, { retry });
    }
  }

  /** The server took nothing of it. */
  #refused(answer, failure, retry) {
    answer.finish('failed');
    const reference = failure.requestId ? ` (Reference: ${failure.requestId})` : '';
    answer.showProblem(failure.message + reference, { retry, wait: failure.retryAfter });
    if (failure.status === 429 || failure.status === 503) this.#hooks.limited(failure.retryAfter);
    // Perhaps the thread was locked, closed or deleted meanwhile.
    if (this.threadId !== null && [404, 409].includes(failure.status)) this.#reloadThread();
  }

  async #reloadThread() {
    try {
      this.setThread(await call('threads.get_by_id', { thread_id: this.threadId }));
    } catch (error) {
      // After any other failure, what is shown stays as it is.
      if (error.status === 404) this.closed = GONE;
    }
    this.#refreshViews();
    this.#hooks.changed(this);
  }

  #apply(event, run) {
    switch (event.type) {
      case 'thread.created':
        this.threadId = event.thread.id;
        this.setThread(event.thread);
        this.#hooks.created(event.thread, this);
        break;
      case 'thread.updated':
        this.setThread(event.thread);
        run.acted ||= this.closed !== null;
        this.#hooks.updated(event.thread);
        this.#hooks.changed(this);
        break;
      case 'stream_options':
        this.canStop = event.stream_options?.allow_cancel !== false;
        // A widget's action need not answer anything.
        run.acted ||= run.user === null;
        this.#hooks.changed(this);
        break;
      case 'progress_update':
        run.answer.setWorking(event.text || undefined);
        break;
      case 'thread.item.added':
      case 'thread.item.done':
      case 'thread.item.replaced':
        this.#applyItem(event, run);
        break;
      case 'thread.item.updated':
        this.#views.get(event.item_id)?.update(event.update ?? {});
        break;
      case 'thread.item.removed':
        this.#removeItem(event.item_id, run);
        break;
      case 'notice':
        run.acted = true;
        this.#place(buildNotice(event), run);
        announce([event.title, event.message].filter((one) => typeof one === 'string' && one !== '').join('. '));
        break;
      case 'client_effect':
        // This page knows no effects.
        run.acted = true;
        break;
      case 'error':
        run.error = event;
        break;
      default: // New kinds of events must not break the page.
    }
  }

  #applyItem({ type, item }, run) {
    if (item?.type === 'user_message') {
      if (run.user) run.user.id = item.id;
      return;
    }
    if (!item) return;
    const known = this.#views.get(item.id);
    if (known && known !== run.answer) this.#change(known, item);
    else if (item.type === 'assistant_message') this.#applyAnswer(type, item, run);
    else {
      const view = this.#viewOf(item);
      if (view) this.#place(view.root, run);
    }
    run.acted ||= item.type !== 'assistant_message';
  }

  /** An item that is shown already became another, perhaps of another kind. */
  #change(known, item) {
    let view = known;
    if (known.type !== item.type) {
      view = item.type === 'assistant_message' ? this.#addAnswer() : this.#viewOf(item);
      if (view === null) return;
      this.#views.set(item.id, view);
      known.root.replaceWith(view.root);
    }
    view.set(item);
  }

  #applyAnswer(type, item, run) {
    // A second answer in one turn gets its own message.
    if (run.finished.includes(run.answer) && run.answer.id !== item.id) run.answer = this.#addAnswer();
    this.#views.set(item.id, run.answer);
    if (type === 'thread.item.added') {
      run.answer.setItem(item);
      run.answer.setWorking();
    } else {
      run.answer.set(item);
      if (!run.finished.includes(run.answer)) run.finished.push(run.answer);
    }
  }

  #removeItem(id, run) {
    run.acted = true;
    const view = this.#views.get(id);
    this.#views.delete(id);
    if (!view) return;
    if (view === run.answer) run.answer.setItem({ id: null, content: [] });
    else view.root.remove();
  }

  /** Before the answer while there is nothing of it, else after all. */
  #place(node, run) {
    if (run.answer.id === null) run.answer.root.before(node);
    else this.root.append(node);
  }
}

function closedText({ type, reason }) {
  if (type !== 'locked' && type !== 'closed') return null;
  if (reason) return visible(reason);
  return type === 'locked' ? 'This conversation is locked for now.' : 'This conversation is closed. Start a new one to ask more.';
}
