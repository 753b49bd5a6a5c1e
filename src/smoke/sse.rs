//! The bytes of an event stream: read strictly to judge them, and leniently to go on.
//!
//! The protocol's framing is narrower than that of the HTML standard: an event is `data: `, one line of JSON, and a
//! blank line, with LF alone. Comments are the only other thing that may stand between events.

use serde_json::Value;

/// Faults that are listed at the most.
const MAX_FAULTS: usize = 5;

/// What is wrong with the framing; nothing when all is well.
pub(super) fn faults(bytes: &[u8]) -> Vec<String> {
    let mut faults = Vec::new();
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => return vec![format!("byte {} is not UTF-8", error.valid_up_to())],
    };
    if text.starts_with('\u{feff}') {
        faults.push("it begins with a byte order mark".to_owned());
    }
    if text.contains('\r') {
        faults.push("lines end with CR".to_owned());
    }
    if !text.is_empty() && !text.ends_with("\n\n") {
        faults.push("the last event is not ended by a blank line".to_owned());
    }
    let blocks = text.trim_start_matches('\u{feff}').split_terminator("\n\n").enumerate();
    faults.extend(blocks.filter_map(|(at, block)| block_fault(block).map(|why| format!("event {}: {why}", at + 1))));
    faults.truncate(MAX_FAULTS);
    faults
}

fn block_fault(block: &str) -> Option<String> {
    let mut data = 0;
    for line in block.split('\n').filter(|line| !line.starts_with(':')) {
        let Some(json) = line.strip_prefix("data: ") else {
            let name: String = line.chars().take_while(|c| *c != ':').take(20).collect();
            return Some(format!("a line begins with `{name}`, and not with `data: `"));
        };
        if let Err(error) = serde_json::from_str::<Value>(json) {
            return Some(format!("its data is not JSON ({error})"));
        }
        data += 1;
    }
    (data > 1).then(|| format!("it has {data} data lines"))
}

/// The events, as any client would read them: what is no JSON is left out.
pub(super) fn events(bytes: &[u8]) -> Vec<Value> {
    let text = String::from_utf8_lossy(bytes).replace("\r\n", "\n");
    text.split("\n\n").filter_map(event).collect()
}

/// The event of one block.
pub(super) fn event(block: &str) -> Option<Value> {
    let data = |line: &str| line.trim_end_matches('\r').strip_prefix("data:").map(|data| data.trim_start().to_owned());
    let lines: Vec<String> = block.lines().filter_map(data).collect();
    serde_json::from_str(&lines.join("\n")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exact_framing_has_no_fault() {
        assert_eq!(faults(b"data: {\"a\":1}\n\n: ping\n\ndata: {\"b\":\"\xe2\x80\xa8\"}\n\n"), Vec::<String>::new());
        assert_eq!(faults(b""), Vec::<String>::new());
    }

    #[test]
    fn every_other_framing_has_one() {
        for bytes in [
            &b"data:{}\n\n"[..],
            b"event: x\ndata: {}\n\n",
            b"data: {}\r\n\r\n",
            b"data: {\ndata: }\n\n",
            b"data: {}\ndata: {}\n\n",
            b"data: [DONE]\n\n",
            b"data: {}\n",
            b"data: {}\n\n\n",
            b"\xef\xbb\xbfdata: {}\n\n",
            b"data: \"\xff\"\n\n",
            b"id: 1\n\n",
        ] {
            assert!(!faults(bytes).is_empty(), "{:?}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn events_are_read_leniently() {
        let bytes = b": hi\n\nevent: x\r\ndata:{\"a\":1}\r\n\r\ndata: {\"b\":\ndata: 2}\n\ndata: [DONE]\n\n";
        assert_eq!(events(bytes), [serde_json::json!({"a": 1}), serde_json::json!({"b": 2})]);
    }
}
