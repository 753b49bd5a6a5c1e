// The question box: what may be sent, and why not now.

import { Tray } from './attachments.js';
import { announce, byId } from './dom.js';

const USUAL_HINT = [...byId('composer-hint').childNodes];

/** `hooks`: `send(text, attachments)`, `stop()` and `rest()`, which puts the focus where it belongs. */
export class Composer {
  #hooks;
  #current = null;
  #waitUntil = 0;
  #question = byId('question');
  #send = byId('send');
  #stop = byId('stop');
  #hint = byId('composer-hint');
  #tray;

  constructor(hooks) {
    this.#hooks = hooks;
    this.#tray = new Tray(() => this.#refreshSend());
    this.#question.addEventListener('input', () => { this.#grow(); this.#refreshSend(); });
    this.#question.addEventListener('keydown', (event) => {
      // Enter also ends the composition of a Chinese or Japanese word: that must not send. (229: Safari.)
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing || event.keyCode === 229) return;
      event.preventDefault();
      byId('composer').requestSubmit();
    });
    byId('composer').addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#stop.addEventListener('click', () => { hooks.stop(); hooks.rest(); });
    for (const name of ['online', 'offline']) {
      window.addEventListener(name, () => {
        announce(navigator.onLine ? 'You are online again.' : 'You are offline.');
        this.#refreshSend();
      });
    }
  }

  /** What the server allows: `attachments`, or nothing. */
  enableAttachments(limits) { this.#tray.enable(limits); }

  /** The server asked to wait: nothing is sent before that. */
  pause(seconds) {
    if (!(seconds > 0)) return;
    const began = this.#left() > 0;
    this.#waitUntil = Math.max(this.#waitUntil, Date.now() + seconds * 1000);
    if (!began) this.#tick();
  }

  refresh(conversation) {
    this.#current = conversation;
    const { closed } = conversation;
    byId('composer').hidden = closed !== null;
    this.#hint.hidden = closed !== null;
    byId('closed-note').hidden = closed === null;
    byId('closed-note').textContent = closed ?? '';
    const stoppable = conversation.streaming && conversation.canStop;
    this.#stop.hidden = !stoppable;
    this.#send.hidden = stoppable;
    this.#refreshSend();
  }

  #left() { return Math.max(0, Math.ceil((this.#waitUntil - Date.now()) / 1000)); }

  #tick() {
    this.#refreshSend();
    if (this.#left() > 0) setTimeout(() => this.#tick(), 500);
    else announce('You can ask again.');
  }

  #refreshSend() {
    const current = this.#current;
    const wait = this.#left();
    this.#send.disabled = this.#question.value.trim() === '' || current === null || current.streaming || current.loading
      || current.closed !== null || wait > 0 || !navigator.onLine || this.#tray.isBusy || this.#tray.hasProblem;
    byId('offline').hidden = navigator.onLine;
    if (wait > 0) this.#hint.textContent = `Please wait ${wait} ${wait === 1 ? 'second' : 'seconds'} before you ask again.`;
    else if (this.#tray.hasProblem) this.#hint.textContent = 'Remove the files that could not be attached to send the question.';
    else if (this.#hint.firstChild !== USUAL_HINT[0]) this.#hint.replaceChildren(...USUAL_HINT);
  }

  #submit() {
    this.#refreshSend();
    if (this.#send.disabled) return;
    const text = this.#question.value.trim();
    this.#question.value = '';
    this.#grow();
    this.#hooks.send(text, this.#tray.take());
    announce('Question sent.');
  }

  #grow() {
    this.#question.style.height = 'auto';
    this.#question.style.height = `${this.#question.scrollHeight}px`;
  }
}
