//! Removes what repeats on the pages of a document: running heads, footers, page numbers.

use std::collections::{HashMap, HashSet};

use crate::docs::format::pdf::lines::Line;

/// How many lines at the top and at the bottom of a page may be furniture.
const ZONE: usize = 3;
/// What left pages share and right pages do not must come so often.
const MIN_ON_SIDE: usize = 3;
/// What the pages of one chapter share must come so often.
const MIN_IN_CHAPTER: usize = 4;

/// What makes two lines the same: their text but for numbers, and their size in half points.
type Key = (String, i64);

/// The pieces on one baseline near an edge of a page.
struct Level {
    pieces: Vec<usize>,
    key: Key,
    is_outermost: bool,
    is_page_count: bool,
}

/// Removes running heads, footers and page numbers.
pub fn remove(pages: &mut [(u32, Vec<Line>)]) {
    let zones: Vec<Vec<Level>> = pages.iter().map(|(_, lines)| zone(lines)).collect();
    let repeated = repeated(&zones);
    for ((_, lines), zone) in pages.iter_mut().zip(&zones) {
        let is_furniture = |level: &&Level| level.is_page_count || repeated.contains(&level.key);
        let drop: HashSet<usize> = zone.iter().filter(is_furniture).flat_map(|level| &level.pieces).copied().collect();
        let mut at = 0;
        lines.retain(|_| {
            at += 1;
            !drop.contains(&(at - 1))
        });
    }
}

/// What most pages have, or most of the left or of the right ones, or those of a chapter.
fn repeated(zones: &[Vec<Level>]) -> HashSet<Key> {
    let mut places: HashMap<&Key, Vec<usize>> = HashMap::new();
    let mut outermost: HashSet<&Key> = HashSet::new();
    for (page, level) in zones.iter().enumerate().flat_map(|(page, zone)| zone.iter().map(move |level| (page, level))) {
        let pages = places.entry(&level.key).or_default();
        if pages.last() != Some(&page) {
            pages.push(page);
        }
        if level.is_outermost {
            outermost.insert(&level.key);
        }
    }
    let count = zones.len();
    let is_repeated =
        |key: &Key, pages: &[usize]| is_of_most(pages, count) || (outermost.contains(key) && is_of_a_chapter(pages));
    places.into_iter().filter(|(key, pages)| is_repeated(key, pages)).map(|(key, _)| key.clone()).collect()
}

fn is_of_most(pages: &[usize], count: usize) -> bool {
    let most = |pages: usize| (pages * 3).div_ceil(5);
    let left = pages.iter().filter(|page| *page % 2 == 0).count();
    let right = pages.len() - left;
    pages.len() >= most(count).max(2)
        || left >= most(count.div_ceil(2)).max(MIN_ON_SIDE)
        || right >= most(count / 2).max(MIN_ON_SIDE)
}

/// Whether pages follow each other, all of them or those of one side.
fn is_of_a_chapter(pages: &[usize]) -> bool {
    let (Some(first), Some(last)) = (pages.first(), pages.last()) else { return false };
    pages.len() >= MIN_IN_CHAPTER && last - first < pages.len() * 2
}

/// The topmost and the lowest lines of a page.
fn zone(lines: &[Line]) -> Vec<Level> {
    let mut order: Vec<usize> = (0..lines.len()).collect();
    order.sort_by(|a, b| lines[*a].y.total_cmp(&lines[*b].y));
    let levels: Vec<&[usize]> =
        order.chunk_by(|a, b| lines[*a].size > 0.0 && lines[*a].is_level_with(&lines[*b])).collect();
    let count = levels.len();
    let near_edge = levels.into_iter().enumerate().filter(|(at, _)| *at < ZONE || at + ZONE >= count);
    near_edge.map(|(at, pieces)| level(lines, pieces, at == 0 || at + 1 == count)).collect()
}

