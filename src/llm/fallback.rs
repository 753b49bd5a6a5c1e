//! `MODEL_FALLBACK`: another backend answers when the first one fails, and that is told.
//!
//! Only as long as nothing was told: two halves of different answers are none.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, StreamExt as _};

use crate::llm::{ChatModel, ChatRequest, LlmError, ModelEvent};
use crate::model::item::{Beside, Cue};
use crate::model::thread::ItemContent;

/// Two backends.
pub struct Fallback {
    /// Who answers.
    pub first: Arc<dyn ChatModel>,
    /// Who answers when the first one fails.
    pub then: Arc<dyn ChatModel>,
}

type Events = BoxStream<'static, Result<ModelEvent, LlmError>>;

impl ChatModel for Fallback {
    fn name(&self) -> &'static str {
        self.first.name()
    }

    fn needs_hits(&self) -> bool {
        self.first.needs_hits() || self.then.needs_hits()
    }

    fn takes(&self, cue: &Cue) -> bool {
        self.first.takes(cue)
    }

    fn act<'a>(&'a self, request: &'a ChatRequest) -> BoxFuture<'a, Result<Option<ItemContent>, LlmError>> {
        self.first.act(request)
    }

    fn stream(&self, request: ChatRequest) -> Events {
        let answering =
            Answering { events: self.first.stream(request.clone()), second: Some((Arc::clone(&self.then), request)) };
        stream::unfold(answering, |mut answering| async { Some((answering.next().await?, answering)) }).boxed()
    }
}

struct Answering {
    events: Events,
    /// Who may still step in.
    second: Option<(Arc<dyn ChatModel>, ChatRequest)>,
}

impl Answering {
    async fn next(&mut self) -> Option<Result<ModelEvent, LlmError>> {
        let event = self.events.next().await?;
        match event {
            Err(error) => Some(self.fall_back(error)),
            Ok(event) => {
                if is_told(&event) {
                    self.second = None;
                }
                Some(Ok(event))
            }
        }
    }

    fn fall_back(&mut self, error: LlmError) -> Result<ModelEvent, LlmError> {
        // What the model's rules forbid is not answered by one without such rules.
        let may_step_in = |(second, request): &(Arc<dyn ChatModel>, ChatRequest)| {
            second.takes(&request.cue) && !matches!(error, LlmError::Declined(_))
        };
        let Some((second, request)) = self.second.take().filter(may_step_in) else {
            return Err(error);
        };
        tracing::warn!(code = error.code(), backend = second.name(), "another backend answers: {error}");
        self.events = second.stream(request);
        Ok(ModelEvent::Beside(Beside::FellBack))
    }
}

/// Whether a visitor sees something of the answer now.
fn is_told(event: &ModelEvent) -> bool {
    !matches!(
        event,
        ModelEvent::Beside(Beside::Retrying | Beside::Progress { .. })
            | ModelEvent::InventedMarker
            | ModelEvent::Found(_)
            | ModelEvent::Used(_)
    )
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt as _;

    use super::*;

    /// Says these texts, and fails.
    struct Failing(&'static [&'static str]);

    impl ChatModel for Failing {
        fn name(&self) -> &'static str {
            "failing"
        }

        fn stream(&self, _request: ChatRequest) -> Events {
            let texts = stream::iter(self.0).map(|text| Ok(ModelEvent::Text((*text).to_owned())));
            let end = [Ok(ModelEvent::Beside(Beside::Retrying)), Err(LlmError::Busy("try later".to_owned()))];
            texts.chain(stream::iter(end)).boxed()
        }
    }

    struct Saying;

    impl ChatModel for Saying {
        fn name(&self) -> &'static str {
            "saying"
        }

        fn stream(&self, _request: ChatRequest) -> Events {
            stream::iter([Ok(ModelEvent::Text("Five days.".to_owned()))]).boxed()
        }
    }

    async fn events(texts: &'static [&'static str]) -> Vec<Result<ModelEvent, LlmError>> {
        let fallback = Fallback { first: Arc::new(Failing(texts)), then: Arc::new(Saying) };
        fallback.stream(ChatRequest::default()).collect().await
    }

    /// M8: another backend answers, and says so, as long as nothing was told.
    #[tokio::test]
    async fn the_second_answers_only_if_the_first_told_nothing() {
        let events_of_none = events(&[]).await;
        let [
            Ok(ModelEvent::Beside(Beside::Retrying)),
            Ok(ModelEvent::Beside(Beside::FellBack)),
            Ok(ModelEvent::Text(text)),
        ] = &events_of_none[..]
        else {
            panic!("{events_of_none:?}");
        };
        assert_eq!(text, "Five days.");
        let begun = events(&["Fi"]).await;
        assert!(matches!(begun.last(), Some(Err(LlmError::Busy(_)))), "{begun:?}");
    }
}
