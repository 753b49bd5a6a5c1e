//! What the server carries, measured from outside: `cargo bench --bench serve -- help`.
//!
//! Figures, never verdicts: nothing here fails because a machine is slow. It fails when an answer is wrong.
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot set itself up may stop")]
#![expect(clippy::print_stdout, reason = "what was measured is its output")]

mod bot;
mod client;
mod latency;
mod start;
mod streams;
mod throughput;

use std::time::Duration;

const HELP: &str = "\
cargo bench --bench serve -- [throughput|streams|start|latency|soak]... [--url URL] [--seconds N] [--pid PID]

  throughput  threads.create, answered whole, at concurrency 1, 8 and 64
  streams     resident memory with 2,000 open streams
  start       time from start to healthy, and idle memory, with 1,000 documents and a ready index
  latency     what the server adds to each event, 200 readers at 100 events a second
  soak        half of the measured capacity for --seconds, memory and descriptors every tenth of it

Without names: all but soak. --url measures another ChatKit endpoint (throughput, streams, soak); --pid names its
process, for memory.";

/// What to measure, and against what.
pub struct Options {
    /// An endpoint that runs already.
    pub url: Option<String>,
    /// Its process.
    pub pid: Option<u32>,
    /// How long each figure is taken.
    pub seconds: Duration,
}

fn main() {
    // `cargo bench` adds a flag of its own.
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let mut options = Options { url: None, pid: None, seconds: Duration::from_secs(10) };
    let mut names = Vec::new();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--url" => options.url = arguments.next(),
            "--pid" => options.pid = arguments.next().map(|pid| pid.parse().unwrap()),
            "--seconds" => options.seconds = Duration::from_secs(arguments.next().unwrap().parse().unwrap()),
            "throughput" | "streams" | "start" | "latency" | "soak" => names.push(argument),
            _ => return println!("{HELP}"),
        }
    }
    if names.is_empty() {
        names = ["throughput", "streams", "start", "latency"].map(str::to_owned).to_vec();
    }
    for name in names {
        match name.as_str() {
            "throughput" => run(throughput::measure(&options)),
            "streams" => run(streams::measure(&options)),
            "start" => run(start::measure()),
            "soak" => run(throughput::soak(&options)),
            _ => latency::measure(&options),
        }
    }
}

/// On one thread, so that the load takes one processor at the most.
fn run(work: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work);
}
