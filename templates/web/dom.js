// Small helpers to build the page out of nodes. Nothing here (or anywhere else in the page)
// parses a string as HTML: every text goes in as a text node, without the signs that nobody sees.

import { visible } from './safe.js';

const SVG = 'http://www.w3.org/2000/svg';

const ICONS = {
  check: 'M5 12.5l4.5 4.5L19 7.5',
  clip: 'M19 11l-7.5 7.5a4.5 4.5 0 0 1-6.4-6.4L13 4.3a3 3 0 0 1 4.2 4.2l-7.6 7.6a1.5 1.5 0 0 1-2.1-2.1L14 7.4',
  close: 'M6 6l12 12M18 6L6 18',
  copy: 'M9 9h10v11H9zM5 15V4h10',
  down: 'M17 14V3H7.5a2 2 0 0 0-2 1.6l-1.3 6.8a2 2 0 0 0 2 2.4H11l-.8 4.2a2 2 0 0 0 2 2.4L17 14zm0 0h3V3h-3',
  external: 'M14 5h5v5M19 5l-8 8M17 14v5H5V7h5',
  file: 'M6 3h8l4 4v14H6zM14 3v4h4M9 12h6M9 16h6',
  pencil: 'M4 20l1-4L16 5l3 3L8 19zM14 7l3 3',
  retry: 'M19 12a7 7 0 1 1-2.1-5M19 4v4h-4',
  trash: 'M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13M10 11v5M14 11v5',
  up: 'M7 10v11h9.5a2 2 0 0 0 2-1.6l1.3-6.8a2 2 0 0 0-2-2.4H13l.8-4.2a2 2 0 0 0-2-2.4L7 10zm0 0H4v11h3',
  warning: 'M12 4l9 16H3zM12 10v4M12 17v.5',
};

/**
 * Builds one element. `props` holds attributes, except `class`, `text` and `on` (event handlers).
 * `false`, `null` and `undefined` leave an attribute or child out.
 */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === false || value === null || value === undefined) continue;
    if (name === 'class') node.className = value;
    else if (name === 'text') node.textContent = visible(value);
    else if (name === 'on') for (const [event, run] of Object.entries(value)) node.addEventListener(event, run);
    else node.setAttribute(name, value === true ? '' : String(value));
  }
  const shown = children.flat().filter((child) => child !== null && child !== undefined && child !== false);
  node.append(...shown.map((child) => (typeof child === 'string' ? visible(child) : child)));
  return node;
}

export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', ICONS[name]);
  svg.append(path);
  return svg;
}

export function iconButton(name, label, click, extraClass = '') {
  return el('button', {
    type: 'button', class: `icon-button ${extraClass}`.trim(), 'aria-label': label, title: label, on: { click },
  }, icon(name));
}

export const byId = (id) => document.getElementById(id);

/** Speaks a text once to screen readers. Answers are announced when done, not while they grow. */
export function announce(text) {
  const box = byId('announcer');
  // An unchanged text would not be spoken again, so the box is emptied first.
  box.textContent = '';
  setTimeout(() => { box.textContent = visible(text); }, 60);
}

/** The clipboard API exists only on https and localhost; elsewhere the old command still works. */
export async function copyText(raw) {
  const text = visible(raw);
  if (navigator.clipboard && window.isSecureContext) {
    await navigator.clipboard.writeText(text);
    return;
  }
  const back = document.activeElement;
  const area = el('textarea', { class: 'sr-only', 'aria-hidden': 'true', tabindex: '-1' });
  area.value = text;
  document.body.append(area);
  area.select();
  const ok = document.execCommand('copy');
  area.remove();
  if (back instanceof HTMLElement) back.focus();
  if (!ok) throw new Error('copy refused');
}

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });

export function relativeDate(iso) {
  const time = Date.parse(iso);
  if (Number.isNaN(time)) return '';
  const now = new Date();
  const minutes = Math.round((now - time) / 60000);
  if (minutes < 1) return 'just now';
  if (minutes < 60) return relative.format(-minutes, 'minute');
  const midnight = new Date(now.getFullYear(), now.getMonth(), now.getDate()).getTime();
  if (time >= midnight) return relative.format(-Math.round(minutes / 60), 'hour');
  const days = Math.ceil((midnight - time) / 86400000);
  if (days < 7) return relative.format(-days, 'day');
  const sameYear = new Date(time).getFullYear() === now.getFullYear();
  return new Intl.DateTimeFormat('en', {
    day: 'numeric', month: 'short', ...(sameYear ? {} : { year: 'numeric' }),
  }).format(time);
}
