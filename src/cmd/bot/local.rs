//! The engine in this process.

use futures_util::StreamExt;
use tokio::task::JoinHandle;

use crate::answer::{AnswerEvent, Engine, Turn};
use crate::app::{self, Watch};
use crate::clock::SystemClock;
use crate::cmd::Ctx;
use crate::cmd::bot::failure::failed;
use crate::cmd::bot::{Reply, Shown, Source};
use crate::config::Settings;
use crate::error::Failure;
use crate::event::Silent;
use crate::llm::Exchange;
use crate::llm::models::Chosen;
use crate::model::item::Beside;
use crate::model::{Answer, Citation};

/// Told where another backend answers.
const FELL_BACK: &str = "the language model does not answer; these are the documents' own sentences";

/// Earlier turns that are kept.
const HISTORY: usize = 6;

/// The engine, and what was said.
pub struct LocalBot {
    engine: Engine,
    history: Vec<Exchange>,
    /// Says when the model ends, once the service has said so.
    news: Option<JoinHandle<Option<String>>>,
}

impl LocalBot {
    pub(super) async fn open(settings: &Settings, sync: bool, ctx: &Ctx) -> Result<Self, Failure> {
        let index = app::open_index(settings)?;
        if sync {
            let reader = app::open_reader();
            let watch = Watch { out: &ctx.out, reader: &*reader, observer: &Silent, stop: &ctx.stop };
            app::bring_up_to_date(settings, &index, watch).await?;
        }
        let engine = app::engine(settings, index)?;
        let news = app::models::load(settings)?.chosen.map(|chosen| watch(settings, chosen, ctx));
        Ok(Self { engine, history: Vec::new(), news })
    }

    pub(super) async fn ask(&mut self, question: &str, shown: &mut Shown<'_>) -> Result<Reply, Failure> {
        let turn = Turn { question: question.to_owned(), history: self.history.clone(), ..Turn::default() };
        let mut events = self.engine.answer(turn);
        let mut whole = Answer::default();
        while let Some(event) = events.next().await {
            match event.map_err(|error| failed(error, self.engine.model.name()))? {
                AnswerEvent::Delta(text) => shown.delta(&text)?,
                AnswerEvent::Citation(citation) => shown.cite(&source(citation))?,
                AnswerEvent::Beside(Beside::FellBack) => shown.warn(FELL_BACK),
                AnswerEvent::Retrieved { .. }
                | AnswerEvent::Link(_)
                | AnswerEvent::Beside(_)
                | AnswerEvent::Used(_) => {}
                AnswerEvent::Done(answer) => whole = answer,
            }
        }
        self.remember(question, &whole.text);
        if let Some(told) = self.news.take_if(|news| news.is_finished())
            && let Ok(Some(text)) = told.await
        {
            shown.warn(&text);
        }
        Ok(Reply {
            question: question.to_owned(),
            answer: whole.text,
            refused: Some(whole.refused),
            citations: whole.citations.into_iter().map(source).collect(),
            thread_id: None,
        })
    }

    fn remember(&mut self, question: &str, answer: &str) {
        self.history.push(Exchange { question: question.to_owned(), answer: answer.to_owned() });
        if self.history.len() > HISTORY {
            self.history.remove(0);
        }
    }
}

/// Warns of what is known about the model's end, and asks the service beside the answer. Nobody waits for what it says.
fn watch(settings: &Settings, chosen: Chosen, ctx: &Ctx) -> JoinHandle<Option<String>> {
    let word = |chosen: &Chosen| app::models::word_about(Some(chosen), &SystemClock).map(|life| life.describe());
    if let Some(text) = word(&chosen) {
        ctx.out.warn(&text);
    }
    let settings = settings.clone();
    tokio::spawn(async move { app::models::ask_service(&settings, &chosen).await.then(|| word(&chosen)).flatten() })
}

impl Drop for LocalBot {
    fn drop(&mut self) {
        if let Some(news) = self.news.take() {
            news.abort();
        }
    }
}

fn source(citation: Citation) -> Source {
    Source {
        document_id: citation.document_id,
        path: citation.path,
        title: citation.title,
        locator: citation.locator,
        quote: citation.quote,
        located: citation.located,
        index: Some(citation.index),
    }
}
