// A form that the bot asks to be filled in.

import { el } from './dom.js';

const text = (value) => (typeof value === 'string' ? value : '');
let count = 0;

/** `submit(input)` sends what was filled in; an answered form shows its answers. */
export function buildForm(item, submit) {
  const questions = (Array.isArray(item.inputs) ? item.inputs : []).filter((one) => one && typeof one === 'object');
  if (item.status !== 'pending') return buildAnswers(item, questions);
  count += 1;
  const fields = questions.map((question, at) => buildQuestion(question, `form-${count}-${at}`));
  const send = (status) => submit({
    status,
    answers: Object.fromEntries(questions.map((question, at) => [question.id, answerOf(status, fields[at].read())])),
  });
  const form = el('form', { class: 'form card' },
    // One switch for all controls: nothing can be sent while an answer streams.
    el('fieldset', { class: 'form-body' },
      fields.map((field) => field.root),
      el('div', { class: 'form-buttons' },
        el('button', { type: 'button', class: 'button button-small', text: 'Skip', on: { click: () => send('skipped') } }),
        el('button', { type: 'submit', class: 'button button-small button-primary', text: 'Send' }))));
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    send('answered');
  });
  return form;
}

const answerOf = (status, values) => (status === 'skipped' || values.length === 0 ? { values: [], skipped: true } : { values, skipped: false });

function buildQuestion(question, name) {
  return question.type === 'multiple_choice' ? buildChoice(question, name) : buildFreeform(question, name);
}

function buildChoice(question, name) {
  const kind = question.multiple === true ? 'checkbox' : 'radio';
  const inputs = (Array.isArray(question.options) ? question.options : [])
    .map((option) => el('input', { type: kind, name, value: text(option?.value) }));
  const root = el('fieldset', { class: 'form-question' },
    el('legend', { dir: 'auto', text: text(question.question) }),
    inputs.map((input) => el('label', { class: 'form-option' }, input, el('span', { dir: 'auto', text: input.value }))));
  return { root, read: () => inputs.filter((input) => input.checked).map((input) => input.value) };
}

function buildFreeform(question, name) {
  const area = el('textarea', { id: name, rows: 2, dir: 'auto', maxlength: 4000 });
  const hint = text(question.description);
  if (hint !== '') area.setAttribute('aria-describedby', `${name}-hint`);
  const root = el('div', { class: 'form-question' },
    el('label', { for: name, dir: 'auto', text: text(question.question) }),
    hint === '' ? null : el('p', { class: 'muted', id: `${name}-hint`, dir: 'auto', text: hint }), area);
  return { root, read: () => (area.value.trim() === '' ? [] : [area.value.trim()]) };
}

function buildAnswers(item, questions) {
  const rows = questions.flatMap((question) => {
    const values = Array.isArray(question.answer?.values) ? question.answer.values.map(text).filter((one) => one !== '') : [];
    return [
      el('dt', { dir: 'auto', text: text(question.question) }),
      el('dd', { dir: 'auto', class: values.length === 0 ? 'muted' : '', text: values.length === 0 ? 'Skipped' : values.join(', ') }),
    ];
  });
  return el('div', { class: 'form card' },
    el('p', { class: 'muted', text: item.status === 'skipped' ? 'You skipped this form.' : 'Your answers' }), el('dl', {}, rows));
}
