// The list of past conversations, with rename and delete.

import { call, describe } from './api.js';
import { byId, el, iconButton, relativeDate } from './dom.js';
import { visible } from './safe.js';

const UNTITLED = 'New conversation';
const PAGE = 30;

/** `hooks`: `renamed(thread)`, `removed(threadId)` and `chosen()` (a conversation of the list was clicked). */
export class ThreadList {
  #hooks;
  #rows = new Map();
  #active = null;
  #after = null;
  #list = byId('thread-list');
  #note = byId('threads-note');
  #more = byId('threads-more');

  constructor(hooks) {
    this.#hooks = hooks;
    this.#more.addEventListener('click', () => this.load());
    // "2 minutes ago" grows old.
    setInterval(() => { for (const row of this.#rows.values()) row.refresh(); }, 60000);
  }

  /** Loads the next page. */
  async load() {
    this.#more.disabled = true;
    try {
      const page = await this.#nextPage();
      for (const thread of page.data ?? []) this.#show(thread, false);
      this.#after = page.has_more && page.after ? page.after : null;
      this.#setNote(this.#rows.size === 0 ? 'Your conversations will be listed here.' : '');
    } catch (error) {
      this.#setNote(`The list could not be loaded. ${describe(error)}`);
      this.#more.textContent = 'Try again';
      this.#more.hidden = false;
      this.#more.disabled = false;
      return;
    }
    this.#more.textContent = 'Show older';
    this.#more.hidden = this.#after === null;
    this.#more.disabled = false;
  }

  async #nextPage() {
    const wanted = { limit: PAGE, order: 'desc' };
    if (this.#after === null) return call('threads.list', wanted);
    try {
      return await call('threads.list', { ...wanted, after: this.#after });
    } catch (error) {
      // The conversation that the cursor names is gone (deleted in another window): from the top, known rows stay.
      if (error.status !== 400) throw error;
      return call('threads.list', wanted);
    }
  }

  #setNote(text) {
    this.#note.textContent = text;
    this.#note.hidden = text === '';
  }

  add(thread) { this.#show(thread, true); this.#setNote(''); }

  update(thread) {
    if (this.#rows.has(thread.id)) this.#show(thread, true);
  }

  setActive(id) {
    this.#active = id;
    for (const [rowId, row] of this.#rows) row.setActive(rowId === id);
  }

  #show(thread, first) {
    const known = this.#rows.get(thread.id);
    if (known) {
      known.set(thread);
      return;
    }
    const row = new Row(thread, () => this.#rename(row), () => this.#delete(row), () => this.#hooks.chosen());
    this.#rows.set(thread.id, row);
    row.setActive(thread.id === this.#active);
    if (first) this.#list.prepend(row.root);
    else this.#list.append(row.root);
  }

  #lastId() {
    const link = this.#list.lastElementChild?.querySelector('a');
    return link ? link.hash.slice(1) : null;
  }

  #rename(row) {
    const input = byId('rename-input');
    input.value = row.thread.title ?? '';
    openDialog('rename-dialog', async () => {
      const title = input.value.trim();
      if (title === '') return;
      const thread = await call('threads.update', { thread_id: row.thread.id, title });
      this.update(thread);
      this.#hooks.renamed(thread);
    });
    input.select();
  }

  #delete(row) {
    const { id } = row.thread;
    byId('delete-name').textContent = visible(row.thread.title || UNTITLED);
    openDialog('delete-dialog', async () => {
      await call('threads.delete', { thread_id: id });
      // The focused button goes with its row; the next one takes over.
      const next = row.root.nextElementSibling ?? row.root.previousElementSibling;
      row.root.remove();
      this.#rows.delete(id);
      // A cursor must name a row that is still there.
      if (this.#after === id) this.#after = this.#lastId();
      (next?.querySelector('a') ?? byId('new-conversation')).focus();
      if (this.#rows.size === 0) this.#setNote('Your conversations will be listed here.');
      this.#hooks.removed(id);
    });
  }
}

class Row {
  #name = el('span', { class: 'thread-name', dir: 'auto' });
  #date = el('time', { class: 'thread-date' });
  #link;

  constructor(thread, rename, remove, chosen) {
    this.#link = el('a', { class: 'thread-link', href: `#${thread.id}`, on: { click: chosen } }, this.#name, this.#date);
    this.root = el('li', { class: 'thread' }, this.#link,
      el('span', { class: 'thread-tools' }, iconButton('pencil', 'Rename', rename), iconButton('trash', 'Delete', remove)));
    this.set(thread);
  }

  set(thread) {
    this.thread = thread;
    const title = visible(thread.title || UNTITLED);
    this.#name.textContent = title;
    this.#link.title = title;
    const [rename, remove] = this.root.querySelectorAll('button');
    rename.setAttribute('aria-label', `Rename: ${title}`);
    remove.setAttribute('aria-label', `Delete: ${title}`);
    this.refresh();
  }

  refresh() {
    this.#date.dateTime = this.thread.created_at ?? '';
    this.#date.textContent = relativeDate(this.thread.created_at);
  }

  setActive(active) {
    this.root.classList.toggle('is-active', active);
    if (active) this.#link.setAttribute('aria-current', 'page');
    else this.#link.removeAttribute('aria-current');
  }
}

/** Shows a dialog; `confirm` runs on submit and closes it unless it fails. */
function openDialog(id, confirm) {
  const dialog = byId(id);
  const form = dialog.querySelector('form');
  const error = dialog.querySelector('.dialog-error');
  const submit = form.querySelector('[type=submit]');
  error.hidden = true;
  submit.disabled = false;
  dialog.querySelector('[data-cancel]').onclick = () => dialog.close();
  // A click on the backdrop hits the dialog itself, never its form.
  dialog.onclick = (event) => { if (event.target === dialog) dialog.close(); };
  form.onsubmit = async (event) => {
    event.preventDefault();
    submit.disabled = true;
    try {
      await confirm();
      dialog.close();
    } catch (failure) {
      error.textContent = describe(failure);
      error.hidden = false;
      submit.disabled = false;
    }
  };
  dialog.showModal();
}
