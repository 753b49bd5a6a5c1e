//! Any damage to a document gives blocks or an error, never a panic: files cut short, bytes changed, and, behind the
//! checksums of an archive, parts whose XML is cut, doubled or overwritten.

use proptest::prelude::*;

use crate::docs::format::testing::{archive, parts, read};
use crate::docs::format::{FORMATS, Input};

const PACKAGES: &[(&str, &[u8])] = &[
    ("guide.docx", include_bytes!("../../../tests/fixtures/docs/docx/guide.docx")),
    ("guide.pptx", include_bytes!("../../../tests/fixtures/docs/pptx/guide.pptx")),
    ("guide.xlsx", include_bytes!("../../../tests/fixtures/docs/xlsx/guide.xlsx")),
    ("guide.odt", include_bytes!("../../../tests/fixtures/docs/odt/guide.odt")),
    ("guide.ods", include_bytes!("../../../tests/fixtures/docs/odt/guide.ods")),
    ("guide.odp", include_bytes!("../../../tests/fixtures/docs/odt/guide.odp")),
    ("guide.epub", include_bytes!("../../../tests/fixtures/docs/epub/guide.epub")),
];

const XLS: (&str, &[u8]) = ("guide.xls", include_bytes!("../../../tests/fixtures/docs/xlsx/guide.xls"));

/// Something that somebody hostile would write into a file.
fn spoil() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..12),
        Just(b"99999999999999999999".to_vec()),
        Just(b"-1".to_vec()),
        Just(b"4294967295".to_vec()),
        Just(b"</w:p></a:tr><table:table>".to_vec()),
        Just(b"<w:tbl><w:tr><w:tc>".to_vec()),
    ]
}

fn overwrite(bytes: &mut Vec<u8>, at: prop::sample::Index, with: &[u8], drop: usize) {
    let at = at.index(bytes.len() + 1);
    let end = (at + drop).min(bytes.len());
    bytes.splice(at..end, with.iter().copied());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn files_that_are_cut_or_changed(
        which in 0..=PACKAGES.len(), at: prop::sample::Index, with in spoil(), drop in 0_usize..40, cut: bool,
    ) {
        let (path, whole) = PACKAGES.get(which).copied().unwrap_or(XLS);
        let mut bytes = whole.to_vec();
        if cut {
            bytes.truncate(at.index(whole.len()));
        } else {
            overwrite(&mut bytes, at, &with, drop);
        }
        let _ = read(path, &bytes);
    }

    #[test]
    fn parts_that_are_cut_or_changed(
        which in 0..PACKAGES.len(), part: prop::sample::Index, at: prop::sample::Index, with in spoil(),
        drop in 0_usize..40,
    ) {
        let (path, whole) = PACKAGES[which];
        let mut changed = parts(whole);
        let part = part.index(changed.len());
        overwrite(&mut changed[part].1, at, &with, drop);
        let changed: Vec<(&str, &[u8])> = changed.iter().map(|(name, part)| (name.as_str(), part.as_slice())).collect();
        let _ = read(path, &archive(&changed));
    }

    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        for format in FORMATS {
            let _ = (format.sniff)(&bytes);
            let _ = (format.read)(Input { path: "a", bytes: &bytes });
        }
    }
}
