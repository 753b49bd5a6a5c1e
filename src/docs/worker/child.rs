//! The worker's side: reads documents from standard input and answers on standard output, until the input ends.
//!
//! Plain threads and pipes, no runtime, no settings. It must not print anything but frames on standard output. The
//! documents it reads may take it over: nothing here defends against that but the limits of the process, which are
//! set before the first of them is read.

use std::io::{self, Read, Write};
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use crate::docs::format::{FormatError, Input, MEDIA_BYTES};
use crate::docs::source::PIECE_BYTES;
use crate::docs::worker::protocol::{
    FrameError, Hello, MAX_REPLY_BYTES, MAX_SMALL_FRAME, Reply, Request, json_frame, parse_small, read_frame,
    read_length,
};
use crate::docs::worker::{sandbox, verdict};

/// What a worker does with a file.
pub type Parse = fn(Input<'_>) -> Reply;

/// The stack of the reading thread, in bytes. Readers of nested structures use it; pages that are not touched cost
/// nothing.
const STACK_BYTES: usize = 256 * 1024 * 1024;

/// Where the last panic was.
static LAST_PANIC: Mutex<Option<String>> = Mutex::new(None);

/// Serves as a worker until the parent hangs up.
pub fn serve(parse: Parse) -> Result<(), FrameError> {
    // A panic is told to the parent, as what the document did to its reader.
    std::panic::set_hook(Box::new(note_panic));
    let reading = thread::Builder::new().stack_size(STACK_BYTES).spawn(move || {
        let hello = Hello { unmet: sandbox::enter() };
        converse(parse, &hello, &mut io::stdin().lock(), &mut io::stdout().lock())
    })?;
    wait(reading)
}

/// Waits for the end of the conversation, or for the parent's: a worker that computes must not outlive it.
#[cfg(unix)]
fn wait(reading: JoinHandle<Result<(), FrameError>>) -> Result<(), FrameError> {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    const LOOK_EVERY: Timespec = Timespec { tv_sec: 1, tv_nsec: 0 };
    let stdin = io::stdin();
    while !reading.is_finished() {
        let mut watched = [PollFd::new(&stdin, PollFlags::empty())];
        let hung_up = poll(&mut watched, Some(&LOOK_EVERY)).is_ok_and(|ready| ready > 0);
        if hung_up {
            return Ok(());
        }
    }
    end(reading)
}

#[cfg(not(unix))]
fn wait(reading: JoinHandle<Result<(), FrameError>>) -> Result<(), FrameError> {
    end(reading)
}

fn end(reading: JoinHandle<Result<(), FrameError>>) -> Result<(), FrameError> {
    reading.join().unwrap_or_else(|_| Err(FrameError::Io(io::Error::other("the reading thread panicked"))))
}

/// One document after the other.
fn converse(parse: Parse, hello: &Hello, input: &mut impl Read, output: &mut impl Write) -> Result<(), FrameError> {
    say(output, &json_frame(hello)?)?;
    while let Some(bytes) = read_frame(input, MAX_SMALL_FRAME)? {
        let request: Request = parse_small(&bytes)?;
        // Where it cannot be set, the parent's clock is what ends the work.
        let _ = sandbox::allow_cpu(request.cpu_s);
        let reply = match read_content(input, request.bytes)? {
            Some(content) => guarded(parse, &request.path, &content),
            None => Err(verdict::out_of_memory()),
        };
        say(output, &framed(&reply)?)?;
    }
    Ok(())
}

fn say(output: &mut impl Write, frame: &[u8]) -> io::Result<()> {
    output.write_all(frame)?;
    output.flush()
}

/// The frames of a file, put together. None when there is no memory for it; it is read to its end all the same.
fn read_content(input: &mut impl Read, hint: u64) -> Result<Option<Vec<u8>>, FrameError> {
    let hint = usize::try_from(hint.min(MEDIA_BYTES)).unwrap_or_default();
    let mut content = Vec::new();
    let mut fits = content.try_reserve_exact(hint).is_ok();
    let max = u32::try_from(PIECE_BYTES).unwrap_or(u32::MAX);
    loop {
        let length = read_length(input, max)?.ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))?;
        if length == 0 {
            return Ok(fits.then_some(content));
        }
        fits = fits && content.try_reserve(length as usize).is_ok();
        if !fits {
            content = Vec::new();
        }
        let piece = &mut input.take(u64::from(length));
        let read = if fits { piece.read_to_end(&mut content)? as u64 } else { io::copy(piece, &mut io::sink())? };
        if read != u64::from(length) {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
    }
}

