//! Tests of pages.

use proptest::prelude::*;

use super::*;
use crate::model::BlockKind;

fn parse(text: &str) -> Parsed {
    read(Input { path: "a.html", bytes: text.as_bytes() }).unwrap()
}

fn texts(parsed: &Parsed) -> Vec<&str> {
    parsed.blocks.iter().map(|block| block.text.as_str()).collect()
}

#[test]
fn the_main_contents_only() {
    let parsed = parse(
        "<!doctype html><html lang=de><head><title>T | S</title><style>p{}</style></head><body><nav>Menu</nav>\
         <header>Logo</header><main><h1>One</h1><p>Some <b>bold</b><br>text &amp; more.<script>x<p></script>\
         <div hidden>no</div><p style='display: none'>no<p>yes<aside>ad</aside></main><footer>Foot</footer>",
    );
    assert_eq!(texts(&parsed), ["One", "Some bold text & more.", "yes"]);
    assert_eq!(parsed.title.as_deref(), Some("One"));
    assert_eq!(parsed.language.as_deref(), Some("de"));
    assert_eq!(parsed.blocks[1].locator.heading.as_deref(), Some("One"));
}

#[test]
fn lists_tables_definitions_and_code() {
    let parsed = parse(
        "<ol start=3><li>a<ul><li><p>b</p></li></ul><li>c</ol><table><tr><th>x<th>y<tr><td>1<td><p>2</p></table>\
         <dl><dt>Term<dd>Meaning</dl><pre>l1\n  l2</pre>",
    );
    assert_eq!(texts(&parsed), ["3. a", "  - b", "4. c", "| x | y |", "| 1 | 2 |", "Term", "Meaning", "l1\n  l2"]);
    assert_eq!(parsed.blocks[3].kind, BlockKind::TableRow { header: true });
    assert_eq!(parsed.blocks[4].kind, BlockKind::TableRow { header: false });
    assert_eq!(parsed.blocks[7].kind, BlockKind::Code);
}

#[test]
fn a_table_that_arranges_the_page_is_no_table() {
    let parsed = parse(
        "<table><tr><td class='menu'>Home<td><h1>T</h1><p>Text.</p><table><tr><th>a<th>b<tr><td>1<td>2</table>\
         <p>After.</p><td>Side</table>",
    );
    assert_eq!(texts(&parsed), ["T", "Text.", "| a | b |", "| 1 | 2 |", "After.", "Side"]);
}

#[test]
fn what_is_called_a_menu_is_one() {
    let parsed = parse("<body><ul class='menu x'><li>Home</ul><div id=footer>Imprint</div><p>Our menu today.</p>");
    assert_eq!(texts(&parsed), ["Our menu today."]);
}

#[test]
fn declared_encodings() {
    let bytes = encoding_rs::WINDOWS_1252.encode("<meta charset='windows-1252'><p>café 3 €").0.into_owned();
    let parsed = read(Input { path: "a.html", bytes: &bytes }).unwrap();
    assert_eq!(texts(&parsed), ["café 3 €"]);
}

#[test]
fn everything_in_a_form_is_still_read() {
    assert_eq!(texts(&parse("<body><form><p>All here.</p></form>")), ["All here."]);
}

#[test]
fn sixty_thousand_nested_elements() {
    for open in ["<div>", "<ul><li>", "<table><tr><td>", "<p><span>", "<section>", "<nav>"] {
        let text = format!("<p>before</p>{}deep", open.repeat(60_000));
        assert_eq!(texts(&parse(&text))[0], "before", "{open}");
    }
}

#[test]
fn the_end_of_the_page_ends_its_tables() {
    for (count, end) in [(1, ""), (20_000, ""), (20_000, "</td></tr></table>")] {
        let parsed = parse(&format!("{}hi{}", "<table><tr><td>".repeat(count), end.repeat(count)));
        assert_eq!(texts(&parsed), ["hi"], "{count} {end}");
    }
    assert_eq!(texts(&parse("<table><tr><th>a<th>b<tr><td>1<td>2")), ["| a | b |", "| 1 | 2 |"]);
}

#[test]
fn three_hundred_thousand_attributes_are_refused_wherever_html_is() {
    let tag = (0..300_000).map(|number| format!(" a{number}")).collect::<Vec<_>>().concat();
    let tag = format!("<div{tag}>x</div>");
    let parse = |path: &str, text: &str| crate::docs::format::parse(Input { path, bytes: text.as_bytes() });
    let refused = Err(FormatError::Malformed("one of its tags has more than 1000 attributes".to_owned()));
    assert_eq!(parse("a.html", &tag), refused);
    assert_eq!(parse("a.md", &format!("before\n\n{tag}\n\nafter\n")), refused);
    assert_eq!(parse("a.eml", &format!("From: a@b.example\nContent-Type: text/html\n\n{tag}\n")), refused);
}

