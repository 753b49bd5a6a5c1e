//! How to reach a person, and when they were born.
//!
//! Addresses of roles (`support@`) and numbers of services (freephone) are what a help centre is for: they are found,
//! at the lowest level, as are addresses that may be a role's (`fleet@`). Numbers without a plus, a name before them or
//! the national form are not telephone numbers.

use crate::lint::sensitive::{Candidate, Class, Kind, Level, Pattern};

/// Words before `@` that name a role, whole or before a separator.
const ROLES: &str = "\
    info support help helpdesk contact kontakt contacto sales service services kundenservice customer \
    customerservice care hello hallo hola bonjour office buero admin administrator root webmaster postmaster \
    hostmaster abuse security privacy datenschutz dpo gdpr press presse media jobs careers bewerbung hr \
    people team billing invoice invoices accounts accounting finance orders order bestellung returns retoure \
    shop store noreply no donotreply newsletter news marketing legal compliance feedback mail partners \
    wholesale";

/// Providers of mailboxes for private persons.
const PRIVATE: &str = "\
    gmail.com googlemail.com outlook.com hotmail.com live.com yahoo.com yahoo.de yahoo.fr icloud.com me.com \
    aol.com gmx.de gmx.net web.de t-online.de orange.fr free.fr proton.me protonmail.com mail.ru";

/// Frequent first names: alone before `@` they are a person.
const FIRST_NAMES: &str = "\
    adam alexander alice amanda amy andrea andreas andrew angela anna anne antonio barbara ben benjamin bob \
    brian carlos carmen caroline charles charlotte chris christian christine claudia daniel david diana dirk \
    elena elizabeth emily emma eric ethan eva felix francesca frank george giulia hans heike helen henry \
    ivan jack jacob james jan jane javier jean jennifer jessica joe john jonas jose joseph juan julia karen \
    karl katharina kevin klaus laura lena linda lisa lucas lukas luis marco maria marie mark markus martin \
    mary matthew max michael monika natalie nicole olivia patricia paul peter philipp pierre robert sabine \
    sarah sophie stefan susan thomas tim ursula wolfgang";