/// Reads the document; a panic of its reader becomes an error.
fn guarded(parse: Parse, path: &str, bytes: &[u8]) -> Reply {
    // A reader keeps nothing between documents, so none is left half-changed.
    catch_unwind(AssertUnwindSafe(|| parse(Input { path, bytes }))).unwrap_or_else(|_| {
        let place = LAST_PANIC.lock().unwrap_or_else(PoisonError::into_inner).take();
        let place = place.unwrap_or_else(|| "an unknown place".to_owned());
        Err(FormatError::Malformed(format!("its reader gave up on it at {place}")))
    })
}

/// Notes the place only: the message may hold text of the document.
fn note_panic(info: &PanicHookInfo<'_>) {
    let place = info.location().map(|location| {
        let file = location.file().rsplit(['/', '\\']).next().unwrap_or_default();
        format!("{file}:{}", location.line())
    });
    *LAST_PANIC.lock().unwrap_or_else(PoisonError::into_inner) = place;
}

/// The reply in a frame, or a refusal where it is longer than any may be.
fn framed(reply: &Reply) -> Result<Vec<u8>, FrameError> {
    let framed = json_frame(reply)?;
    let fits = framed.len() <= MAX_REPLY_BYTES as usize;
    if fits { Ok(framed) } else { json_frame(&Reply::Err(verdict::too_much_output())) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docs::format::Parsed;
    use crate::docs::worker::protocol::{frame, parse_reply};
    use crate::model::{Block, BlockKind, Locator};

    fn echo(input: Input<'_>) -> Reply {
        assert!(input.path != "panic", "as asked");
        if input.bytes.is_empty() {
            return Err(FormatError::Empty);
        }
        let text = format!("{} {}", input.path, input.bytes.len());
        let block = Block { kind: BlockKind::Paragraph, text, locator: Locator::default() };
        Ok(Parsed { blocks: vec![block], ..Parsed::default() })
    }

    fn request(path: &str, pieces: &[&[u8]]) -> Vec<u8> {
        let mut bytes = json_frame(&Request { path: path.to_owned(), bytes: 3, cpu_s: 600 }).unwrap();
        for piece in pieces {
            bytes.extend(frame(piece));
        }
        bytes.extend(frame(&[]));
        bytes
    }

    fn answers(input: &[u8]) -> (Vec<String>, bool) {
        let mut output = Vec::new();
        let ended = converse(echo, &Hello::default(), &mut &*input, &mut output).is_ok();
        let mut output = output.as_slice();
        let hello = read_frame(&mut output, MAX_SMALL_FRAME).unwrap().unwrap();
        assert_eq!(parse_small::<Hello>(&hello).unwrap(), Hello::default());
        let mut answers = Vec::new();
        while let Some(reply) = read_frame(&mut output, MAX_REPLY_BYTES).unwrap() {
            answers.push(match parse_reply(&reply).unwrap() {
                Ok(parsed) => parsed.blocks[0].text.clone(),
                Err(error) => error.code().to_owned(),
            });
        }
        (answers, ended)
    }

    #[test]
    fn documents_are_read_one_after_the_other() {
        let mut input = request("a", &[b"abc", b"de"]);
        input.extend(request("panic", &[]));
        input.extend(request("empty", &[]));
        input.extend(request("b", &[b"x"]));
        let answered = ["a 5", "document/malformed", "document/no-text", "b 1"].map(str::to_owned).to_vec();
        assert_eq!(answers(&input), (answered, true));
    }

    #[test]
    fn a_cut_conversation_ends() {
        let whole = request("a", &[b"abc"]);
        for end in 1..whole.len() {
            assert_eq!(answers(&whole[..end]), (Vec::new(), false), "{end}");
        }
        assert_eq!(answers(&[]), (Vec::new(), true));
    }
}
