//! `ask`: one question, one answer with its sources.

use crate::cmd::bot::{Bot, BotArgs};
use crate::cmd::{Ctx, help_end};
use crate::error::Failure;
use crate::exit::Exit;
use crate::ui::Format;

/// Ask one question and print the answer with its sources
///
/// Without --url the documents are brought up to date first and answered from in this process.
#[derive(Debug, clap::Args)]
#[command(after_help = help_end!(
    "chatbotctl ask \"How long do refunds take?\"" => "answer from the documents here",
    "chatbotctl ask \"How long do refunds take?\" --url http://127.0.0.1:8002" => "ask a running server",
    "chatbotctl ask \"How long do refunds take?\" --format json" => "print `answer`, `refused` and `citations`"
))]
pub struct Args {
    /// The question
    #[arg(value_name = "QUESTION")]
    question: String,
    #[command(flatten)]
    bot: BotArgs,
}

/// Runs the command.
pub async fn run(args: Args, ctx: &Ctx) -> Result<Exit, Failure> {
    let question = args.question.trim();
    if question.is_empty() {
        return Err(Failure::new("ask/blank", Exit::Usage, "ask", "the question is blank")
            .fix("chatbotctl ask \"How long do refunds take?\""));
    }
    let mut bot = Bot::open(&args.bot, ctx).await?;
    let reply = tokio::select! {
        reply = bot.ask(question, ctx) => reply?,
        () = ctx.stop.cancelled() => return Ok(Exit::Interrupted),
    };
    match ctx.out.format {
        Format::Human => {}
        Format::Json => ctx.out.json("ask", &reply)?,
        Format::Jsonl => ctx.out.json_line(&reply)?,
    }
    Ok(Exit::Good)
}
