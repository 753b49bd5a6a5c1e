//! Every encoding there and back, with a sentence of those who use it.

use encoding_rs::{
    BIG5, EUC_JP, EUC_KR, GB18030, GBK, ISO_8859_2, ISO_8859_5, ISO_8859_7, ISO_8859_15, KOI8_R, KOI8_U, MACINTOSH,
    SHIFT_JIS, WINDOWS_874, WINDOWS_1250, WINDOWS_1251, WINDOWS_1252, WINDOWS_1253, WINDOWS_1254, WINDOWS_1255,
    WINDOWS_1256, WINDOWS_1257, WINDOWS_1258,
};
use proptest::prelude::*;

use super::*;

const GERMAN: &str = "Größe: 3,50 €. Für Äpfel und Öl gilt: außer Haus, café à la carte.";
const RUSSIAN: &str = "Возврат товара возможен в течение четырнадцати дней после получения.";
const CHINESE: &str = "您可以在收到商品后的十四天内退货，运费由我们承担。\n";
const JAPANESE: &str = "商品の到着後、十四日以内であれば返品できます。送料は当社が負担します。\n";
const KOREAN: &str = "상품을 받은 후 14일 이내에 반품할 수 있습니다. 배송비는 저희가 부담합니다.";

fn round_trip(encoding: &'static Encoding, text: &str) {
    let (bytes, _, had_errors) = encoding.encode(text);
    assert!(!had_errors, "{} cannot say it", encoding.name());
    assert_eq!(sniff_text(&bytes), Sniff::Possible, "{}", encoding.name());
    assert_eq!(decode(&bytes, None), text, "{} unnamed", encoding.name());
    assert_eq!(decode(&bytes, Some(encoding)), text, "{} declared", encoding.name());
}

#[test]
fn single_byte_encodings_are_guessed() {
    round_trip(WINDOWS_1252, GERMAN);
    round_trip(WINDOWS_1251, RUSSIAN);
    round_trip(KOI8_R, RUSSIAN);
    round_trip(WINDOWS_1250, "Zboží lze vrátit do čtrnácti dnů od převzetí, náklady na dopravu hradíme my.");
    round_trip(WINDOWS_1253, "Μπορείτε να επιστρέψετε το προϊόν εντός δεκατεσσάρων ημερών από την παραλαβή.");
    round_trip(
        WINDOWS_1254,
        "Ürünü teslim aldıktan sonra on dört gün içinde iade edebilirsiniz, ücreti şirketimiz öder.",
    );
    round_trip(WINDOWS_1255, "ניתן להחזיר את המוצר תוך ארבעה עשר ימים מיום קבלתו.");
    round_trip(WINDOWS_1256, "يمكن إرجاع المنتج خلال أربعة عشر يوما من تاريخ الاستلام.");
    round_trip(WINDOWS_874, "สามารถคืนสินค้าได้ภายในสิบสี่วันหลังจากได้รับสินค้า");
}

#[test]
fn encodings_of_east_asia_are_guessed() {
    round_trip(SHIFT_JIS, JAPANESE);
    round_trip(EUC_JP, JAPANESE);
    round_trip(ISO_2022_JP, JAPANESE);
    round_trip(GBK, CHINESE);
    round_trip(GB18030, CHINESE);
    round_trip(BIG5, "您可以在收到商品後的十四天內退貨，運費由我們承擔。\n");
    round_trip(EUC_KR, KOREAN);
}

#[test]
fn what_cannot_be_told_apart_is_declared() {
    for (encoding, text) in [
        (ISO_8859_2, "Zboží lze vrátit do čtrnácti dnů."),
        (ISO_8859_5, RUSSIAN),
        (ISO_8859_7, "Μπορείτε να επιστρέψετε το προϊόν."),
        (ISO_8859_15, GERMAN),
        (KOI8_U, "Товар можна повернути протягом чотирнадцяти днів; її вартість."),
        (WINDOWS_1257, "Prekę galima grąžinti per keturiolika dienų, išlaidas dengiame mes."),
        (WINDOWS_1258, "Xin chào các ba\u{323}n"),
        (MACINTOSH, GERMAN),
    ] {
        let (bytes, _, had_errors) = encoding.encode(text);
        assert!(!had_errors, "{}", encoding.name());
        assert_eq!(decode(&bytes, Some(encoding)), text, "{}", encoding.name());
    }
}

