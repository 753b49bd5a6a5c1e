//! What reading a PDF of 300 MB costs, 300 pages of text among pictures: `cargo bench --bench large_pdf`.
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot set itself up may stop")]
#![expect(clippy::print_stdout, reason = "the result of a benchmark is what it prints")]

use std::fmt::Write as _;
use std::fs;
use std::time::Instant;

use chatbotctl::docs::format::{Input, parse};

const PAGES: usize = 300;
const PICTURE_BYTES: usize = 1024 * 1024;
const LINES: usize = 45;

/// The objects of a file, and where each begins.
#[derive(Default)]
struct File {
    bytes: Vec<u8>,
    offsets: Vec<usize>,
}

impl File {
    fn object(&mut self, head: &str, content: Option<&[u8]>) {
        self.offsets.push(self.bytes.len());
        let number = self.offsets.len();
        self.bytes.extend(format!("{number} 0 obj\n{head}\n").bytes());
        if let Some(content) = content {
            self.bytes.extend(b"stream\n");
            self.bytes.extend(content);
            self.bytes.extend(b"\nendstream\n");
        }
        self.bytes.extend(b"endobj\n");
    }

    fn finish(mut self) -> Vec<u8> {
        let start = self.bytes.len();
        let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", self.offsets.len() + 1);
        for offset in &self.offsets {
            writeln!(table, "{offset:010} 00000 n ").unwrap();
        }
        let size = self.offsets.len() + 1;
        write!(table, "trailer\n<</Size {size} /Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n").unwrap();
        self.bytes.extend(table.bytes());
        self.bytes
    }
}

fn large_pdf() -> Vec<u8> {
    let mut file = File { bytes: b"%PDF-1.4\n".to_vec(), ..File::default() };
    let kids: Vec<String> = (0..PAGES).map(|page| format!("{} 0 R", 4 + 3 * page)).collect();
    file.object("<</Type /Catalog /Pages 2 0 R>>", None);
    file.object(&format!("<</Type /Pages /Count {PAGES} /Kids [{}]>>", kids.join(" ")), None);
    file.object("<</Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding>>", None);
    let mut seed = 1_u64;
    for page in 0..PAGES {
        let (content, picture) = (5 + 3 * page, 6 + 3 * page);
        let resources = format!("<</Font <</F 3 0 R>> /XObject <</P {picture} 0 R>>>>");
        let page_head = "<</Type /Page /Parent 2 0 R /MediaBox [0 0 595 842]";
        file.object(&format!("{page_head} /Contents {content} 0 R /Resources {resources}>>"), None);
        let text = page_text(page);
        file.object(&format!("<</Length {}>>", text.len()), Some(text.as_bytes()));
        let pixels: Vec<u8> = std::iter::repeat_with(|| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            seed.to_le_bytes()[7]
        })
        .take(PICTURE_BYTES)
        .collect();
        let head = "<</Type /XObject /Subtype /Image /Width 1024 /Height 1024 /BitsPerComponent 8";
        file.object(&format!("{head} /ColorSpace /DeviceGray /Length {PICTURE_BYTES}>>"), Some(&pixels));
    }
    file.finish()
}

fn page_text(page: usize) -> String {
    let mut text = "q 500 0 0 500 40 300 cm /P Do Q\nBT /F 11 Tf 14 TL 50 800 Td\n".to_owned();
    for line in 0..LINES {
        let words = format!("page {page} line {line} of a long report about machines, their care and their repair");
        writeln!(text, "({words}) Tj T*").unwrap();
    }
    text + "ET\n"
}

fn main() {
    let bytes = large_pdf();
    let megabytes = bytes.len() / (1024 * 1024);
    let start = Instant::now();
    let parsed = parse(Input { path: "large.pdf", bytes: &bytes }).unwrap();
    let seconds = start.elapsed().as_secs_f64();
    assert_eq!(parsed.pages, u32::try_from(PAGES).ok());
    let characters: usize = parsed.blocks.iter().map(|block| block.text.len()).sum();
    println!("{megabytes} MB, {PAGES} pages, {characters} bytes of text: read in {seconds:.2} s");
    // The peak holds the file itself, which a reader gets as bytes.
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    for line in status.lines().filter(|line| line.starts_with("VmHWM")) {
        println!("peak memory with the file: {}", line.trim_start_matches("VmHWM:").trim());
    }
}
