//! Has a ClamAV daemon look through a file, by its INSTREAM command (clamd(8)).
//!
//! Only a plain "OK" is one. No daemon, no answer in time, a limit of the daemon's own and words that nobody expects
//! are failures, and whoever asked refuses the file (D10).

use std::fs::File;
use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// How long a scan may take in all.
const DEADLINE: Duration = Duration::from_mins(1);
/// Bytes of one piece of the stream.
const PIECE_BYTES: usize = 64 * 1024;
/// Bytes of the daemon's answer at the most.
const MAX_ANSWER_BYTES: u64 = 4 * 1024;
/// Characters that are kept of a signature's name.
const MAX_SIGNATURE_CHARS: usize = 120;

/// What the daemon says of a file.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It found nothing.
    Clean,
    /// It found this signature.
    Infected(String),
}

/// Why there is no verdict.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// The daemon is not reached, or hung up.
    #[error("the virus scanner is not reached")]
    Unreachable(#[source] io::Error),
    /// The daemon took too long.
    #[error("the virus scanner took more than {} s", .0.as_secs())]
    Late(Duration),
    /// The daemon refused, or said what is no verdict.
    #[error("the virus scanner gave no verdict: {0:?}")]
    NoVerdict(String),
}

/// Scans a file from where it stands. `socket` is the path of a Unix socket, or host and port.
pub async fn scan(socket: &str, file: File) -> Result<Verdict, ScanError> {
    scan_within(socket, file, DEADLINE).await
}

async fn scan_within(socket: &str, file: File, deadline: Duration) -> Result<Verdict, ScanError> {
    let answer = tokio::time::timeout(deadline, converse(socket, file)).await;
    let answer = answer.map_err(|_| ScanError::Late(deadline))?.map_err(ScanError::Unreachable)?;
    read_verdict(&answer)
}

async fn converse(socket: &str, file: File) -> io::Result<Vec<u8>> {
    if socket.contains('/') {
        #[cfg(unix)]
        return stream(tokio::net::UnixStream::connect(socket).await?, file).await;
        #[cfg(not(unix))]
        return Err(io::Error::from(io::ErrorKind::Unsupported));
    }
    stream(TcpStream::connect(socket).await?, file).await
}

/// Sends the file and hears the answer. A daemon that has heard enough answers early and stops listening.
async fn stream(mut daemon: impl AsyncRead + AsyncWrite + Unpin, file: File) -> io::Result<Vec<u8>> {
    let sent = send(&mut daemon, tokio::fs::File::from_std(file)).await;
    let mut answer = Vec::new();
    let heard = daemon.take(MAX_ANSWER_BYTES).read_to_end(&mut answer).await;
    if answer.is_empty() {
        sent?;
        heard?;
    }
    Ok(answer)
}

async fn send(daemon: &mut (impl AsyncWrite + Unpin), mut file: tokio::fs::File) -> io::Result<()> {
    daemon.write_all(b"zINSTREAM\0").await?;
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let read = file.read(&mut piece).await?;
        let length = u32::try_from(read).map_err(io::Error::other)?;
        daemon.write_all(&length.to_be_bytes()).await?;
        daemon.write_all(&piece[..read]).await?;
        if read == 0 {
            return daemon.flush().await;
        }
    }
}

