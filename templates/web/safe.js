// Which addresses the page may show. Texts, names and addresses come from models, documents and visitors: an address
// becomes a link only where it leads to this server, or to a host that the thread allows by name, and a picture only
// where it is this server's.

const PICTURE = /^data:image\/(?:png|gif|jpeg|webp);base64,[\w+/=]+$/;
const ATTACHMENTS = '/knowledge/attachments/';

function parse(address) {
  if (typeof address !== 'string') return null;
  try { return new URL(address, location.href); } catch { return null; }
}

const isWeb = (url) => (url.protocol === 'http:' || url.protocol === 'https:') && url.username === '' && url.password === '';
const isAllowed = (url, hosts) => url.origin === location.origin || (url.protocol === 'https:' && hosts.includes(url.hostname));

/** The address to link to, or null where it may only be shown as text. */
export function linkTarget(address, hosts = []) {
  const url = parse(address);
  return url && isWeb(url) && isAllowed(url, hosts) ? url.href : null;
}

/**
 * The address of a picture that may be loaded, or null. Small pictures may be within the address itself. Those of
 * other hosts are never loaded, whatever the thread allows: the page's policy has this server only.
 */
export function pictureTarget(address) {
  if (typeof address === 'string' && PICTURE.test(address)) return address;
  return linkTarget(address);
}

/**
 * The address of an attachment on this server, whatever name of the server it was given with: the page speaks to no
 * other. Null for anything else.
 */
export function attachmentTarget(address) {
  const url = parse(address);
  return url && isWeb(url) && url.pathname.startsWith(ATTACHMENTS) ? url.pathname + url.search : null;
}

/**
 * What nobody sees, or what turns text round: control characters, invisible spaces, overrides of direction, tags.
 * Marks of direction and joiners stay; scripts and emoji need them.
 */
// Built from a string, so that this file holds no such character itself.
const HIDDEN = '[\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f\\u200b\\u202a-\\u202e\\u2060-\\u2069\\ufeff\\u{e0000}-\\u{e007f}]';
const hidden = new RegExp(HIDDEN, 'gu');
const isHiddenSign = new RegExp(`^${HIDDEN}$`, 'u');

/** Whether a single sign is one that is never shown. */
export const isHidden = (sign) => isHiddenSign.test(sign);

/** A text as it may be shown. */
export const visible = (text) => String(text).replace(hidden, '');

/** An address as people read it. */
export function readableAddress(address) {
  const url = parse(address);
  return visible(url && isWeb(url) ? url.href : address ?? '');
}
