//! Many readers, readers who do not read, and a stop among them.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::raw::{connect, exchange, one, parse, read_to_end, request};
use super::{create, folder, list, post, start};
use crate::bot::TestBot;

/// Kilobytes in memory.
fn memory_kb(bot: &TestBot) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", bot.process_id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn descriptors(bot: &TestBot) -> usize {
    std::fs::read_dir(format!("/proc/{}/fd", bot.process_id())).unwrap().count()
}

fn assert_healthy(bot: &TestBot) {
    let started = Instant::now();
    let answer = one(&bot.url, &request("GET", "/knowledge/health", &[]));
    assert_eq!(answer.status, 200);
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
}

/// Waits for a thing that takes a while to become true.
fn until(what: &str, patience: Duration, holds: impl Fn() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < patience, "{what}");
        #[expect(clippy::disallowed_methods, reason = "no runtime here, and nothing that could be awaited")]
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// H19: readers who never read cost bounded memory; beside them health answers within a second, and when they are
/// gone so are their descriptors. That the server lets go by itself is tested with short deadlines in its own tests,
/// and here with `CHATBOTCTL_SLOW`.
#[cfg(target_os = "linux")]
#[test]
fn h19_readers_who_never_read_do_no_harm() {
    let folder = folder();
    let bot = start(&folder, &[]);
    assert_healthy(&bot);
    let (memory, open) = (memory_kb(&bot), descriptors(&bot));
    // More is asked for than any socket keeps; what is asked fits into what the server reads ahead.
    let ask = "GET /assets/app.css HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(600);
    let mut readers: Vec<TcpStream> = (0..200).map(|_| connect(&bot.url)).collect();
    for reader in &mut readers {
        reader.write_all(ask.as_bytes()).unwrap();
        assert_healthy(&bot);
    }
    // Not compared with before: readers of documents may have ended meanwhile.
    assert!(descriptors(&bot) >= 200, "they are all still there");
    let more = memory_kb(&bot).saturating_sub(memory);
    println!("200 readers who never read take {more} kB");
    assert!(more < 80_000, "{more} kB for 200 readers");
    if is_slow_run() {
        until("they are let go", Duration::from_mins(1), || descriptors(&bot) <= open + 5);
    }
    drop(readers);
    until("their descriptors are free", Duration::from_secs(10), || descriptors(&bot) <= open + 5);
}

/// Many answers at once: every one ends, and others are served beside them.
#[test]
fn many_streams_end_well() {
    let count = if is_slow_run() { 2000 } else { 200 };
    let folder = folder();
    let bot = start(&folder, &[("STUB_DELTA_MS", "400")]);
    let ask = post(&[], &create("When do refunds reach my card?"));
    let mut readers: Vec<TcpStream> = (0..count).map(|_| connect(&bot.url)).collect();
    for reader in &mut readers {
        reader.write_all(&ask).unwrap();
    }
    assert_healthy(&bot);
    for reader in readers {
        let answers = parse(&read_to_end(reader));
        assert!(answers[0].is_whole && answers[0].text().contains("thread.item.done"), "{answers:?}");
    }
}

/// The id of the thread of a stream that has begun.
fn begun(stream: &mut TcpStream, so_far: &mut Vec<u8>) -> String {
    let mut buffer = [0; 1024];
    loop {
        let text = String::from_utf8_lossy(so_far).into_owned();
        if let Some(start) = text.find("assistant_message").and(text.find("\"thr_")) {
            return text[start + 1..].split('"').next().unwrap().to_owned();
        }
        let count = stream.read(&mut buffer).unwrap();
        assert_ne!(count, 0, "{text}");
        so_far.extend_from_slice(&buffer[..count]);
    }
}

/// SIGTERM: running answers end properly within their grace, are stored, and `serve` exits with 0.
#[test]
fn sigterm_lets_answers_end() {
    let folder = folder();
    let bot = start(&folder, &[("STUB_DELTA_MS", "150"), ("AUTH_MODE", "off")]);
    let ask = post(&[], &create("When do refunds reach my card?"));
    let mut streams: Vec<(TcpStream, Vec<u8>)> = (0..5).map(|_| (connect(&bot.url), Vec::new())).collect();
    for (stream, _) in &mut streams {
        stream.write_all(&ask).unwrap();
    }
    let threads: Vec<String> = streams.iter_mut().map(|(stream, so_far)| begun(stream, so_far)).collect();
    let url = bot.url.clone();
    let stopping = std::thread::spawn(move || bot.terminate());
    for (stream, mut so_far) in streams {
        so_far.extend(read_to_end(stream));
        let answers = parse(&so_far);
        assert!(answers[0].is_whole, "the last chunk is missing");
        assert!(answers[0].text().trim_end().lines().last().unwrap().contains("thread.item.done"), "{answers:?}");
    }
    let (exit, log) = stopping.join().unwrap();
    assert_eq!(exit, 0, "{log}");
    assert!(TcpStream::connect(url.strip_prefix("http://").unwrap()).is_err(), "nothing listens");
    let bot = start(&folder, &[("AUTH_MODE", "off")]);
    for thread in threads {
        assert!(stored(&bot, &thread).contains("five working days"), "{thread}");
    }
}

