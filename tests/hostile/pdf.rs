//! Makes PDF files, good and hostile.

use std::fmt::Write as _;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::ZlibEncoder;

/// A PDF of these objects, numbered from 1; the first is the catalogue.
pub fn of_objects(objects: &[String]) -> Vec<u8> {
    let mut text = String::from("%PDF-1.7\n");
    let mut places = Vec::new();
    for (number, object) in objects.iter().enumerate() {
        places.push(text.len());
        let _ = write!(text, "{} 0 obj\n{object}\nendobj\n", number + 1);
    }
    let table = text.len();
    let _ = write!(text, "xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for place in places {
        let _ = writeln!(text, "{place:010} 00000 n ");
    }
    let size = objects.len() + 1;
    let _ = write!(text, "trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n");
    text.into_bytes()
}

fn stream(content: &str) -> String {
    format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len())
}

fn objects(content: &str) -> Vec<String> {
    vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R \
         /Resources << /Font << /F1 5 0 R >> >> >>"
            .to_owned(),
        stream(content),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_owned(),
    ]
}

/// A PDF of one page with this line.
pub fn page(text: &str) -> Vec<u8> {
    of_objects(&objects(&format!("BT /F1 12 Tf 72 700 Td ({text}) Tj ET")))
}

/// A PDF whose tree of pages leads back to itself.
pub fn page_tree_cycle() -> Vec<u8> {
    let mut objects = objects("BT /F1 12 Tf 72 700 Td (Never seen) Tj ET");
    objects[1] = "<< /Type /Pages /Kids [2 0 R 6 0 R] /Count 2 /Parent 6 0 R >>".to_owned();
    objects.push("<< /Type /Pages /Kids [2 0 R] /Count 1 /Parent 2 0 R >>".to_owned());
    of_objects(&objects)
}

/// A PDF that holds this object beside its page, and this in the page's content.
pub fn with_nesting(depth: usize) -> Vec<u8> {
    let nested = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let dictionaries = format!("{}1{}", "<< /A ".repeat(depth), " >>".repeat(depth));
    let mut objects = objects(&format!("{nested} TJ BT /F1 12 Tf 72 700 Td (Seen below the arrays) Tj ET"));
    objects.extend([nested, dictionaries]);
    of_objects(&objects)
}

/// A PDF whose page's content is 256 MB of blanks, packed twice to a few hundred bytes.
pub fn stream_bomb() -> Vec<u8> {
    let blanks = vec![b' '; 256 * 1024 * 1024];
    let packed = base85(&deflated(&deflated(&blanks)));
    let mut objects = objects("");
    let filters = "/Filter [/ASCII85Decode /FlateDecode /FlateDecode]";
    objects[3] = format!("<< /Length {} {filters} >>\nstream\n{packed}\nendstream", packed.len());
    of_objects(&objects)
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// As text, in base 85. A last group that is short is filled up: packed bytes know their end.
fn base85(bytes: &[u8]) -> String {
    let mut text = String::new();
    for four in bytes.chunks(4) {
        let number = four.iter().chain(&[0; 4]).take(4).fold(0_u32, |number, byte| (number << 8) | u32::from(*byte));
        text.extend((0..5).rev().map(|place| char::from((number / 85_u32.pow(place) % 85) as u8 + b'!')));
    }
    text + "~>"
}

/// A PDF whose length of a stream is itself, and whose page refers to itself for everything.
pub fn self_references() -> Vec<u8> {
    let mut objects = objects("x");
    objects[2] = "<< /Type /Page /Parent 3 0 R /MediaBox 3 0 R /Contents [3 0 R 4 0 R] /Resources 3 0 R >>".to_owned();
    objects[3] = "<< /Length 4 0 R >>\nstream\nx\nendstream".to_owned();
    of_objects(&objects)
}
