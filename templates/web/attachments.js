// Files that go with a question: chosen, dropped or pasted, uploaded at once, and shown with what became of them.

import { ApiError, call, describe, retryAfter } from './api.js';
import { announce, byId, el, icon, iconButton } from './dom.js';
import { attachmentTarget } from './safe.js';

/** The attachments of a message, as they are shown with it. */
export function buildAttachments(attachments) {
  if (!Array.isArray(attachments) || attachments.length === 0) return null;
  return el('ul', { class: 'attachments', 'aria-label': 'Attached files' },
    attachments.map((one) => el('li', { class: 'attachment' }, preview(one), el('span', { class: 'attachment-name', dir: 'auto', text: one.name ?? 'File' }))));
}

function preview(attachment) {
  const target = attachment.type === 'image' ? attachmentTarget(attachment.preview_url) : null;
  return target === null ? icon('file') : el('img', { class: 'attachment-image', src: target, alt: '', loading: 'lazy' });
}

export function readableSize(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  const [value, unit] = bytes < 1e6 ? [bytes / 1000, 'kB'] : [bytes / 1e6, 'MB'];
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${unit}`;
}

/** How often the server is asked again that asks to wait: many files at once may be more than it takes. */
const TRIES = 4;

/** The files of the next question. `changed()` is called when what can be sent changes. */
export class Tray {
  #changed;
  #limits = null;
  #files = [];
  /** Ends when what was added so far is uploaded or failed. */
  #line = Promise.resolve();
  #list = byId('tray');
  #button = byId('attach');
  #input = byId('attach-input');

  constructor(changed) {
    this.#changed = changed;
    this.#button.addEventListener('click', () => this.#input.click());
    this.#input.addEventListener('change', () => {
      this.add(this.#input.files);
      // The same file may be chosen again after it was removed.
      this.#input.value = '';
    });
    this.#setUpDrop(byId('main'));
    byId('question').addEventListener('paste', (event) => {
      const { clipboardData: data } = event;
      if (!this.#limits || !data || data.files.length === 0 || isText(data.types)) return;
      event.preventDefault();
      this.add(data.files);
    });
  }

  /**
   * `limits` are the server's: `max_bytes` of a file, `max_count` of a message, the extensions that it may `accept`.
   * Without them nothing can be attached.
   */
  enable(limits) {
    if (!limits || !Number.isFinite(limits.max_bytes) || !Number.isFinite(limits.max_count)) return;
    const accept = Array.isArray(limits.accept) ? limits.accept.filter((one) => typeof one === 'string') : [];
    this.#limits = { ...limits, accept };
    this.#input.accept = accept.join(',');
    this.#button.hidden = false;
    this.#button.title = `Attach files (up to ${limits.max_count}, ${readableSize(limits.max_bytes)} each)`;
  }

  get isBusy() { return this.#files.some((file) => file.state === 'uploading'); }
  get hasProblem() { return this.#files.some((file) => file.state === 'failed'); }

  /** Gives the uploaded files away and forgets them. */
  take() {
    const taken = this.#files.filter((file) => file.state === 'done').map((file) => file.attachment);
    this.#files = [];
    this.#refresh();
    return taken;
  }

  add(files) {
    if (!this.#limits) return;
    for (const file of files) {
      const one = { name: file.name, size: file.size, state: 'uploading', share: 0, problem: '', attachment: null, request: null };
      one.row = this.#buildRow(one);
      this.#files.push(one);
      const problem = this.#refusal(file);
      // One after another: together they would meet the server's limits again and again.
      if (problem === null) this.#line = this.#line.then(() => this.#upload(one, file));
      else this.#fail(one, problem);
    }
    this.#refresh();
  }

  #refusal(file) {
    const { max_bytes: maxBytes, max_count: maxCount, accept } = this.#limits;
    if (accept.length > 0 && !accept.some((ending) => file.name.toLowerCase().endsWith(ending))) return 'Files of this kind cannot be attached.';
    if (file.size > maxBytes) return `This file is too large; ${readableSize(maxBytes)} are allowed.`;
    if (file.size === 0) return 'This file is empty.';
    const count = this.#files.filter((one) => one.state !== 'failed').length;
    return count > maxCount ? `A question can have ${maxCount} files at most.` : null;
  }

  async #upload(one, file) {
    if (one.state === 'removed') return;
    try {
      const mime = file.type || 'application/octet-stream';
      const about = { name: file.name, size: file.size, mime_type: mime };
      one.attachment = await patiently(one, () => call('attachments.create', about));
      if (one.state === 'removed') {
        this.#forget(one);
        return;
      }
      const answer = await patiently(one, () => send(one, file, () => this.#refreshRow(one)));
      if (answer && answer.id === one.attachment.id) one.attachment = answer;
      if (one.state === 'removed') return;
      one.state = 'done';
      announce(`${one.name} is attached.`);
    } catch (error) {
      if (one.state !== 'removed') this.#fail(one, describe(error));
      this.#forget(one);
    }
    this.#refresh();
  }

  #fail(one, problem) {
    one.state = 'failed';
    one.problem = problem;
    announce(`${one.name} could not be attached: ${problem}`);
  }

  #remove(one) {
    one.state = 'removed';
    one.request?.abort();
    this.#forget(one);
    this.#files = this.#files.filter((other) => other !== one);
    this.#refresh();
    byId('question').focus();
  }

  /** The server need not keep what nobody sends; should this fail, it forgets the file by itself. */
  #forget(one) {
    const id = one.attachment?.id;
    if (!id) return;
    one.attachment = null;
    call('attachments.delete', { attachment_id: id }).catch(() => {});
  }

  #buildRow(one) {
    return el('li', { class: 'attachment' }, el('span', { class: 'attachment-icon' }, icon('file')),
      el('span', { class: 'attachment-body' },
        el('span', { class: 'attachment-name', dir: 'auto', text: one.name }), el('span', { class: 'attachment-note' })),
      iconButton('close', `Remove ${one.name}`, () => this.#remove(one)));
  }

  #refreshRow(one) {
    const note = one.row.querySelector('.attachment-note');
    const notes = { uploading: `${readableSize(one.size)} · ${Math.round(one.share * 100)} %`, done: readableSize(one.size), failed: one.problem };
    note.textContent = notes[one.state] ?? '';
    one.row.classList.toggle('is-failed', one.state === 'failed');
    one.row.setAttribute('aria-busy', String(one.state === 'uploading'));
    if (one.state === 'done') one.row.querySelector('.attachment-icon').replaceChildren(preview(one.attachment));
  }

  #refresh() {
    this.#list.hidden = this.#files.length === 0;
    this.#files.forEach((one) => this.#refreshRow(one));
    const rows = this.#files.map((one) => one.row);
    if (rows.length !== this.#list.children.length || rows.some((row, i) => row !== this.#list.children[i])) this.#list.replaceChildren(...rows);
    this.#changed();
  }

  #setUpDrop(zone) {
    let depth = 0;
    const mark = (change) => {
      depth = Math.max(0, depth + change);
      zone.classList.toggle('is-drop', depth > 0);
    };
    const hasFiles = (event) => this.#limits !== null && !byId('composer').hidden && carriesFiles(event);
    zone.addEventListener('dragenter', (event) => { if (hasFiles(event)) mark(1); });
    zone.addEventListener('dragleave', (event) => { if (hasFiles(event)) mark(-1); });
    zone.addEventListener('dragover', (event) => { if (hasFiles(event)) event.preventDefault(); });
    zone.addEventListener('drop', (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      mark(-depth);
      this.add(event.dataTransfer.files);
    });
    // Beside the zone, or where nothing can be attached, the browser would leave the page for the file.
    for (const name of ['dragover', 'drop']) {
      window.addEventListener(name, (event) => {
        if (event.defaultPrevented || !carriesFiles(event)) return;
        event.preventDefault();
        event.dataTransfer.dropEffect = 'none';
      });
    }
  }
}

const carriesFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes('Files');

/** Office programs put a picture of what was copied beside the text; a copied file may have its name beside it. */
const isText = (types) => types.includes('text/plain') && (types.includes('text/html') || types.includes('text/rtf'));

/** Does it again when the server had too much to do, after the time that it named. */
async function patiently(one, attempt) {
  for (let tries = 1; ; tries += 1) {
    try {
      return await attempt();
    } catch (error) {
      const isBusy = error instanceof ApiError && error.retryAfter > 0 && (error.status === 429 || error.code === 'busy');
      if (!isBusy || tries === TRIES || one.state === 'removed') throw error;
      await new Promise((resolve) => { setTimeout(resolve, error.retryAfter * 1000); });
      if (one.state === 'removed') throw error;
    }
  }
}

/** Sends the bytes. This older interface tells how far it is; `fetch` does not. */
function send(one, file, progress) {
  const descriptor = one.attachment.upload_descriptor ?? {};
  const target = attachmentTarget(descriptor.url);
  if (target === null) return Promise.reject(new ApiError('The server names no place for this file.'));
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    one.request = request;
    request.open(descriptor.method === 'POST' ? 'POST' : 'PUT', target);
    for (const [name, value] of Object.entries(descriptor.headers ?? {})) request.setRequestHeader(name, value);
    request.responseType = 'json';
    request.upload.addEventListener('progress', (event) => {
      one.share = event.lengthComputable && event.total > 0 ? event.loaded / event.total : 0;
      progress();
    });
    request.addEventListener('load', () => {
      if (request.status >= 200 && request.status < 300) resolve(request.response);
      else reject(uploadFailure(request));
    });
    request.addEventListener('error', () => reject(new TypeError('upload failed')));
    request.addEventListener('abort', () => reject(new ApiError('The upload was stopped.')));
    request.send(file);
  });
}

function uploadFailure(request) {
  const { message, code = '' } = request.response?.error ?? {};
  return new ApiError(message ?? `The file was refused (${request.status}).`, {
    status: request.status, code, retryAfter: retryAfter(request.getResponseHeader('Retry-After')),
  });
}
