//! What a preview says, shows and escapes.

use jiff::Timestamp;

use super::{Wanted, render};
use crate::docs::chunk::chunks;
use crate::docs::format::blocks::{Blocks, Place};
use crate::model::{Chunk, DocumentRecord, LineRange, Locator};

fn record(path: &str) -> DocumentRecord {
    DocumentRecord {
        document_id: "doc".to_owned(),
        path: path.to_owned(),
        title: "The <Title>".to_owned(),
        description: Some("All & sundry".to_owned()),
        tags: Vec::new(),
        roles: Vec::new(),
        language: None,
        sha256: String::new(),
        recipe: String::new(),
        bytes: 0,
        modified_ns: None,
        indexed_at: Timestamp::UNIX_EPOCH,
        chunks: 1,
        ctime_ns: None,
        inode: None,
        language_borrowed: false,
        title_from_name: false,
        format: String::new(),
    }
}

fn page(number: u32) -> Place {
    Place { page: Some(number), ..Place::default() }
}

fn row(number: u32) -> Place {
    Place { rows: Some(LineRange(number, number)), ..Place::default() }
}

fn made(fill: impl FnOnce(&mut Blocks)) -> Vec<Chunk> {
    let mut blocks = Blocks::default();
    fill(&mut blocks);
    chunks("doc", &blocks.finish())
}

fn show(path: &str, chunks: &[Chunk], wanted: &Wanted) -> String {
    render(&record(path), chunks, wanted, "Bot <1>")
}

fn quote(text: &str) -> Wanted {
    Wanted { quote: Some(text.to_owned()), ..Wanted::default() }
}

fn at_page(number: u32) -> Wanted {
    Wanted { place: Locator { page: Some(number), ..Locator::default() }, ..Wanted::default() }
}

#[test]
fn everything_of_a_document_is_escaped() {
    let evil = "<script>alert(1)</script> \"' & <!--";
    let chunks = made(|blocks| {
        blocks.heading(1, evil, page(1));
        blocks.paragraph(evil, page(1));
        blocks.list_item(0, "-", evil, page(1));
        blocks.table_row(true, &[evil], page(1));
        blocks.code(evil, page(1));
        blocks.sheet(evil);
        blocks.paragraph(evil, Place::default());
    });
    for wanted in [Wanted::default(), quote("<script>alert"), quote("1)</script> \"'"), quote("<nothing>")] {
        let page = show("<a>.md", &chunks, &wanted);
        assert!(!page.contains("<script") && !page.contains("<!--") && !page.contains("<a>"), "{page}");
        assert!(
            page.contains("The &lt;Title&gt;") && page.contains("Bot &lt;1&gt;") && page.contains("All &amp; sundry")
        );
    }
    let text = "&lt;/script&gt; &quot;&#39; &amp; &lt;!--";
    assert!(show("a.md", &chunks, &Wanted::default()).matches(text).count() >= 6);
}

#[test]
fn blocks_become_their_elements() {
    let chunks = made(|blocks| {
        blocks.heading(1, "The <Title>", Place::default());
        blocks.paragraph("Intro.", Place::default());
        blocks.heading(2, "Part", Place::default());
        blocks.list_item(0, "-", "one", Place::default());
        blocks.list_item(1, "3.", "deep", Place::default());
        blocks.list_item(0, "-", "two", Place::default());
        blocks.list_item(0, "1.", "first", Place::default());
        blocks.table_row(true, &["A", "B"], Place::default());
        blocks.table_row(false, &["", "2"], Place::default());
        blocks.code("x <y>\n  z", Place::default());
    });
    let page = show("a.md", &chunks, &Wanted::default());
    // The title of the page says what the first heading says.
    assert_eq!(page.matches("The &lt;Title&gt;").count(), 2, "{page}");
    for expected in [
        "<p dir=\"auto\">Intro.</p>",
        "<h2 dir=\"auto\">Part</h2>\n<ul>\n<li dir=\"auto\">one<ol>\n<li value=\"3\" dir=\"auto\">deep</li>\n</ol>\n</li>\n\
         <li dir=\"auto\">two</li>\n</ul>\n<ol>\n<li value=\"1\" dir=\"auto\">first</li>\n</ol>\n",
        "<tr><th scope=\"col\" dir=\"auto\">A</th><th scope=\"col\" dir=\"auto\">B</th></tr>",
        "<tr><td dir=\"auto\"></td><td dir=\"auto\">2</td></tr>",
        "<pre tabindex=\"0\"><code>x &lt;y&gt;\n  z</code></pre>",
    ] {
        assert!(page.contains(expected), "{expected} is not in {page}");
    }
}

