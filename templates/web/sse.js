// Reads the event stream of an answer.

/**
 * Splits a stream of text pieces into the data of its events. Pieces may end anywhere, even between
 * the CR and LF of one line end, so a CR at the very end waits for the next piece.
 */
export class EventSplitter {
  #rest = '';
  #data = [];
  #started = false;

  push(piece) {
    let text = this.#rest + piece;
    if (!this.#started && text !== '') {
      this.#started = true;
      if (text.charCodeAt(0) === 0xfeff) text = text.slice(1);
    }
    const events = [];
    let from = 0;
    for (;;) {
      const at = nextLineEnd(text, from);
      if (at < 0) break;
      const isCr = text[at] === '\r';
      if (isCr && at + 1 === text.length) break;
      const event = this.#line(text.slice(from, at));
      if (event !== null) events.push(event);
      from = at + (isCr && text[at + 1] === '\n' ? 2 : 1);
    }
    this.#rest = text.slice(from);
    return events;
  }

  /** Takes one line; gives the data of an event when the line is the empty one that ends it. */
  #line(line) {
    if (line === '') {
      const data = this.#data;
      this.#data = [];
      return data.length > 0 ? data.join('\n') : null;
    }
    // Comments (": ping") and the fields this protocol does not use are dropped.
    if (line === 'data') this.#data.push('');
    else if (line.startsWith('data:')) this.#data.push(line.slice(line[5] === ' ' ? 6 : 5));
    return null;
  }
}

function nextLineEnd(text, from) {
  const lf = text.indexOf('\n', from);
  const cr = text.indexOf('\r', from);
  if (lf < 0) return cr;
  return cr < 0 ? lf : Math.min(lf, cr);
}

/** Yields the parsed events of a response body. An event cut off at the end is not an event. */
export async function* readEvents(body) {
  const reader = body.getReader();
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const splitter = new EventSplitter();
  try {
    for (;;) {
      const { value, done } = await reader.read();
      const events = done
        // Ends a line that a lone CR left open; it adds nothing to a well-formed stream.
        ? splitter.push(decoder.decode()) : splitter.push(decoder.decode(value, { stream: true }));
      for (const data of events) {
        const event = parse(data);
        if (event) yield event;
      }
      if (done) return;
    }
  } finally {
    // Reached too when the consumer stops early: hang up, so that the server can stop working.
    reader.cancel().catch(() => {});
  }
}

function parse(data) {
  try {
    const event = JSON.parse(data);
    return event !== null && typeof event === 'object' ? event : null;
  } catch {
    // One unreadable event is skipped; if it mattered, the missing end of the answer shows it.
    return null;
  }
}
