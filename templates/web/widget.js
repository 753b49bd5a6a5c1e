// Draws the simple part of a widget: cards, lists, texts, buttons, pictures. Everything else shows as its text.

import { el } from './dom.js';
import { renderMarkdown } from './markdown.js';
import { linkTarget, pictureTarget } from './safe.js';

/** A tree that is deeper or larger than this is cut off: it comes from a model. */
const MAX_DEPTH = 24;
const MAX_NODES = 1000;

const text = (value) => (typeof value === 'string' || typeof value === 'number' ? String(value) : '');

/** `context`: `hosts` (to which links may lead) and `act(action)`. */
export function buildWidget(root, context) {
  const box = el('div', { class: 'widget' });
  box.append(...build(root, { ...context, left: MAX_NODES }, 0));
  return box;
}

function build(node, context, depth) {
  if (node === null || typeof node !== 'object' || depth > MAX_DEPTH || context.left <= 0) return [];
  if (Array.isArray(node)) return node.flatMap((child) => build(child, context, depth + 1));
  context.left -= 1;
  const children = () => build(node.children, context, depth + 1);
  switch (node.type) {
    case 'Card': return [el('div', { class: 'card' }, children(), buildDecision(node, context))];
    case 'ListView': return [el('ul', { class: 'card widget-list' }, children())];
    case 'ListViewItem': return [el('li', {}, withAction(node.onClickAction, children(), context))];
    case 'Row': return [el('div', { class: 'widget-row' }, children())];
    case 'Title': return [el('p', { class: 'widget-title', dir: 'auto', text: text(node.value) })];
    case 'Text':
    case 'Label': return [el('p', { class: 'widget-text', dir: 'auto', text: text(node.value) })];
    case 'Caption': return [el('p', { class: 'widget-caption', dir: 'auto', text: text(node.value) })];
    case 'Markdown': return [buildMarkdown(node)];
    case 'Badge': return [el('span', { class: 'badge', dir: 'auto', text: text(node.label) })];
    case 'Divider': return [el('hr')];
    case 'Spacer': return [el('div', { class: 'widget-spacer' })];
    case 'Icon': return [];
    case 'Image': return [buildImage(node)];
    case 'Button': return [buildButton(text(node.label) || 'OK', node.onClickAction, context)];
    case 'Link': return [buildLink(node, context)];
    default: return [...plain(node), ...children()];
  }
}

/** A component that this page does not know still says what it says. */
function plain(node) {
  const said = text(node.value) || text(node.label) || text(node.title);
  return said === '' ? [] : [el('p', { class: 'widget-text', dir: 'auto', text: said })];
}

function buildMarkdown(node) {
  const box = el('div', { class: 'part' });
  renderMarkdown(box, text(node.value), [], () => null);
  return box;
}

function buildImage(node) {
  const target = pictureTarget(node.src);
  const alt = text(node.alt);
  return target === null
    ? el('p', { class: 'muted', dir: 'auto', text: alt || 'A picture from another site is not shown.' })
    : el('img', { class: 'widget-image', src: target, alt, loading: 'lazy' });
}

function buildLink(node, context) {
  const target = linkTarget(node.href ?? node.url, context.hosts);
  const said = text(node.label) || text(node.value);
  return target === null
    ? el('span', { dir: 'auto', text: said })
    : el('a', { href: target, target: '_blank', rel: 'noopener noreferrer', dir: 'auto', text: said });
}

/** The two buttons at the end of a card that asks for a decision. */
function buildDecision(card, context) {
  const buttons = [card.cancel, card.confirm].filter((one) => one && typeof one === 'object')
    .map((one) => buildButton(text(one.label) || 'OK', one.action, context));
  return buttons.length === 0 ? null : el('div', { class: 'widget-row' }, buttons);
}

const isAction = (action) => action !== null && typeof action === 'object' && text(action.type) !== '' && action.handler !== 'client';

function buildButton(label, action, context) {
  return el('button', {
    type: 'button', class: 'button button-small', dir: 'auto', text: label,
    on: { click: () => { if (isAction(action)) context.act(action); } },
  });
}

function withAction(action, children, context) {
  if (!isAction(action)) return children;
  return [el('button', { type: 'button', class: 'widget-item', on: { click: () => context.act(action) } }, children)];
}
