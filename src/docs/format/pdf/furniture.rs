//! Removes what repeats on the pages of a document: running heads, footers, page numbers.

use std::collections::HashMap;

use crate::docs::format::pdf::glyphs::Line;

/// How many lines at the top and at the bottom of a page may be furniture.
const ZONE: usize = 3;

/// Removes running heads, footers and page numbers.
pub fn remove(pages: &mut [(u32, Vec<Line>)]) {
    let mut counts: HashMap<String, usize> = HashMap::new();
    for (_, lines) in pages.iter() {
        let mut keys: Vec<String> = zone(lines).into_iter().map(|at| key(&lines[at].text)).collect();
        keys.sort_unstable();
        keys.dedup();
        for key in keys {
            *counts.entry(key).or_default() += 1;
        }
    }
    let most = (pages.len() * 3).div_ceil(5).max(2);
    for (_, lines) in pages.iter_mut() {
        let edge = zone(lines);
        let drop: Vec<usize> = edge
            .into_iter()
            .filter(|at| {
                let text = &lines[*at].text;
                is_page_count(text) || counts.get(&key(text)).is_some_and(|count| *count >= most)
            })
            .collect();
        let mut at = 0;
        lines.retain(|_| {
            at += 1;
            !drop.contains(&(at - 1))
        });
    }
}

/// The topmost and the lowest lines of a page.
fn zone(lines: &[Line]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..lines.len()).collect();
    order.sort_by(|a, b| lines[*a].y.total_cmp(&lines[*b].y));
    if order.len() <= ZONE * 2 {
        return order;
    }
    let low = order.split_off(order.len() - ZONE);
    order.truncate(ZONE);
    order.extend(low);
    order
}

/// Two lines are the same when only their numbers differ.
fn key(text: &str) -> String {
    let mut key = String::new();
    for c in text.to_lowercase().chars().filter(|c| !c.is_whitespace()) {
        match c {
            c if c.is_numeric() && key.ends_with('#') => {}
            c if c.is_numeric() => key.push('#'),
            c => key.push(c),
        }
    }
    key
}

/// `Page 1 of 9`, which no text holds in a line of its own.
fn is_page_count(text: &str) -> bool {
    let words: Vec<String> = text.to_lowercase().split_whitespace().map(str::to_owned).collect();
    let number = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit());
    match words.as_slice() {
        [page, first] => matches!(page.as_str(), "page" | "seite" | "página") && number(first),
        [page, first, of, last] => {
            matches!(page.as_str(), "page" | "seite" | "página")
                && matches!(of.as_str(), "of" | "von" | "de" | "/")
                && number(first)
                && number(last)
        }
        _ => false,
    }
}