const fn personal(
    id: &'static str,
    title: &'static str,
    regex: &'static str,
    judge: fn(&Candidate<'_>) -> Option<Level>,
) -> Pattern {
    Pattern { kind: Kind { id, title, class: Class::Personal }, regex, judge }
}

/// Every form.
pub(super) static PATTERNS: &[Pattern] = &[
    personal(
        "date-of-birth",
        "date of birth",
        r"(?i)(?:(?:date of birth|birth ?date|\bd\.?o\.?b\b\.?|\bborn on|geburtsdatum|geburtstag|\bgeb\.(?: am)?|\bgeboren am|\bgeboren op|fecha de nacimiento|\bnacid[oa] el|date de naissance|\bnée? le|data di nascita|\bnat[oa] il|data de nascimento|\bnascid[oa] em|geboortedatum|data urodzenia|\bur\. |födelsedatum|fødselsdato|syntymäaika|doğum tarihi|datum narození|дата рождения|生年月日|出生日期)(?: ?\([^()\n]{1,24}\))?\s{0,3}(?:[:：|=*–—-]{1,3}|\b(?:is|was|ist|war|est|es)\b)?|\b(?:born|birthday|geboren|née?|nacid[oa]|nat[oa]|nascid[oa]|anniversaire|cumpleaños)\s{0,2}[:：|=*]{1,3})\s{0,3}(?P<v>\d{1,2}[./-] ?\d{1,2}[./-] ?\d{4}|\d{1,2}[./-]\d{1,2}[./-]\d{2}\b|\d{4}[-/.]\d{2}[-/.]\d{2}|\d{4}年\d{1,2}月\d{1,2}日|\d{1,2}(?:\.|st|nd|rd|th|er| de| di)? \p{L}{3,12}\.?(?: de)? \d{4}|\p{L}{3,9}\.? \d{1,2}(?:st|nd|rd|th)?,? \d{4})",
        birth,
    ),
    personal(
        "email",
        "e-mail address",
        r"\b[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@(?:[A-Za-z0-9-]{1,63}\.){1,5}[A-Za-z]{2,24}\b",
        email,
    ),
    // ITU-T E.164: at most fifteen digits after the plus.
    personal(
        "phone",
        "telephone number",
        r"\+[1-9][0-9]{0,2}(?:[ \u{a0}./-]{0,2}\(?[0-9]{1,6}\)?){2,7}",
        international,
    ),
    personal(
        "phone",
        "telephone number",
        r"(?i)\b(?:tel(?:ephone|efon|éfono|éphone)?|phone|fon|mobile?|handy|cell|fax|hotline|móvil)(?: ?(?:number|no|nr|nummer))?\b[.:*|\]]{0,4}[ \u{a0}]{0,2}(?P<v>\(?[0-9][0-9 \u{a0}()./-]{6,20}[0-9])",
        national,
    ),
    // North American numbering plan: neither area nor exchange begins with 0 or 1.
    personal(
        "phone",
        "telephone number",
        r"(?:\([2-9][0-9]{2}\) ?|\b[2-9][0-9]{2}[-.])[2-9][0-9]{2}[-.][0-9]{4}\b",
        national,
    ),
];

fn birth(candidate: &Candidate<'_>) -> Option<Level> {
    let digits: String = candidate.value().chars().map(|c| if c.is_ascii_digit() { c } else { ' ' }).collect();
    let year = digits.split_whitespace().find(|part| part.len() == 4).and_then(|year| year.parse::<u16>().ok());
    // Nobody of the century before the last is alive: it is history.
    year.is_none_or(|year| (1900..=2100).contains(&year)).then_some(Level::High)
}

fn email(candidate: &Candidate<'_>) -> Option<Level> {
    let value = candidate.value().to_lowercase();
    let (local, domain) = value.split_once('@')?;
    let is_file = ["png", "jpg", "jpeg", "gif", "svg", "webp", "css", "js"]
        .iter()
        .any(|end| domain.ends_with(&format!(".{end}")));
    // `git@host:path` and `user:password@host` are no addresses.
    let is_login =
        matches!(candidate.char_before(), Some(':' | '/')) || matches!(candidate.char_after(), Some(':' | '/'));
    if is_file || (is_login && !candidate.before(8).ends_with("mailto:")) {
        return None;
    }
    let parts: Vec<&str> = local.split(['.', '_', '-', '+']).filter(|part| !part.is_empty()).collect();
    if parts.iter().any(|part| listed(ROLES, part)) {
        return Some(Level::Low);
    }
    let is_private = listed(PRIVATE, domain);
    Some(if is_private || is_name(local) { Level::Medium } else { Level::Low })
}

/// Whether a list, its words separated by blanks, has this one.
fn listed(list: &str, word: &str) -> bool {
    list.split(' ').any(|listed| listed == word)
}

/// `jane.doe`, `j_doe`, `jane`: of the addresses that a company gives, only these surely are a person's. `fleet`,
/// `tts-travel` and `ghent2` may be anything.
fn is_name(local: &str) -> bool {
    let parts: Vec<&str> = local.split(['.', '_']).collect();
    let is_word = |part: &&str| !part.is_empty() && part.chars().all(|c| c.is_alphabetic() || c == '-');
    match parts.as_slice() {
        [name] => listed(FIRST_NAMES, name),
        [.., last] => parts.len() <= 3 && last.len() > 2 && parts.iter().all(is_word),
        [] => false,
    }
}

fn international(candidate: &Candidate<'_>) -> Option<Level> {
    let value = candidate.value();
    let digits: String = value.chars().filter(char::is_ascii_digit).collect();
    let is_cut = candidate.is_inside_word() || candidate.char_before().is_some_and(|c| matches!(c, '.' | '+' | ')'));
    // One sum after another (`+12.5 +13.0`) is no number: decimals have one dot and no other separator.
    let is_decimal = value.matches('.').count() == 1 && !value.contains([' ', '\u{a0}', '-', '/', '(']);
    let is_grouped = digits.len() >= 10 || value.contains([' ', '\u{a0}', '-', '/', '(']);
    let is_good = (8..=15).contains(&digits.len()) && !is_cut && !is_decimal && is_grouped;
    is_good.then(|| if is_service(&digits) { Level::Low } else { Level::Medium })
}

fn national(candidate: &Candidate<'_>) -> Option<Level> {
    let value = candidate.value();
    let digits: String = value.chars().filter(char::is_ascii_digit).collect();
    let is_cut = candidate.char_before().is_some_and(|c| c.is_alphanumeric() || matches!(c, '-' | '.' | '/' | '_'))
        || candidate.char_after().is_some_and(|c| c.is_alphanumeric() || matches!(c, '-' | '_'));
    let first = digits.chars().next();
    let is_good = (7..=15).contains(&digits.len()) && !is_cut && !digits.chars().all(|c| Some(c) == first);
    is_good.then(|| if is_service(&digits) { Level::Low } else { Level::Medium })
}

/// Freephone and shared-cost numbers belong to no person.
fn is_service(digits: &str) -> bool {
    let national = |code: &str| digits.strip_prefix(code).map(|rest| format!("0{}", rest.trim_start_matches('0')));
    let german = national("49").unwrap_or_else(|| digits.to_owned());
    let british = national("44").unwrap_or_else(|| digits.to_owned());
    let american = digits.strip_prefix('1').unwrap_or(digits);
    digits.starts_with("800")
        || digits.starts_with("00800")
        || ["0800", "0180", "0900", "0137", "0700"].iter().any(|prefix| german.starts_with(prefix))
        || ["0800", "0808", "0845", "0870", "0300", "0330"].iter().any(|prefix| british.starts_with(prefix))
        || (american.len() == 10
            && ["800", "833", "844", "855", "866", "877", "888"].iter().any(|prefix| american.starts_with(prefix)))
}