fn level(lines: &[Line], pieces: &[usize], is_outermost: bool) -> Level {
    let mut pieces = pieces.to_vec();
    pieces.sort_by(|a, b| lines[*a].x.total_cmp(&lines[*b].x));
    let texts: Vec<&str> = pieces.iter().map(|at| lines[*at].text.as_str()).collect();
    let text = texts.join(" ");
    let is_page_count = texts.iter().any(|text| is_page_count(text)) || (is_outermost && is_page_count(&text));
    let size = pieces.first().map_or(0, |at| lines[*at].half_points());
    Level { key: (key(&text), size), pieces, is_outermost, is_page_count }
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

/// `Page 1 of 9` at the end of a line, which no text holds.
fn is_page_count(text: &str) -> bool {
    let words: Vec<String> = text.to_lowercase().split_whitespace().map(str::to_owned).collect();
    let number = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit());
    let is_page = |word: &str| matches!(word, "page" | "seite" | "página");
    match words.as_slice() {
        [page, number_of_page] if is_page(page) => number(number_of_page),
        [.., page, first, of, last] if is_page(page) => {
            matches!(of.as_str(), "of" | "von" | "de" | "/") && number(first) && number(last)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str, y: f64, size: f64) -> Line {
        Line { y, size, ..Line::unplaced(text).unwrap() }
    }

    /// Pages of eight lines between a head and a foot.
    fn pages(count: u32, head: impl Fn(u32) -> Line, foot: impl Fn(u32) -> Line) -> Vec<(u32, Vec<Line>)> {
        let word = |page: u32, n: u32| format!("a{} {}", "x".repeat(page as usize), "y".repeat(n as usize));
        let body = |page: u32| (0..8).map(move |n| line(&word(page, n), 100.0 + 12.0 * f64::from(n), 10.0));
        (1..=count)
            .map(|page| (page, std::iter::once(head(page)).chain(body(page)).chain([foot(page)]).collect()))
            .collect()
    }

    #[test]
    fn running_heads_and_page_numbers_go() {
        let mut pages = pages(4, |_| line("The Handbook", 20.0, 9.0), |page| line(&format!("- {page} -"), 800.0, 9.0));
        remove(&mut pages);
        assert!(pages.iter().all(|(_, lines)| lines.len() == 8 && lines.iter().all(|line| line.text.starts_with('a'))));
    }

    #[test]
    fn heads_of_left_and_right_pages_go() {
        let head = |page: u32| {
            if page.is_multiple_of(2) {
                line(&format!("{page} Ada et al."), 20.0, 9.0)
            } else {
                line(&format!("On Engines {page}"), 20.0, 9.0)
            }
        };
        let mut pages = pages(6, head, |page| line(&format!("last words {}", "z".repeat(page as usize)), 800.0, 10.0));
        remove(&mut pages);
        assert!(pages.iter().all(|(_, lines)| lines.len() == 9 && lines[0].text.starts_with('a')));
    }

    #[test]
    fn heads_of_chapters_go_and_rows_of_contents_stay() {
        let head = |page: u32| line(if page < 8 { "One: Words" } else { "Two: Deeds" }, 20.0, 9.0);
        let foot = |page: u32| line(&format!("Deeds and words {}", "z".repeat(page as usize)), 800.0, 10.0);
        let mut pages = pages(14, head, foot);
        let mut number = line("7", 100.0, 10.0);
        number.x = 300.0;
        pages[0].1.push(number);
        remove(&mut pages);
        assert!(pages.iter().all(|(_, lines)| lines[0].text.starts_with('a')));
        assert!(pages[0].1.iter().any(|line| line.text == "7"));
    }

    #[test]
    fn a_title_is_not_its_running_head() {
        let head = |page: u32| line("The Handbook", 20.0, if page == 1 { 24.0 } else { 9.0 });
        let mut pages = pages(4, head, |page| line(&format!("{page}"), 800.0, 9.0));
        remove(&mut pages);
        assert_eq!(pages[0].1[0].text, "The Handbook");
        assert!(pages[1..].iter().all(|(_, lines)| lines.len() == 8));
    }
}