/// `stream: OK`, `stream: NAME FOUND`, or something else; each ends with a zero byte.
fn read_verdict(answer: &[u8]) -> Result<Verdict, ScanError> {
    let text = String::from_utf8_lossy(answer).into_owned();
    let no_verdict = || ScanError::NoVerdict(text.chars().take(MAX_SIGNATURE_CHARS).collect());
    let said = text.strip_suffix('\0').and_then(|text| text.strip_prefix("stream: ")).ok_or_else(no_verdict)?;
    match said.strip_suffix(" FOUND") {
        Some(signature) => Ok(Verdict::Infected(signature.chars().take(MAX_SIGNATURE_CHARS).collect())),
        None if said == "OK" => Ok(Verdict::Clean),
        None => Err(no_verdict()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use tokio::net::TcpListener;

    use super::*;

    fn file(bytes: &[u8]) -> File {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        file.reopen().unwrap()
    }

    /// How a daemon behaves.
    #[derive(Clone, Copy)]
    enum Daemon {
        /// Hears the whole stream, strictly, and says this.
        Says(&'static [u8]),
        /// Says this at once and hangs up.
        Interrupts(&'static [u8]),
        /// Never answers.
        Silent,
    }

    /// A daemon for one file: its address, and the bytes that it was given.
    async fn daemon(daemon: Daemon) -> (String, tokio::task::JoinHandle<Vec<u8>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let serving = tokio::spawn(async move {
            let (mut client, _) = listener.accept().await.unwrap();
            if let Daemon::Interrupts(answer) = daemon {
                client.write_all(answer).await.unwrap();
                return Vec::new();
            }
            let mut command = [0; 10];
            client.read_exact(&mut command).await.unwrap();
            assert_eq!(&command, b"zINSTREAM\0");
            let mut bytes = Vec::new();
            loop {
                let length = client.read_u32().await.unwrap() as usize;
                if length == 0 {
                    break;
                }
                assert!(length <= PIECE_BYTES);
                let start = bytes.len();
                bytes.resize(start + length, 0);
                client.read_exact(&mut bytes[start..]).await.unwrap();
            }
            match daemon {
                Daemon::Says(answer) => client.write_all(answer).await.unwrap(),
                // Until the client gives up.
                _ => assert_eq!(client.read(&mut [0]).await.unwrap_or(0), 0),
            }
            bytes
        });
        (address, serving)
    }

    async fn told(answer: &'static [u8]) -> Result<Verdict, ScanError> {
        let (address, serving) = daemon(Daemon::Says(answer)).await;
        let bytes = vec![b'x'; PIECE_BYTES * 2 + 1];
        let verdict = scan(&address, file(&bytes)).await;
        assert_eq!(serving.await.unwrap(), bytes, "the daemon gets every byte");
        verdict
    }

    #[tokio::test]
    async fn verdicts_are_understood() {
        assert_eq!(told(b"stream: OK\0").await.unwrap(), Verdict::Clean);
        let infected = told(b"stream: Test.Signature.UNOFFICIAL FOUND\0").await.unwrap();
        assert_eq!(infected, Verdict::Infected("Test.Signature.UNOFFICIAL".to_owned()));
    }

    /// D10: whatever is no verdict is a failure.
    #[tokio::test]
    async fn anything_else_is_no_verdict() {
        for answer in [
            &b"INSTREAM size limit exceeded. ERROR\0"[..],
            b"stream: OK",
            b"stream: OK\0stream: OK\0",
            b"stream: Can't allocate memory ERROR\0",
            b"OK\0",
            b"HTTP/1.1 200 OK\r\n\r\n\0",
            b"\xff\xfe\0",
        ] {
            let error = told(answer).await.unwrap_err();
            assert!(matches!(error, ScanError::NoVerdict(_)), "{error}");
        }
        assert!(matches!(told(b"").await, Err(ScanError::NoVerdict(_))), "a hang-up without a word");
        let (early, _) = daemon(Daemon::Interrupts(b"INSTREAM size limit exceeded. ERROR\0")).await;
        assert!(scan(&early, file(&vec![b'x'; 1 << 20])).await.is_err());
        let (silent, _) = daemon(Daemon::Silent).await;
        let late = scan_within(&silent, file(b"x"), Duration::from_millis(50)).await.unwrap_err();
        assert!(matches!(late, ScanError::Late(_)), "{late}");
        for nobody in ["127.0.0.1:1", "/no/such/socket", "not an address"] {
            let error = scan(nobody, file(b"x")).await.unwrap_err();
            assert!(matches!(error, ScanError::Unreachable(_)), "{nobody}: {error}");
        }
    }
}