/// Pages as common programs write them: what must be there, and what must not.
#[test]
fn pages_of_common_programs() {
    type Page = (&'static str, &'static [u8], &'static [&'static str], &'static [&'static str]);
    let pages: [Page; 5] = [
        (
            "docusaurus",
            include_bytes!("../../../../tests/fixtures/docs/html/docusaurus.html"),
            &["Install the agent", "Run the installer as root.", "sudo agent install\nagent status", "Ports"],
            &["Skip to main content", "Edit this page", "Next", "Docs Home", "Copyright", "On this page", "\u{200b}"],
        ),
        (
            "mediawiki",
            include_bytes!("../../../../tests/fixtures/docs/html/mediawiki.html"),
            &["Espresso", "Espresso is brewed by forcing hot water through coffee.", "| Origin | Italy |", "History"],
            &["edit", "Categories", "Log in", "Jump to navigation", "Contents", "Retrieved from"],
        ),
        (
            "wordpress",
            include_bytes!("../../../../tests/fixtures/docs/html/wordpress.html"),
            &["Our summer hours", "We open at nine in July and August.", "The shop in July"],
            &["Share this", "Recent posts", "Leave a reply", "Proudly powered", "We use cookies"],
        ),
        (
            "aspnet",
            include_bytes!("../../../../tests/fixtures/docs/html/aspnet.html"),
            &["Fees", "Each transfer costs two euros.", "| Transfer | 2 EUR |"],
            &["Accounts", "Imprint", "Search"],
        ),
        (
            "government",
            include_bytes!("../../../../tests/fixtures/docs/html/government.html"),
            &["Renew a passport", "A renewal takes three weeks.", "What you need", "- your old passport"],
            &["Cookies on this service", "Skip to main", "Home", "Is this page useful?", "BETA", "All content"],
        ),
    ];
    for (name, bytes, wanted, unwanted) in pages {
        let parsed = read(Input { path: "a.html", bytes }).unwrap();
        let texts = texts(&parsed);
        for text in wanted {
            assert!(texts.contains(text), "{name}: {text} is not in {texts:#?}");
        }
        for text in unwanted {
            assert!(!texts.iter().any(|block| block.contains(text)), "{name}: {text} is in {texts:#?}");
        }
    }
}

#[test]
fn sidebars_go_and_pages_with_one_stay() {
    let parsed = parse(
        "<div class='page has-sidebar'><div class='spc-rightsidebar'><div>Next topic</div></div>\
         <div class=mw-portlet-lang>Deutsch</div><h1>Fees<a href='#f'>\u{b6}</a></h1><p>Two euros for each one.</p></div>",
    );
    assert_eq!(texts(&parsed), ["Fees", "Two euros for each one."]);
}

#[test]
fn names_of_furniture_do_not_cost_the_text() {
    let long = "All the text of this page stands in here, whatever the author called it. ".repeat(5);
    for open in ["<div class=sidebar>", "<form>", "<div id=footer>", "<header>", "<nav>", "<section class='modal'>"] {
        let page = format!("<body><p>Short.</p>{open}<p>{long}</p></body>");
        let parsed = parse(&page);
        let joined = texts(&parsed).join(" ");
        let is_marked = matches!(open, "<header>" | "<nav>");
        assert_eq!(joined.contains("whatever the author"), !is_marked, "{open}");
        let alone = parse(&format!("<body>{open}<p>{long}</p></body>"));
        assert!(texts(&alone).join(" ").contains("whatever the author"), "{open} alone");
    }
    let forgotten = parse("<nav><a href=x>Home</a><main><h1>Title</h1><p>Text that counts.</main>");
    assert_eq!(texts(&forgotten), ["Title", "Text that counts."]);
}

