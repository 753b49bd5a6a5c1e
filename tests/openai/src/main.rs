//! Runs the stand-in by hand: it prints its URL and keys, and serves until it is interrupted.

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use openai_stand_in::{Rules, StandIn};

const HELP: &str = "\
A strict stand-in for the OpenAI API that can misbehave on command.

Usage: openai-stand-in [OPTIONS]

  --port N             listen on this port of 127.0.0.1 (default: a free one)
  --latency MS         wait before each answer (default 0)
  --ingestion MS       how long an attached file stays in_progress (default: until it was looked at once)
  --delete-lag MS      how long deleted files stay listed (default 0)
  --event-gap MS       pause between the events of a stream (default 0)
  --documented-rates   1,000 uploads, 300 writes a store and 2,000 attached files a minute, with headers
  --forget             keep sizes and hashes only, not contents
  --help               this text

It prints one JSON line with base_url, key and admin_key. Control, without a key, below http://127.0.0.1:PORT:
  POST   /__control/fault    {\"on\": {\"method\": \"POST\", \"path\": \"/files\", \"skip\": 0, \"times\": 1,
                              \"probability\": 0.5, \"seed\": 1}, \"act\": {\"rate_limited\": {\"retry_after\": 1}}}
                             acts: status {code, body, hints}, rate_limited {retry_after}, \"no_quota\", \"wrong_key\",
                             \"reset_before\", \"reset_mid_body\", \"lost_answer\", {\"stall\": MS}, \"truncated_body\",
                             \"garbled_json\", stalled_stream|truncated_stream|reset_stream {after},
                             \"duplicated_events\", \"unknown_events\", \"split_anywhere\",
                             file_fails {matching, code, message}, file_stuck {matching, until_attached_again},
                             {\"lagging_delete\": MS}, store_expired {store_id}, \"batch_id_of_store\", \"shifting_pages\"
  POST   /__control/heal     disarms all
  POST   /__control/answer   what the next answer says: {\"parts\": [{\"text\": \"…\"}], \"ending\": {\"failed\": \"server_error\"}}
  POST   /__control/pass     {\"ms\": N} lets time pass
  GET    /__control/log      every request; DELETE forgets them
  GET    /__control/state    files and stores
";

fn main() -> ExitCode {
    match run(std::env::args().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            // Nothing can be done where even this cannot be written.
            let _ = writeln!(std::io::stderr(), "openai-stand-in: {message}");
            ExitCode::from(2)
        }
    }
}

fn run(args: impl Iterator<Item = String>) -> Result<(), String> {
    let Some((rules, port)) = parse(args)? else { return write(HELP) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
    let stand_in = StandIn::launch(rules, port);
    let (url, key, admin) = (stand_in.base_url(), stand_in.key(), stand_in.admin_key());
    write(&format!("{{\"base_url\": \"{url}\", \"key\": \"{key}\", \"admin_key\": \"{admin}\"}}\n"))?;
    runtime.block_on(tokio::signal::ctrl_c()).map_err(|error| error.to_string())
}

fn write(text: &str) -> Result<(), String> {
    let mut out = std::io::stdout();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|error| error.to_string())
}

/// The rules and the port, or nothing when help is wanted.
fn parse(mut args: impl Iterator<Item = String>) -> Result<Option<(Rules, u16)>, String> {
    let (mut rules, mut port) = (Rules::default(), 0);
    while let Some(arg) = args.next() {
        let mut number = || -> Result<u64, String> {
            let value = args.next().ok_or_else(|| format!("{arg} needs a number"))?;
            value.parse().map_err(|_| format!("{arg} needs a number, not `{value}`"))
        };
        match arg.as_str() {
            "--help" | "-h" => return Ok(None),
            "--port" => port = u16::try_from(number()?).map_err(|_| "--port needs a number below 65536".to_owned())?,
            "--latency" => rules.latency = Duration::from_millis(number()?),
            "--ingestion" => rules.ingestion = Duration::from_millis(number()?),
            "--delete-lag" => rules.delete_lag = Duration::from_millis(number()?),
            "--event-gap" => rules.event_gap = Duration::from_millis(number()?),
            "--documented-rates" => {
                let documented = Rules::with_documented_rates();
                rules.uploads_per_minute = documented.uploads_per_minute;
                rules.store_writes_per_minute = documented.store_writes_per_minute;
                rules.attached_per_minute = documented.attached_per_minute;
                rules.rate_headers = true;
            }
            "--forget" => rules.keep_bytes = false,
            _ => return Err(format!("unknown argument `{arg}`, see --help")),
        }
    }
    Ok(Some((rules, port)))
}