/// SIGTERM with callers who hold on: an answer without end, one that is read byte by byte, half a head, half a body
/// and silence. What there is of the answers is stored, and the exit is 0 in time.
#[test]
fn sigterm_is_obeyed_in_time_whoever_holds_on() {
    let folder = folder();
    let bot = start(&folder, &[("STUB_DELTA_MS", "3000"), ("AUTH_MODE", "off")]);
    let ask = post(&[], &create("When do refunds reach my card?"));
    let (mut endless, mut so_far) = (connect(&bot.url), Vec::new());
    endless.write_all(&ask).unwrap();
    let thread = begun(&mut endless, &mut so_far);
    let mut dribbling = connect(&bot.url);
    dribbling.write_all(&ask).unwrap();
    let mut half_head = connect(&bot.url);
    half_head.write_all(b"GET / HTTP/1.1\r\nHos").unwrap();
    let mut half_body = connect(&bot.url);
    half_body.write_all(&ask[..ask.len() - 5]).unwrap();
    let silent = connect(&bot.url);
    let over = Arc::new(AtomicBool::new(false));
    let is_over = Arc::clone(&over);
    let dribbler = std::thread::spawn(move || {
        let mut byte = [0; 1];
        while !is_over.load(Ordering::SeqCst) && matches!(dribbling.read(&mut byte), Ok(1)) {
            #[expect(clippy::disallowed_methods, reason = "a caller who reads slowly")]
            std::thread::sleep(Duration::from_secs(1));
        }
    });
    let started = Instant::now();
    let stopping = std::thread::spawn(move || bot.terminate());
    so_far.extend(read_to_end(endless));
    let (exit, log) = stopping.join().unwrap();
    let took = started.elapsed();
    assert_eq!(exit, 0, "{log}");
    assert!(took < Duration::from_secs(20), "{took:?}");
    assert!(log.contains("stopped"), "{log}");
    drop((half_head, half_body, silent));
    over.store(true, Ordering::SeqCst);
    dribbler.join().unwrap();
    let answers = parse(&so_far);
    assert!(answers[0].is_whole, "the last chunk is missing");
    let last: Value = serde_json::from_str(answers[0].text().trim_end().rsplit("data: ").next().unwrap()).unwrap();
    assert_eq!((&last["type"], &last["allow_retry"]), (&json!("error"), &json!(true)), "{last}");
    let bot = start(&folder, &[("AUTH_MODE", "off")]);
    assert!(stored(&bot, &thread).contains("The stub"), "what there was of the answer is stored");
}

/// All of a thread.
fn stored(bot: &TestBot, thread_id: &str) -> String {
    let get = json!({ "type": "threads.get_by_id", "params": { "thread_id": thread_id } }).to_string();
    one(&bot.url, &post(&[], &get)).text()
}

/// After many hang-ups nothing is left of them.
#[cfg(target_os = "linux")]
#[test]
fn hang_ups_leave_nothing() {
    let folder = folder();
    let bot = start(&folder, &[("STUB_DELTA_MS", "20")]);
    exchange(&bot.url, &post(&[], &list()));
    let open = descriptors(&bot);
    for round in 0..200 {
        let mut stream = connect(&bot.url);
        let ask = post(&[], &create("When do refunds reach my card?"));
        let sent = if round % 2 == 0 { &ask[..] } else { &ask[..ask.len() / 2] };
        stream.write_all(sent).unwrap();
    }
    until("all descriptors are free", Duration::from_secs(20), || descriptors(&bot) <= open + 5);
    assert_healthy(&bot);
}

/// Whether the long gates are asked for.
#[expect(clippy::disallowed_methods, reason = "what is asked of a test comes from its environment")]
fn is_slow_run() -> bool {
    std::env::var_os("CHATBOTCTL_SLOW").is_some()
}