#[test]
fn cells_that_span_stand_in_every_row() {
    let parsed = parse(
        "<table><caption>Fees</caption><thead><tr><th rowspan=2>Region<th colspan=2>2024<tr><th>Q1<th>Q2</thead>\
         <tbody><tr><td rowspan=2>North<td>1<td>2<tr><td>3<td>4<tr><td colspan=2>South<td>5</tbody></table>",
    );
    let expected = [
        "Fees",
        "| Region | 2024 | 2024 |",
        "| Region | Q1 | Q2 |",
        "| North | 1 | 2 |",
        "| North | 3 | 4 |",
        "| South | | 5 |",
    ];
    let texts: Vec<String> = texts(&parsed).iter().map(|text| text.replace("|  |", "| |")).collect();
    assert_eq!(texts, expected);
    let headers = parsed.blocks.iter().filter(|block| block.kind == BlockKind::TableRow { header: true }).count();
    assert_eq!(headers, 2);
    let three = parse("<table><tr><td rowspan=3>a<td>1<tr><td>2<tr><td>3<tr><td>b<td>4</table>");
    assert_eq!(self::texts(&three), ["| a | 1 |", "| a | 2 |", "| a | 3 |", "| b | 4 |"]);
    let hostile = "<table><tr><td colspan=999999999999 rowspan=99999>x".to_owned() + &"<tr><td>y".repeat(5_000);
    assert!(!parse(&hostile).blocks.is_empty());
}

#[test]
fn code_keeps_its_lines_and_ruby_its_words() {
    let parsed = parse(
        "<pre><code><div>one</div><div>  two</div></code></pre><p>\u{6f22}<ruby>\u{5b57}<rp>(</rp><rt>\u{3058}<rp>)</rp></ruby>\u{3060}</p>\
         <details><summary>More</summary><p>Inside.</details><figure><img><figcaption>A tank</figcaption></figure>",
    );
    assert_eq!(texts(&parsed), ["one\n  two", "\u{6f22}\u{5b57}\u{3060}", "More", "Inside.", "A tank"]);
}

#[test]
fn marks_of_other_vocabularies_tear_no_line() {
    let parsed = parse("<p>The fee is <ix:nonFraction name='x'>12</ix:nonFraction> euros.</p>");
    assert_eq!(texts(&parsed), ["The fee is 12 euros."]);
}

#[test]
fn what_is_hidden_ends_where_its_parent_ends() {
    let parsed = parse(
        "<ul><li hidden>no<ul><li>no</li></ul></li><li>yes</ul><ul><li hidden>no</ul><p style='display:none'>no\
         <div>seen</div><svg/><p>after</p><template><p>no</template><noscript>no</noscript><div aria-hidden=true>no</div>",
    );
    assert_eq!(texts(&parsed), ["- yes", "seen", "after"]);
}

#[test]
fn xhtml_closes_where_it_says() {
    let parsed = parse(
        "<?xml version='1.0'?><html xmlns='http://www.w3.org/1999/xhtml' xml:lang='fr'><head><title/>\
         <script src='x'/></head><body><div hidden='hidden'/><a id='x'/><p>Texte.</p></body></html>",
    );
    assert_eq!(texts(&parsed), ["Texte."]);
    assert_eq!(parsed.language.as_deref(), Some("fr"));
}

#[test]
fn titles_lose_the_name_of_the_site() {
    let title = |head: &str| parse(&format!("<head>{head}</head><p>Text.")).title.unwrap();
    assert_eq!(title("<title>Opening hours | Shop</title>"), "Opening hours");
    assert_eq!(title("<title>Part 1 - Introduction</title>"), "Part 1 - Introduction");
    let named = "<meta property='og:site_name' content='Shop'><title>Part 1 - Introduction - Shop</title>";
    assert_eq!(title(named), "Part 1 - Introduction");
    assert_eq!(title("<title>Shop</title>"), "Shop");
}

#[test]
fn a_page_is_known_by_its_beginning() {
    assert_eq!(sniff(b"\xef\xbb\xbf  <!-- x --><!DOCTYPE HTML><p>x"), Sniff::Sure);
    assert_eq!(sniff(b"<?xml version='1.0'?>\n<html>"), Sniff::Sure);
    assert_eq!(sniff(b"# A heading\n\n<p>and HTML</p>"), Sniff::Possible);
}

proptest! {
    #[test]
    fn any_bytes_give_blocks(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = read(Input { path: "a.html", bytes: &bytes });
    }

    #[test]
    fn any_tags_give_blocks(
        tags in prop::collection::vec(
            prop::sample::select(vec![
                "<main>", "</main>", "<nav>", "</nav>", "<table>", "</table>", "<tr>", "<td rowspan=3>", "<th colspan=2>",
                "</td>", "<li hidden>", "</ul>", "<ul>", "<ol start=9>", "<pre>", "</pre>", "<h1>", "</h1>", "text",
                "<p style='display:none'>", "<rt>", "<ruby>", "</ruby>", "<thead>", "<svg/>", "<a>", "<form>", "<br>",
            ]),
            0..60,
        ),
    ) {
        let _ = parse(&tags.concat());
    }
}
