//! Whom `ask` and `chat` talk to: the engine in this process, or a server by its URL.

mod failure;
mod local;
mod remote;

use std::fmt::Write as _;

use serde::Serialize;

use crate::cmd::{Ctx, Overrides};
use crate::error::Failure;
use crate::model::Locator;
use crate::ui::Format;
use crate::ui::term::clean;

use self::local::LocalBot;
use self::remote::RemoteBot;

/// Said of a source whose place in its document is not known.
const UNLOCATED: &str = ", place not known";

/// Flags of the commands that talk to a bot.
#[derive(Debug, Default, clap::Args)]
pub struct BotArgs {
    /// Ask a running server instead, for example http://127.0.0.1:8002
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// Folder of the documents [default: DOCS_DIR]
    #[arg(long, value_name = "DIR", conflicts_with = "url")]
    pub docs_dir: Option<String>,
    /// Folder of the index [default: STATE_DIR]
    #[arg(long, value_name = "DIR", conflicts_with = "url")]
    pub state_dir: Option<String>,
    /// Who answers: extractive, openai, chat or stub [default: MODEL_BACKEND]
    #[arg(long, value_name = "NAME", conflicts_with = "url")]
    pub model_backend: Option<String>,
    /// Answer from the index as it is, without looking at the documents first
    #[arg(long, conflicts_with = "url")]
    pub no_sync: bool,
}

impl BotArgs {
    fn overrides(&self) -> Overrides {
        let flags =
            [("DOCS_DIR", &self.docs_dir), ("STATE_DIR", &self.state_dir), ("MODEL_BACKEND", &self.model_backend)];
        flags.into_iter().filter_map(|(key, value)| Some((key, value.clone()?))).collect()
    }
}

/// One answer as the commands show it.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Reply {
    /// The question.
    pub question: String,
    /// The answer.
    pub answer: String,
    /// Whether the bot says that the documents do not answer; a server does not tell.
    pub refused: Option<bool>,
    /// Where the answer comes from, in the order of the text.
    pub citations: Vec<Source>,
    /// The thread at the server.
    pub thread_id: Option<String>,
}

/// Where a part of an answer comes from.
#[derive(Debug, Clone, Serialize)]
pub struct Source {
    /// The document's id.
    pub document_id: String,
    /// Its path, relative to the documents folder; from a server its file name.
    pub path: String,
    /// Its title.
    pub title: String,
    /// Where in it the quote stands.
    pub locator: Locator,
    /// Its words.
    pub quote: String,
    /// Whether the place is known; otherwise the document alone is.
    pub located: bool,
    /// Position in the answer, in code points.
    pub index: Option<usize>,
}

/// The other side of a conversation.
pub enum Bot {
    /// The engine in this process.
    Local(Box<LocalBot>),
    /// A server.
    Remote(RemoteBot),
}

impl Bot {
    /// Opens the bot that the flags name.
    pub async fn open(args: &BotArgs, ctx: &Ctx) -> Result<Self, Failure> {
        if let Some(url) = &args.url {
            return Ok(Self::Remote(RemoteBot::open(url)?));
        }
        let settings = ctx.settings(args.overrides())?;
        Ok(Self::Local(Box::new(LocalBot::open(&settings, !args.no_sync, ctx).await?)))
    }

    /// Asks; `ctx` shows the text as it comes where a person reads.
    pub async fn ask(&mut self, question: &str, ctx: &Ctx) -> Result<Reply, Failure> {
        let mut shown = Shown { ctx, live: ctx.out.format == Format::Human, places: Vec::new(), has_text: false };
        let reply = match self {
            Self::Local(bot) => bot.ask(question, &mut shown).await,
            Self::Remote(bot) => bot.ask(question, &mut shown).await,
        };
        if reply.is_err() && shown.has_text {
            // What is told of the failure begins its own line.
            ctx.out.piece("\n")?;
        }
        let reply = reply?;
        if shown.live {
            ctx.out.result(&shown.sources())?;
        }
        Ok(reply)
    }
}

/// Shows text as it comes, with a number after what a source supports.
struct Shown<'a> {
    ctx: &'a Ctx,
    live: bool,
    /// Places cited so far, each once.
    places: Vec<String>,
    /// Whether any text was shown.
    has_text: bool,
}

impl Shown<'_> {
    fn delta(&mut self, text: &str) -> Result<(), Failure> {
        if !self.live {
            return Ok(());
        }
        self.has_text |= !text.is_empty();
        self.ctx.out.piece(&clean(text))
    }

    fn warn(&self, text: &str) {
        self.ctx.out.warn(text);
    }

    fn cite(&mut self, source: &Source) -> Result<(), Failure> {
        let place = if source.located { place(&source.locator) } else { UNLOCATED.to_owned() };
        let line = format!("{} ({}{place})", clean(&source.title), clean(&source.path));
        let number = self.places.iter().position(|place| *place == line).unwrap_or_else(|| {
            self.places.push(line);
            self.places.len() - 1
        });
        self.delta(&format!(" [{}]", number + 1))
    }

    /// The list under an answer.
    fn sources(&self) -> String {
        let mut text = String::from("\n");
        for (number, line) in self.places.iter().enumerate() {
            let heading = if number == 0 { "\nSources:\n" } else { "" };
            let _ = writeln!(text, "{heading}  [{}] {line}", number + 1);
        }
        text
    }
}

/// Lines are told only where nothing else is known: two quotes from one section are one place.
fn place(locator: &Locator) -> String {
    let counted = locator.page.or(locator.slide).is_some() || locator.rows.is_some();
    let named = counted || locator.sheet.is_some() || locator.heading.is_some();
    let place = Locator { lines: locator.lines.filter(|_| !named), ..locator.clone() }.describe();
    if place.is_empty() { place } else { format!(", {}", clean(&place)) }
}
