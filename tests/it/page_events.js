// Answers some requests of the page in the server's place. `arguments[0]` has a list of answers for each type of
// request: `events` for a stream (`hangs`: it does not end), or `status`, `headers` and `body`. What has no answer
// goes to the server. What the page asked stands in `window.asked`.
const answers = arguments[0];
const real = window.fetch;
window.asked = [];

const json = (body, status = 200, headers = {}) => Promise.resolve(new Response(JSON.stringify(body), {
  status, headers: { 'Content-Type': 'application/json', ...headers },
}));

function streamed({ events, hangs = false }, signal) {
  const bytes = new TextEncoder();
  const body = new ReadableStream({
    start(controller) {
      for (const event of events) controller.enqueue(bytes.encode(`data: ${JSON.stringify(event)}\n\n`));
      if (hangs) signal.addEventListener('abort', () => controller.error(new DOMException('stopped', 'AbortError')));
      else controller.close();
    },
  });
  return Promise.resolve(new Response(body, { headers: { 'Content-Type': 'text/event-stream; charset=utf-8' } }));
}

window.fetch = (url, options = {}) => {
  if (String(url).includes('/citations')) return json({ documentIds: [], citations: answers.citations ?? [] });
  if (!String(url).endsWith('/knowledge/chatkit')) return real(url, options);
  const request = JSON.parse(options.body);
  const answer = (answers[request.type] ?? []).shift();
  if (!answer) return real(url, options);
  window.asked.push(request);
  return answer.events ? streamed(answer, options.signal) : json(answer.body ?? {}, answer.status, answer.headers);
};

// An upload that always goes well.
window.uploads = [];
window.XMLHttpRequest = class extends EventTarget {
  upload = new EventTarget();
  status = 200;
  response = null;
  open(method, url) { this.to = `${method} ${url}`; }
  setRequestHeader() {}
  abort() {}
  send(file) {
    window.uploads.push({ to: this.to, name: file.name, size: file.size });
    setTimeout(() => this.dispatchEvent(new Event('load')));
  }
};