#[test]
fn quotes_are_marked_whatever_the_white_space_and_over_blocks() {
    let chunks = made(|blocks| {
        blocks.paragraph("Start here. One two", page(1));
        blocks.paragraph("three <four>. The end.", page(1));
        blocks.list_item(0, "-", "an item", page(1));
        blocks.table_row(true, &["Name", "Cost"], page(1));
        blocks.table_row(false, &["Tyre", "€5"], page(1));
    });
    let mark = " id=\"quote\" tabindex=\"-1\" autofocus";
    for (words, expected) in [
        (
            "One two\nthree  <four>.",
            format!("<mark{mark}>One two</mark></p>\n<p dir=\"auto\"><mark>three &lt;four&gt;.</mark> The"),
        ),
        ("end.\n- an", format!("<mark{mark}>end.</mark></p>\n<ul>\n<li dir=\"auto\"><mark>an</mark> item")),
        (
            "| Tyre | €5 |",
            format!("<td dir=\"auto\"><mark{mark}>Tyre</mark></td><td dir=\"auto\"><mark>€5</mark></td>"),
        ),
        ("ost", format!("C<mark{mark}>ost</mark>")),
    ] {
        let page = show("a.md", &chunks, &quote(words));
        assert!(page.contains(&expected), "{expected} is not in {page}");
        assert!(!page.contains("preview-notice"));
        assert_eq!(page.matches("id=\"quote\"").count(), 1);
    }
}

#[test]
fn of_equal_words_those_at_the_place_are_marked() {
    let chunks = made(|blocks| {
        blocks.paragraph("Same words.", page(1));
        blocks.heading(1, "Second", page(2));
        blocks.paragraph("Same words.", page(2));
        blocks.heading(1, "Third", page(2));
        blocks.paragraph("Same words.", page(2));
    });
    let at = |page: u32, heading: &str| {
        let place = Locator { page: Some(page), heading: Some(heading.to_owned()), ..Locator::default() };
        let shown = show("a.pdf", &chunks, &Wanted { place, ..quote("Same words.") });
        shown[..shown.find("<mark").unwrap()].matches("Same words.").count()
    };
    assert_eq!((at(1, "None"), at(2, "Second"), at(2, "Third")), (0, 1, 2));
}

#[test]
fn absent_words_are_said_to_be_absent_at_the_wanted_page() {
    let chunks = made(|blocks| {
        blocks.paragraph("One.", page(1));
        blocks.paragraph("Three.", page(3));
    });
    let shown = show("a.pdf", &chunks, &Wanted { quote: Some("Never said.".to_owned()), ..at_page(3) });
    assert!(!shown.contains("<mark"));
    let notice = shown.find("The quoted words are not in").unwrap();
    assert!(shown.find("id=\"page-3\"").unwrap() < notice && notice < shown.find("Three.").unwrap());
    assert!(shown.contains("href=\"file#page=3\""));
    let empty = show("a.pdf", &chunks, &at_page(2));
    assert!(empty.contains("Page 2 holds no text here."), "{empty}");
    let beyond = show("a.pdf", &chunks, &at_page(99));
    assert!(beyond.contains("Page 99 holds no text here."));
    assert!(show("a.pdf", &[], &at_page(1)).contains("Nothing is indexed"));
    let good = show("a.docx", &chunks, &at_page(3));
    assert!(!good.contains("preview-notice") && good.contains("id=\"quote\"") && good.contains("href=\"file\""));
}

