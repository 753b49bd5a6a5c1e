//! Makes hostile files of workbooks, mails, rich text, books and sheets.

use crate::office::archive;

/// What a bomb unpacks to.
const BOMB_BYTES: usize = 64 * 1024 * 1024;

/// A workbook whose only sheet has cells in its first and in its last place.
pub fn sparse_xlsx() -> Vec<u8> {
    let cell = |place: &str, text: &str| format!("<c r=\"{place}\" t=\"inlineStr\"><is><t>{text}</t></is></c>");
    let sheet = format!(
        "<worksheet><sheetData><row r=\"1\">{}</row><row r=\"1048576\">{}</row></sheetData></worksheet>",
        cell("A1", "first"),
        cell("XFD1048576", "the last cell"),
    );
    let types = "<Types><Default Extension=\"xml\" ContentType=\"application/xml\"/></Types>";
    let relation = |kind: &str, target: &str| {
        format!(
            "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship \
             Id=\"r1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/{kind}\" \
             Target=\"{target}\"/></Relationships>"
        )
    };
    let workbook = "<workbook xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\"><sheets>\
                    <sheet name=\"S\" sheetId=\"1\" r:id=\"r1\"/></sheets></workbook>";
    archive(&[
        ("[Content_Types].xml", types.as_bytes()),
        ("_rels/.rels", relation("officeDocument", "xl/workbook.xml").as_bytes()),
        ("xl/workbook.xml", workbook.as_bytes()),
        ("xl/_rels/workbook.xml.rels", relation("worksheet", "worksheets/sheet1.xml").as_bytes()),
        ("xl/worksheets/sheet1.xml", sheet.as_bytes()),
    ])
}

/// A spreadsheet whose contents unpack to much.
pub fn ods_bomb() -> Vec<u8> {
    let content = format!("<office:spreadsheet>{}</office:spreadsheet>", " ".repeat(BOMB_BYTES));
    let kind = "application/vnd.oasis.opendocument.spreadsheet";
    archive(&[("mimetype", kind.as_bytes()), ("content.xml", content.as_bytes())])
}

/// A spreadsheet of a million times a billion equal cells.
pub fn ods_repeats() -> Vec<u8> {
    let row = "<table:table-row table:number-rows-repeated=\"1000000\"><table:table-cell \
               table:number-columns-repeated=\"4294967295\"><text:p>again</text:p></table:table-cell>\
               </table:table-row>";
    let content = format!("<office:spreadsheet><table:table table:name=\"S\">{row}</table:table></office:spreadsheet>");
    archive(&[("content.xml", content.as_bytes())])
}

/// A book whose only chapter unpacks to much.
pub fn epub_bomb() -> Vec<u8> {
    let container = "<container><rootfiles><rootfile full-path=\"a.opf\"/></rootfiles></container>";
    let list = "<package><manifest><item id=\"a\" href=\"a.xhtml\" media-type=\"application/xhtml+xml\"/></manifest>\
                <spine><itemref idref=\"a\"/></spine></package>";
    let chapter = format!("<html><body><p>{}</p></body></html>", " ".repeat(BOMB_BYTES));
    archive(&[
        ("mimetype", b"application/epub+zip"),
        ("META-INF/container.xml", container.as_bytes()),
        ("a.opf", list.as_bytes()),
        ("a.xhtml", chapter.as_bytes()),
    ])
}

const MAIL: &str = "From: a@shop.example\nMIME-Version: 1.0\nSubject: one in the other\n";

/// Messages in messages, as many as this.
pub fn nested_mail(depth: usize) -> Vec<u8> {
    let wrapper = format!("{MAIL}Content-Type: message/rfc822\n\n");
    format!("{}{MAIL}\ndeep down\n", wrapper.repeat(depth)).into_bytes()
}

/// Parts in parts, each with its own boundary.
pub fn nested_parts(depth: usize) -> Vec<u8> {
    let open = |level: usize| format!("Content-Type: multipart/mixed; boundary=b{level}\n\n--b{level}\n");
    let parts: Vec<String> = (0..depth).map(open).collect();
    format!("{MAIL}{}\ndeep down\n", parts.concat()).into_bytes()
}

/// Groups in groups.
pub fn nested_rtf(depth: usize) -> Vec<u8> {
    format!("{{\\rtf1 before\\par {}deep down{}}}", "{".repeat(depth), "}".repeat(depth)).into_bytes()
}

/// Claims of binary contents that are far longer than the file, and some that are negative.
pub fn rtf_binary() -> Vec<u8> {
    let claims = "{\\bin-2147483648 x}".repeat(1_000);
    format!("{{\\rtf1 before the bomb\\par {claims}{{\\*\\x\\bin2147483647 swallowed}}after\\par}}").into_bytes()
}
