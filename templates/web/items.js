// What a conversation holds beside messages: steps, widgets, forms, pictures, calls of tools.

import { el, icon } from './dom.js';
import { buildForm } from './form.js';
import { renderMarkdown } from './markdown.js';
import { pictureTarget } from './safe.js';
import { buildWidget } from './widget.js';

const text = (value) => (typeof value === 'string' ? value : '');
const list = (value) => (Array.isArray(value) ? value : []);

const BUILDERS = {
  client_tool_call: buildCall,
  generated_image: buildPicture,
  structured_input: (item, view) => buildForm(item, (input) => view.actions.submit(item.id, input)),
  task: (item) => el('ul', { class: 'steps' }, buildTask(item.task ?? {})),
  widget: (item, view) => buildWidget(item.widget, {
    hosts: view.actions.hosts(),
    act: (action) => view.actions.act(item.id, action),
  }),
  workflow: buildWorkflow,
};

const LABELS = {
  client_tool_call: 'A step on this page',
  generated_image: 'A picture',
  structured_input: 'A form',
  task: 'A step',
  widget: 'A card',
  workflow: 'Steps of the assistant',
};

/**
 * One such item, complete or growing. `actions`: `submit(id, input)` sends a form, `act(id, action)` is a touch of a
 * widget, `hosts()` tells where links may lead.
 */
export class ItemView {
  #open = true;
  #unfolded = false;

  /** Null for kinds that show nothing. */
  static of(item, actions) {
    return Object.hasOwn(BUILDERS, item.type) ? new ItemView(item, actions) : null;
  }

  constructor(item, actions) {
    this.id = item.id;
    this.actions = actions;
    this.root = el('section', { class: `item item-${item.type}`, 'aria-label': LABELS[item.type] });
    this.set(item);
  }

  get type() { return this.item.type; }

  set(item) {
    this.item = item;
    this.#render();
  }

  /** Applies one update of the stream; one that does not fit is ignored. */
  update(update) {
    if (applyUpdate(this.item, update)) this.#render();
  }

  /** Nothing can be sent while an answer streams, or in a closed conversation. */
  setOpen(open) {
    this.#open = open;
    for (const control of this.root.querySelectorAll('.widget button, .form > fieldset')) control.disabled = !open;
  }

  #render() {
    const old = this.root.firstElementChild;
    const focused = focusables(this.root).indexOf(document.activeElement);
    this.root.replaceChildren(BUILDERS[this.item.type](this.item, this));
    this.setOpen(this.#open);
    this.#keepFold(old);
    // Who is at the second button of a card that grows stays at its second button.
    focusables(this.root)[focused]?.focus({ preventScroll: true });
  }

  /** What the reader folded or unfolded by hand stays so. */
  #keepFold(old) {
    const now = this.root.firstElementChild;
    if (!(now instanceof HTMLDetailsElement)) return;
    const told = now.open;
    if (old instanceof HTMLDetailsElement && old.open !== this.#unfolded) now.open = old.open;
    this.#unfolded = told;
  }
}

const focusables = (root) => [...root.querySelectorAll('summary, a, button, input, textarea')];

function applyUpdate(item, update) {
  switch (update.type) {
    case 'workflow.task.added':
    case 'workflow.task.updated': {
      const { tasks } = item.workflow ?? {};
      const at = update.task_index;
      if (!Array.isArray(tasks) || !Number.isInteger(at) || at < 0 || at > tasks.length) return false;
      tasks[at] = update.task;
      return true;
    }
    case 'widget.root.updated':
      item.widget = update.widget;
      return true;
    case 'widget.component.updated':
      return changeComponent(item.widget, update.component_id, (old) => {
        for (const key of Object.keys(old)) delete old[key];
        Object.assign(old, update.component);
      });
    case 'widget.streaming_text.value_delta':
      return changeComponent(item.widget, update.component_id, (old) => { old.value = text(old.value) + text(update.delta); });
    case 'generated_image.updated':
      item.image = update.image;
      item.progress = update.progress;
      return true;
    default:
      return false;
  }
}

/** Changes the first component with this id. */
function changeComponent(node, id, change) {
  if (node === null || typeof node !== 'object') return false;
  if (!Array.isArray(node) && node.id === id) {
    change(node);
    return true;
  }
  return Object.values(node).some((child) => changeComponent(child, id, change));
}

// ---- Steps ----

function buildWorkflow({ workflow = {} }) {
  const tasks = list(workflow.tasks).map((task) => buildTask(task ?? {}));
  const summary = workflow.summary ?? {};
  const seconds = Number.isInteger(summary.duration) ? `Took ${summary.duration} s` : null;
  const title = text(summary.title) || seconds || (workflow.type === 'reasoning' ? 'Thinking' : 'Working');
  return el('details', { class: 'workflow', open: workflow.expanded === true },
    el('summary', { dir: 'auto' }, title), el('ul', { class: 'steps' }, tasks));
}

const TASK_NAMES = { file: 'Reading documents', image: 'Making a picture', thought: 'Thought', web_search: 'Searching' };

function buildTask(task) {
  const title = text(task.title) || TASK_NAMES[task.type] || 'Step';
  const query = text(task.title_query);
  const details = [
    ...list(task.queries).map((one) => el('li', { dir: 'auto', text: text(one) })),
    ...list(task.sources).map((one) => el('li', { dir: 'auto', text: text(one?.title) || text(one?.filename) })),
  ];
  const status = { complete: 'check', loading: null }[task.status_indicator];
  return el('li', { class: `step step-${task.status_indicator === 'loading' ? 'loading' : 'still'}` },
    status ? icon(status) : null,
    el('div', { class: 'step-body' },
      el('p', { dir: 'auto' }, title, query === '' ? null : el('q', { text: query })),
      text(task.content) === '' ? null : el('p', { class: 'step-content', dir: 'auto', text: task.content }),
      details.length === 0 ? null : el('ul', { class: 'step-details' }, details)));
}

// ---- Pictures and calls ----

function buildPicture({ image, progress }) {
  if (!image) return el('p', { class: 'muted', text: 'A picture is being made.' });
  const target = pictureTarget(image.url);
  if (target === null) return el('p', { class: 'muted', text: 'A picture from another site is not shown.' });
  const box = el('figure', { class: 'picture' }, el('img', { src: target, alt: 'Picture made by the assistant', loading: 'lazy' }));
  if (typeof progress === 'number' && progress < 1) box.append(el('progress', { max: 1, value: progress, 'aria-label': 'How much of the picture is made' }));
  return box;
}

function buildCall(item) {
  const waits = item.status === 'pending';
  return el('p', { class: 'muted', dir: 'auto' },
    waits ? 'The assistant asked this page for something it cannot do: ' : 'The assistant used a tool of the page: ',
    el('code', { text: text(item.name) }));
}

/** A message beside the conversation. `level` is info, warning or danger. */
export function buildNotice({ level, title, message }) {
  const known = ['info', 'warning', 'danger'].includes(level) ? level : 'info';
  const body = el('div', { class: 'notice-text' });
  renderMarkdown(body, text(message), [], () => null);
  return el('div', { class: `notice notice-${known}`, role: 'note' },
    known === 'info' ? null : icon('warning'),
    el('div', { class: 'notice-body' }, text(title) === '' ? null : el('p', { class: 'notice-title', dir: 'auto', text: title }), body));
}