#[test]
fn a_heading_alone_is_a_place() {
    let chunks = made(|blocks| {
        blocks.heading(1, "The <Title>", page(1));
        blocks.paragraph("First.", page(1));
        blocks.heading(1, "Returns", page(2));
        blocks.heading(2, "By post", page(2));
        blocks.paragraph("Second.", page(2));
        blocks.heading(1, "Costs", page(3));
        blocks.paragraph("Third.", page(3));
        blocks.heading(1, "Costs", page(4));
        blocks.paragraph("Fourth.", page(4));
    });
    let under = |heading: &str, page: Option<u32>| {
        let place = Locator { page, heading: Some(heading.to_owned()), ..Locator::default() };
        show("a.pdf", &chunks, &Wanted { place, ..Wanted::default() })
    };
    for (heading, at, next) in [
        ("The <Title>", None, "First."),
        ("Returns", None, "Second."),
        ("By \n post", None, "Second."),
        ("Costs", None, "Third."),
        ("Costs", Some(4), "Fourth."),
    ] {
        let shown = under(heading, at);
        let (before, after) = shown.split_once("id=\"quote\"").unwrap();
        assert!(after.contains(next) && !before.contains(next), "{heading}: {shown}");
        assert!(!shown.contains("preview-notice"), "{heading}");
        let sentences = ["First.", "Second.", "Third.", "Fourth."];
        assert_eq!(sentences.into_iter().find(|each| after.contains(each)), Some(next), "{heading}");
    }
    let none = under("<None>", None);
    assert!(none.contains("No text stands under the heading “&lt;None&gt;” here."), "{none}");
    let elsewhere = under("Returns", Some(3));
    assert!(elsewhere.contains("No text stands under the heading “Returns” here."));
    assert!(elsewhere.find("id=\"page-3\"").unwrap() < elsewhere.find("id=\"quote\"").unwrap());
}

#[test]
fn words_on_another_page_than_asked_for_are_said_to_be_there() {
    let chunks = made(|blocks| {
        blocks.paragraph("Some words. And more", page(1));
        blocks.paragraph("to come.", page(2));
        blocks.paragraph("Other words.", page(3));
    });
    let at =
        |number: u32, words: &str| show("a.pdf", &chunks, &Wanted { quote: Some(words.to_owned()), ..at_page(number) });
    let other = at(3, "Some words.");
    assert!(other.contains("The quoted words stand at Page 1, not at Page 3."), "{other}");
    assert!(other.contains("autofocus>Some words.</mark>") && other.contains("href=\"file#page=1\""));
    for (number, words) in [(1, "Some words."), (1, "And more to come."), (2, "And more to come."), (3, "Other words.")]
    {
        assert!(!at(number, words).contains("preview-notice"), "{words} {number}");
    }
    let plain = made(|blocks| blocks.paragraph("Some words.", Place::default()));
    let shown = show("a.md", &plain, &Wanted { quote: Some("Some words.".to_owned()), ..at_page(3) });
    assert!(shown.contains("the text of this document has no Page 3."), "{shown}");
}

#[test]
fn a_pdf_opens_at_its_page_whatever_its_name() {
    let chunks = made(|blocks| blocks.paragraph("Three.", page(3)));
    let of = |path: &str, format: &str| {
        let record = DocumentRecord { format: format.to_owned(), ..record(path) };
        render(&record, &chunks, &at_page(3), "Bot").contains("Open the PDF at page 3")
    };
    assert!(of("guide.md", "PDF") && of("guide.pdf", "") && !of("guide.pdf", "DOCX"));
}

