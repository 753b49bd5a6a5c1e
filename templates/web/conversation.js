// One conversation: its messages, and the one answer that may be streaming into it.

import { ApiError, call, describe, isAbort, loadCitations, loadDocuments, stream } from './api.js';
import { announce, el } from './dom.js';
import { AnswerView, UserView, buildProblem, userText } from './message.js';

const BROKEN = 'The answer broke off before it was complete.';

/**
 * `hooks`: `changed(conversation)` after any change of state, `created(thread, conversation)` and
 * `updated(thread)` when the server tells about the thread, `grew()` when a message was added by the reader.
 *
 * A conversation keeps streaming while another one is shown: hanging up would cancel the answer.
 */
export class Conversation {
  #hooks;
  #controller = null;
  #lastUser = null;

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
    if (item.type === 'user_message') this.#addUser(userText(item), { id: item.id, quotedText: item.quoted_text });
    if (item.type === 'assistant_message') {
      const answer = this.#addAnswer();
      answer.setItem(item);
      answer.finish('done');
    }
  }

  setThread(thread) {
    this.title = thread.title ?? this.title;
    const status = thread.status ?? {};
    this.closed = status.type === 'locked' || status.type === 'closed'
      ? status.reason || 'This conversation is closed. Start a new one to ask more.' : null;
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
    });
    this.root.append(answer.root);
    return answer;
  }

  // ---- Asking ----

  send(text) {
    if (this.streaming || this.loading) return;
    const user = this.#addUser(text);
    const input = { content: [{ type: 'input_text', text }], attachments: [], inference_options: {} };
    if (this.threadId === null) this.#run('threads.create', { input }, user);
    else this.#run('threads.add_user_message', { thread_id: this.threadId, input }, user);
  }

  /** Answers a question again. What came after it is deleted by the server and goes from the page too. */
  retry(user = this.#lastUser) {
    if (this.streaming || !user) return;
    while (this.root.lastElementChild && this.root.lastElementChild !== user.root) this.root.lastElementChild.remove();
    this.#lastUser = user;
    if (user.id !== null && this.threadId !== null) {
      this.#run('threads.retry_after_item', { thread_id: this.threadId, item_id: user.id }, user);
      return;
    }
    // The server never confirmed the question, so it is asked anew.
    user.root.remove();
    this.send(user.text);
  }

  stop() { this.#controller?.abort(); }

  async #run(type, params, user) {
    const run = { user, answer: this.#addAnswer(), finished: [], error: null };
    const controller = new AbortController();
    this.#controller = controller;
    this.canStop = true;
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
    this.#hooks.changed(this);
  }

  /** Decides how an answer ended. */
  #settle(run, failure) {
    const { answer } = run;
    const retry = () => this.retry(run.user);
    if (run.error) {
      answer.finish('failed');
      const text = run.error.message || 'Something went wrong while answering.';
      answer.showProblem(text, { retry: run.error.allow_retry ? retry : null });
    } else if (run.finished.length > 0) {
      // A connection lost after the last event changes nothing.
      if (!run.finished.includes(answer)) answer.root.remove();
      announce(`Answer: ${run.finished.map((one) => one.text).join('\n')}`);
    } else if (isAbort(failure)) {
      answer.finish('stopped');
      answer.showProblem('You stopped this answer.', { retry, kind: 'note' });
      announce('Stopped.');
    } else if (failure instanceof ApiError) {
      answer.finish('failed');
      const reference = failure.requestId ? ` (Reference: ${failure.requestId})` : '';
      answer.showProblem(failure.message + reference, { retry, wait: failure.retryAfter });
    } else {
      answer.finish('failed');
      answer.showProblem(failure && answer.isEmpty ? describe(failure) : BROKEN, { retry });
    }
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
        this.#hooks.updated(event.thread);
        this.#hooks.changed(this);
        break;
      case 'stream_options':
        this.canStop = event.stream_options?.allow_cancel !== false;
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
        if (event.item_id === run.answer.id) run.answer.update(event.update ?? {});
        break;
      case 'thread.item.removed':
        if (event.item_id === run.answer.id) run.answer.setItem({ id: null, content: [] });
        break;
      case 'notice':
        run.answer.root.before(buildProblem([event.title, event.message].filter(Boolean).join(': '), { kind: 'note' }));
        break;
      case 'error':
        run.error = event;
        break;
      default: // New kinds of events must not break the page.
    }
  }

  #applyItem({ type, item }, run) {
    if (item?.type === 'user_message') run.user.id = item.id;
    if (item?.type !== 'assistant_message') return;
    // A second answer in one turn gets its own message.
    if (run.finished.includes(run.answer) && run.answer.id !== item.id) run.answer = this.#addAnswer();
    run.answer.setItem(item);
    if (type === 'thread.item.added') {
      run.answer.setWorking();
    } else {
      run.answer.finish('done');
      if (!run.finished.includes(run.answer)) run.finished.push(run.answer);
    }
  }
}
