//! `chat`: a conversation, a line a question.

use std::io::BufRead as _;

use tokio::sync::mpsc;

use crate::cmd::bot::{Bot, BotArgs};
use crate::cmd::{Ctx, help_end};
use crate::error::Failure;
use crate::exit::Exit;
use crate::ui::Format;

/// Longer lines are not questions.
const MAX_QUESTION_CHARS: usize = 16_000;

/// Talk with the bot: one question a line, Ctrl-D (or an empty line, on a terminal) ends
///
/// Questions come from standard input, so a file of questions works as well as a person. With --format jsonl
/// every answer is one JSON line.
#[derive(Debug, clap::Args)]
#[command(after_help = help_end!(
    "chatbotctl chat" => "talk about the documents here",
    "chatbotctl chat --url http://127.0.0.1:8002" => "talk with a running server",
    "chatbotctl chat --format jsonl < questions.txt" => "answer each line of a file"
))]
pub struct Args {
    #[command(flatten)]
    bot: BotArgs,
}

/// Runs the command.
pub async fn run(args: Args, ctx: &Ctx) -> Result<Exit, Failure> {
    if ctx.out.format == Format::Json {
        let why = "a conversation is many documents, and --format json prints one";
        return Err(Failure::new("chat/format", Exit::Usage, "chat", why).fix("chatbotctl chat --format jsonl"));
    }
    let mut bot = Bot::open(&args.bot, ctx).await?;
    let mut lines = read_lines();
    loop {
        ctx.out.prompt("> ");
        let line = tokio::select! {
            line = lines.recv() => line,
            () = ctx.stop.cancelled() => return Ok(Exit::Interrupted),
        };
        let Some(line) = line else { return Ok(Exit::Good) };
        let line = line.map_err(|error| {
            Failure::new("chat/unreadable", Exit::Usage, "read the next question", error.to_string())
                .fix("give questions as UTF-8 text, one a line")
        })?;
        let question = line.trim();
        if question.is_empty() && ctx.out.term.interactive {
            return Ok(Exit::Good);
        }
        if question.is_empty() {
            continue;
        }
        if question.chars().count() > MAX_QUESTION_CHARS {
            ctx.out.warn(&format!("the question is longer than {MAX_QUESTION_CHARS} characters and was not asked"));
            continue;
        }
        let reply = tokio::select! {
            reply = bot.ask(question, ctx) => reply,
            () = ctx.stop.cancelled() => return Ok(Exit::Interrupted),
        };
        match reply {
            Ok(reply) if ctx.out.format != Format::Human => ctx.out.json_line(&reply)?,
            Ok(_) => {}
            // One answer that failed does not end a conversation.
            Err(failure) if is_of_one_question(&failure) => ctx.out.failure(&failure),
            Err(failure) => return Err(failure),
        }
    }
}

/// Whether the next question may fare better.
fn is_of_one_question(failure: &Failure) -> bool {
    failure.exit == Exit::Temporary || matches!(failure.code, "answer/refused" | "answer/declined")
}

/// Standard input line by line. A thread of its own waits for it: no signal could end an async read of it.
fn read_lines() -> mpsc::Receiver<std::io::Result<String>> {
    let (sender, receiver) = mpsc::channel(1);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            if sender.blocking_send(line).is_err() {
                break;
            }
        }
    });
    receiver
}