#[test]
fn the_header_of_a_long_table_is_shown_once_and_found_wherever_it_is_cited() {
    let chunks = made(|blocks| {
        blocks.sheet("Prices 2026");
        blocks.table_row(true, &["Article", "Price"], row(1));
        for number in 2..200 {
            blocks.table_row(false, &[format!("Part {number}"), format!("€{number}")], row(number));
        }
    });
    assert!(chunks.len() > 3 && chunks[2].text.starts_with("| Article | Price |\n| Part"));
    let wanted = quote(chunks[2].text.split_inclusive('\n').take(2).collect::<String>().trim());
    let page = show("a.xlsx", &chunks, &wanted);
    assert_eq!(page.matches(">Article<").count(), 1);
    assert!(page.contains("id=\"sheet-Prices-2026\""));
    assert!(page.contains("<th scope=\"row\" class=\"preview-row\">150</th><td dir=\"auto\">Part 150</td>"));
    assert!(page.contains("autofocus>Part"), "the row is marked although its header is not shown again");
}

#[test]
fn long_documents_are_shown_in_bounded_parts() {
    let chunks = made(|blocks| {
        for number in 1..=5000 {
            blocks.paragraph(&format!("Number {number} says {}.", "so ".repeat(100)), page(number));
        }
    });
    let first = show("a.pdf", &chunks, &Wanted::default());
    let middle = show("a.pdf", &chunks, &at_page(2500));
    let last = show("a.pdf", &chunks, &quote("Number 5000 says"));
    for page in [&first, &middle, &last] {
        assert!(page.len() < 120_000, "{}", page.len());
    }
    assert!(first.contains("rel=\"next\" href=\"?part=2\"") && !first.contains("rel=\"prev\""));
    assert!(middle.contains("Number 2500 says") && middle.contains("rel=\"prev\"") && middle.contains("rel=\"next\""));
    assert!(last.contains("<mark") && !last.contains("rel=\"next\""));
    let third = show("a.pdf", &chunks, &Wanted { part: Some(3), ..Wanted::default() });
    assert!(third.contains("Part 3 of ") && third.contains("href=\"?part=4\""));
    let beyond = show("a.pdf", &chunks, &Wanted { part: Some(usize::MAX), ..Wanted::default() });
    assert!(!beyond.contains("rel=\"next\""));
}

proptest::proptest! {
    #[test]
    fn every_run_of_a_chunk_is_found_and_no_markup_gets_in(
        words in proptest::collection::vec("[a-c<>&é|\"' -]{1,12}", 1..12),
        kinds in proptest::collection::vec(0_u8..5, 12),
        start in 0_usize..60,
        length in 1_usize..60,
    ) {
        let chunks = made(|blocks| {
            for (text, kind) in words.iter().zip(&kinds) {
                match kind {
                    0 => blocks.paragraph(text, page(1)),
                    1 => blocks.list_item(usize::from(*kind), "-", text, page(2)),
                    2 => blocks.table_row(text.len() > 6, &[text, text], row(3)),
                    3 => blocks.code(text, Place::default()),
                    _ => blocks.heading(2, text, page(4)),
                }
            }
        });
        for chunk in &chunks {
            let text: String = chunk.text.chars().skip(start).take(length).collect();
            if text.trim().is_empty() {
                continue;
            }
            let page = show("a.md", &chunks, &quote(&text));
            let is_said_to_be_absent = page.contains("The quoted words are not in");
            proptest::prop_assert!(!is_said_to_be_absent, "{:?} in {}", text, page);
        }
        let page = show("a.md", &chunks, &Wanted::default());
        let body = page.split("<main").nth(1).unwrap().split("</main>").next().unwrap();
        let tags = regex::Regex::new("</?(p|h[2-6]|ul|ol|li|table|tr|th|td|pre|code|div|br|mark)( [a-z-]+=\"[^\"<>]*\"| autofocus)*>").unwrap();
        let rest = tags.replace_all(body.split_once('>').unwrap().1, "");
        proptest::prop_assert!(!rest.contains('<') && !rest.contains('>'), "{}", rest);
    }
}

/// M4: signs that change what others look like reach no page.
#[test]
fn overrides_of_direction_and_control_characters_are_left_out() {
    assert_eq!(
        crate::serve::preview::html::escape("a\u{202e}b\u{2066}c\u{9b}d\u{0}\n<\t\u{5d0}"),
        "abcd\n&lt;\t\u{5d0}"
    );
}