#[test]
fn an_old_mac_is_recognised() {
    round_trip(MACINTOSH, "Für Äpfel und Öl gilt: die größeren Gläser müssen zurück, außer im Café.\rSchöne Grüße");
    round_trip(MACINTOSH, "Le délai légal court à compter de la réception; après, c’est à la société de décider.");
    // The quotes and dashes of Windows are no reason.
    round_trip(WINDOWS_1252, "Don’t pay “twice” – we’ll see it’s done.");
}

/// A sentence in units of two or four bytes.
fn wide(text: &str, big: bool, bytes: usize) -> Vec<u8> {
    let ordered = |mut unit: Vec<u8>| {
        if big {
            unit.reverse();
        }
        unit
    };
    match bytes {
        2 => text.encode_utf16().flat_map(|unit| ordered(unit.to_le_bytes().to_vec())).collect(),
        _ => text.chars().flat_map(|c| ordered(u32::from(c).to_le_bytes().to_vec())).collect(),
    }
}

#[test]
fn wide_units_with_and_without_a_mark() {
    let sentences = [GERMAN, RUSSIAN, CHINESE, JAPANESE, KOREAN, "plain words", "Hi \u{1f600} there"];
    for text in sentences {
        for big in [false, true] {
            for width in [2, 4] {
                for mark in ["", "\u{feff}"] {
                    let bytes = wide(&format!("{mark}{text}"), big, width);
                    let what = format!("{text}: big {big}, width {width}, mark {}", !mark.is_empty());
                    assert_eq!(sniff_text(&bytes), Sniff::Possible, "{what}");
                    assert_eq!(decode(&bytes, None), text, "{what}");
                }
            }
        }
        let marked = format!("\u{feff}{text}");
        assert_eq!(decode(marked.as_bytes(), Some(WINDOWS_1252)), text);
    }
}

#[test]
fn declarations_are_found_where_they_count() {
    let name = |text: &str| declared(text.as_bytes()).map(Encoding::name);
    assert_eq!(name("<!doctype html><meta charset=koi8-r>"), Some("KOI8-R"));
    assert_eq!(name("<meta http-equiv=\"Content-Type\" content=\"text/html; charset=Shift_JIS\">"), Some("Shift_JIS"));
    assert_eq!(name("<?xml version='1.0' encoding='iso-8859-2'?><html>"), Some("ISO-8859-2"));
    assert_eq!(name("<a href='?charset=koi8-r'>x</a>"), None);
    assert_eq!(name("<meta charset=nonsense>"), None);
}

#[test]
fn a_wrong_declaration_does_no_harm() {
    assert_eq!(decode(GERMAN.as_bytes(), Some(WINDOWS_1252)), GERMAN);
    assert_eq!(decode(GERMAN.as_bytes(), Some(encoding_rs::UTF_16LE)), GERMAN);
    let bytes = WINDOWS_1252.encode(GERMAN).0;
    assert_eq!(decode(&bytes, Some(UTF_8)), GERMAN);
    assert_eq!(decode(&EUC_JP.encode(JAPANESE).0, Some(SHIFT_JIS)), JAPANESE);
}

#[test]
fn one_slip_does_not_change_the_encoding() {
    let mut bytes = RUSSIAN.as_bytes().to_vec();
    bytes.push(0xff);
    assert_eq!(decode(&bytes, None), format!("{RUSSIAN}\u{fffd}"));
}

#[test]
fn binary_is_no_text() {
    assert_eq!(sniff_text(&[0, 1, 2, 3, 4, 5, 6, 7, 8]), Sniff::No);
    assert_eq!(sniff_text(b"GIF89a\x01\x02"), Sniff::No);
    assert_eq!(sniff_text(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0>\0\x01\0\0\0"), Sniff::No);
    assert_eq!(sniff_text(&[0; 64]), Sniff::No);
}

proptest! {
    #[test]
    fn any_bytes_decode(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = sniff_text(&bytes);
        let _ = decode(&bytes, declared(&bytes));
    }

    #[test]
    fn any_text_comes_back(text in "[a-zà-ÿа-яぁ-ん一-鿿 .,\n]{1,80}") {
        prop_assert_eq!(&decode(text.as_bytes(), None), &text);
        let marked = wide(&format!("\u{feff}{text}"), true, 2);
        prop_assert_eq!(&decode(&marked, None), &text);
    }
}
