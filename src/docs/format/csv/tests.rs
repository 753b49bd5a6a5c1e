//! Tests of tables of text.

use csv::WriterBuilder;
use proptest::prelude::*;

use super::*;
use crate::model::{Block, BlockKind};

fn parse(bytes: &[u8]) -> Vec<Block> {
    read(Input { path: "a.csv", bytes }).unwrap().blocks
}

fn texts(blocks: &[Block]) -> Vec<&str> {
    blocks.iter().map(|block| block.text.as_str()).collect()
}

#[test]
fn delimiters_are_found() {
    let rows = ["| Part | Price | Unit |", "| Tank | 19,90 | 1 |", "| Tray | 7,50 | 2 |"];
    for text in [
        "Part;Price;Unit\nTank;19,90;1\nTray;7,50;2\n",
        "Part\tPrice\tUnit\r\nTank\t19,90\t1\r\nTray\t7,50\t2",
        "Part|Price|Unit\rTank|19,90|1\rTray|7,50|2\r",
        "Part,Price,Unit\nTank,\"19,90\",1\nTray,\"7,50\",2\n",
        "sep=~\nPart~Price~Unit\nTank~19,90~1\nTray~7,50~2\n",
    ] {
        let blocks = parse(text.as_bytes());
        assert_eq!(texts(&blocks), rows, "{text:?}");
        assert_eq!(blocks[0].kind, BlockKind::TableRow { header: true });
        assert_eq!(blocks[1].kind, BlockKind::TableRow { header: false });
        assert_eq!(blocks[1].locator.rows, Some(LineRange(2, 2)), "{text:?}");
    }
}

#[test]
fn rows_are_counted_as_a_spreadsheet_does() {
    let blocks = parse(b"sep=,\nName,Note\n\nAnna,\"two\nlines\"\nBert,none\n");
    assert_eq!(texts(&blocks), ["| Name | Note |", "| Anna | two lines |", "| Bert | none |"]);
    let places: Vec<_> = blocks.iter().map(|block| (block.locator.rows, block.locator.lines)).collect();
    let place = |row, first, last| (Some(LineRange(row, row)), Some(LineRange(first, last)));
    assert_eq!(places, [place(1, 2, 2), place(3, 4, 5), place(4, 6, 6)]);
}

#[test]
fn titles_and_ragged_rows() {
    let blocks = parse(b"Price list 2024\n\nPart,Price,Note\nTank,19.90\nTray,7.50,new,extra\n,,\nFilter,3.00,\n");
    assert_eq!(
        texts(&blocks),
        [
            "Price list 2024",
            "| Part | Price | Note |",
            "| Tank | 19.90 |",
            "| Tray | 7.50 | new | extra |",
            "| Filter | 3.00 |  |"
        ]
    );
    assert_eq!(blocks[0].kind, BlockKind::Paragraph);
    assert_eq!(blocks[1].kind, BlockKind::TableRow { header: true });
}

#[test]
fn figures_are_no_header() {
    for text in ["1,2,3\n4,5,6\n", "a@b.example,x\nc@d.example,y\n", "x,x\ny,z\n", "only,one\n"] {
        assert!(parse(text.as_bytes()).iter().all(|row| row.kind == BlockKind::TableRow { header: false }), "{text:?}");
    }
    assert_eq!(parse(b"Region,2023,2024\nNorth,1,2\n")[0].kind, BlockKind::TableRow { header: true });
}

#[test]
fn a_stray_quote_does_not_swallow_the_file() {
    let blocks = parse(b"Part,Size,Note\nTube,\"5,inch\nHose,3,ok\nBolt,2,ok\n");
    assert_eq!(blocks.len(), 4);
    assert_eq!(blocks[2].text, "| Hose | 3 | ok |");
    let escaped = parse(
        br#"Part,Note
Tube,"called \"the tube\", in short"
"#,
    );
    assert_eq!(escaped[1].text, "| Tube | called \"the tube\", in short |");
}

#[test]
fn old_encodings() {
    let bytes = encoding_rs::SHIFT_JIS.encode("名前,年齢,住所\n三木英子,25,大阪\n髙橋淳,35,名古屋\n").0;
    assert_eq!(
        texts(&parse(&bytes)),
        ["| 名前 | 年齢 | 住所 |", "| 三木英子 | 25 | 大阪 |", "| 髙橋淳 | 35 | 名古屋 |"]
    );
    let utf16: Vec<u8> = "Größe\tPreis\nGroß\t3\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(texts(&parse(&utf16)), ["| Größe | Preis |", "| Groß | 3 |"]);
}

#[test]
fn wide_and_long_files_are_bounded() {
    let wide = read(Input { path: "a.csv", bytes: ",".repeat(MAX_COLUMNS + 1).as_bytes() });
    assert_eq!(wide.unwrap_err().code(), "document/too-large");
    assert_eq!(parse("1,2\n".repeat(MAX_BLOCKS + 10).as_bytes()).len(), MAX_BLOCKS + 1);
}

#[test]
fn prose_is_no_table() {
    assert!(is_clear_table("a,b,c\n1,2,3\n4,5,6\n"));
    assert!(is_clear_table("Part\tPrice\nTank\t19.90\nTray\t7.50\n"));
    assert!(!is_clear_table("First, we say, hello.\nThen, we say, more.\nLast, we go, home.\n"));
    assert!(!is_clear_table("a,b,c\n1,2,3\n"));
    assert!(!is_clear_table("plain\ntext\nhere\n"));
}

proptest! {
    #[test]
    fn any_bytes_give_blocks_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = read(Input { path: "a.csv", bytes: &bytes });
    }

    #[test]
    fn what_is_written_is_read_cell_for_cell(
        table in (2_usize..5).prop_flat_map(|width| {
            prop::collection::vec(prop::collection::vec("[a-z0-9,;\"\n ]{0,10}[a-z]", width), 1..8)
        }),
        delimiter in prop::sample::select(vec![b',', b';', b'\t', b'|']),
    ) {
        let mut writer = WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
        for row in &table {
            writer.write_record(row).unwrap();
        }
        let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
        let dialect = Dialect { delimiter, quoting: true, backslash: false };
        let read: Vec<Vec<String>> = rows(&text, dialect, 0).unwrap().into_iter().map(|row| row.cells).collect();
        prop_assert_eq!(read, table);
    }
}
