//! The engine in this process.

use futures_util::StreamExt;

use crate::answer::{AnswerError, AnswerEvent, Engine, Turn};
use crate::app::{self, Watch};
use crate::cmd::Ctx;
use crate::cmd::bot::{Reply, Shown, Source};
use crate::config::Settings;
use crate::error::Failure;
use crate::event::Silent;
use crate::exit::Exit;
use crate::llm::Exchange;
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
}

impl LocalBot {
    pub(super) async fn open(settings: &Settings, sync: bool, ctx: &Ctx) -> Result<Self, Failure> {
        let index = app::open_index(settings)?;
        if sync {
            let reader = app::open_reader();
            let watch = Watch { out: &ctx.out, reader: &*reader, observer: &Silent, stop: &ctx.stop };
            app::bring_up_to_date(settings, &index, watch).await?;
        }
        Ok(Self { engine: app::engine(settings, index)?, history: Vec::new() })
    }

    pub(super) async fn ask(&mut self, question: &str, shown: &mut Shown<'_>) -> Result<Reply, Failure> {
        let turn = Turn { question: question.to_owned(), history: self.history.clone(), ..Turn::default() };
        let mut events = self.engine.answer(turn);
        let mut whole = Answer::default();
        while let Some(event) = events.next().await {
            match event.map_err(failed)? {
                AnswerEvent::Delta(text) => shown.delta(&text)?,
                AnswerEvent::Citation(citation) => shown.cite(&citation.title, &citation.path, &citation.locator)?,
                AnswerEvent::Beside(Beside::FellBack) => shown.warn(FELL_BACK),
                AnswerEvent::Retrieved { .. }
                | AnswerEvent::Link(_)
                | AnswerEvent::Beside(_)
                | AnswerEvent::Used(_) => {}
                AnswerEvent::Done(answer) => whole = answer,
            }
        }
        self.remember(question, &whole.text);
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

fn failed(error: AnswerError) -> Failure {
    Failure::new("answer/failed", Exit::Temporary, "answer", error.to_string())
        .fix("try again; `chatbotctl docs status` shows the state of the index")
        .cause(error)
}
