// The server's API: the ChatKit protocol endpoint and the plain endpoints beside it.

import { readEvents } from './sse.js';

const ENDPOINT = '/knowledge/chatkit';

/** A failure with a message fit for the reader. `retryAfter` is in seconds. */
export class ApiError extends Error {
  constructor(message, { status = 0, code = '', requestId = '', retryAfter = 0 } = {}) {
    super(message);
    this.name = 'ApiError';
    Object.assign(this, { status, code, requestId, retryAfter });
  }
}

export const isAbort = (error) => error instanceof DOMException && error.name === 'AbortError';

/** The text to show for any failure. */
export function describe(error) {
  if (error instanceof ApiError) return error.message;
  if (error instanceof TypeError) {
    return navigator.onLine ? 'The server could not be reached. Check the connection and try again.' : 'You are offline.';
  }
  return 'Something went wrong. Please try again.';
}

async function request(url, options = {}) {
  const response = await fetch(url, { credentials: 'same-origin', ...options });
  if (!response.ok) throw await failure(response);
  return response;
}

async function failure(response) {
  let body = null;
  try { body = await response.json(); } catch { /* no JSON: the status has to do */ }
  const error = body && typeof body.error === 'object' && body.error !== null ? body.error : {};
  const text = [error.message, body && body.detail].find((value) => typeof value === 'string' && value !== '');
  return new ApiError(text ?? fallbackMessage(response.status), {
    status: response.status,
    code: typeof error.code === 'string' ? error.code : '',
    requestId: typeof error.request_id === 'string' ? error.request_id : '',
    retryAfter: retryAfter(response.headers.get('Retry-After')),
  });
}

function fallbackMessage(status) {
  if (status === 401 || status === 403) return 'You are not allowed to do this. Load the page again.';
  if (status === 404) return 'This was not found.';
  if (status === 429) return 'Too many questions at once. Please wait a moment.';
  if (status === 503) return 'The server has too much to do. Please wait a moment.';
  return `The server answered with an error (${status}).`;
}

/** Retry-After holds seconds or a date. */
export function retryAfter(value) {
  if (!value) return 0;
  const seconds = /^\d+$/.test(value) ? Number(value) : (Date.parse(value) - Date.now()) / 1000;
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(Math.ceil(seconds), 3600) : 0;
}

function post(type, params, signal, accept) {
  return request(ENDPOINT, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Accept: accept },
    body: JSON.stringify({ type, params }),
    signal,
  });
}

/** A request answered with JSON. */
export async function call(type, params, signal) {
  const response = await post(type, params, signal, 'application/json');
  return response.json();
}

/** A request answered with events. Throws before the first event when the server refuses it. */
export async function* stream(type, params, signal) {
  const response = await post(type, params, signal, 'text/event-stream');
  if (!/^text\/event-stream\b/i.test(response.headers.get('Content-Type') ?? '') || !response.body) {
    throw new ApiError('The server sent an answer this page does not understand.');
  }
  yield* readEvents(response.body);
}

export async function getJson(url, signal) {
  return (await request(url, { signal, headers: { Accept: 'application/json' } })).json();
}

export async function loadCitations(threadId, itemId) {
  const url = `/knowledge/threads/${encodeURIComponent(threadId)}/citations?item=${encodeURIComponent(itemId)}`;
  const { citations } = await getJson(url);
  return Array.isArray(citations) ? citations : [];
}

/** Known documents, loaded once. Failing is fine: the page then shows no list. */
let documents = null;
export function loadDocuments() {
  documents ??= getJson('/knowledge/documents').then(
    (body) => (Array.isArray(body.documents) ? body.documents : []),
    () => { documents = null; return []; },
  );
  return documents;
}

/** Where a source lies: with the documents, or with what the visitor attached. */
function sourceBase(documentId) {
  const kind = /^atc_[0-9a-f]{32}$/.test(documentId) ? 'attachments' : 'documents';
  return `/knowledge/${kind}/${encodeURIComponent(documentId)}`;
}

/** The document's file. Viewers of PDF open it at the page, whatever its name; nothing else looks at the fragment. */
export function fileUrl(documentId, page) {
  const url = `${sourceBase(documentId)}/file`;
  return page ? `${url}#page=${encodeURIComponent(page)}` : url;
}

/** The document as a page to read, at the passage. Without a quote, at its place. */
export function previewUrl(source) {
  const wanted = new URLSearchParams();
  for (const name of ['page', 'slide', 'sheet', 'heading', 'quote']) {
    const value = source[name];
    if (value !== null && value !== undefined && value !== '') wanted.set(name, String(value));
  }
  const query = wanted.toString();
  return `${sourceBase(source.documentId)}/preview${query === '' ? '' : `?${query}#quote`}`;
}
