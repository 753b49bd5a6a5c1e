//! What the files of a thread give to a turn, and what a reader is told of those that give nothing.

use tokio::sync::OwnedSemaphorePermit;

use crate::chatkit::Event;
use crate::model::Hit;
use crate::model::attachment::Attachment;
use crate::model::item::NoticeLevel;
use crate::model::thread::UserMessage;
use crate::serve::answering::{Answering, Interruption};
use crate::serve::attachments::text;

/// Files without text that the model is told of at the most.
const MAX_NOTES: usize = 20;

/// The files of a thread as the engine wants them.
#[derive(Default)]
pub(super) struct Attached {
    /// Pieces of their text.
    pub(super) hits: Vec<Hit>,
    /// For the model: which files have none.
    pub(super) notes: Vec<String>,
    /// The right to hold the text.
    pub(super) place: Option<OwnedSemaphorePermit>,
}

impl Answering {
    /// Gathers the text of the thread's files, reading what is not read yet, and tells which of this message's files
    /// have none.
    pub(super) async fn attached(&self) -> Result<Attached, Interruption> {
        let attaches = |(_, message): &(String, UserMessage)| !message.attachments.is_empty();
        if self.question.is_new && !self.question.message.as_ref().is_some_and(attaches) {
            return Ok(Attached::default());
        }
        let (who, thread_id) = (&self.question.who, &self.question.thread.id);
        let found = tokio::select! {
            biased;
            interruption = self.interrupted() => return Err(interruption),
            found = text::of_thread(&self.state, who, thread_id) => found?,
        };
        for (attachment, why) in found.gaps.iter().filter(|(attachment, _)| self.is_of_this_message(attachment)) {
            let message = format!("{}: {why}.", in_markdown(&attachment.name));
            let title = Some("An attached file is not used as a whole");
            self.send(&Event::Notice { level: NoticeLevel::Warning, message: &message, title }).await?;
        }
        let note = |(attachment, why): &(Attachment, String)| {
            format!("The visitor attached a file named {:?}. Of its contents this is known: {why}.", attachment.name)
        };
        let notes = found.gaps.iter().take(MAX_NOTES).map(note).collect();
        Ok(Attached { hits: found.hits, notes, place: found.place })
    }

    fn is_of_this_message(&self, attachment: &Attachment) -> bool {
        let message = self.question.message.as_ref().map(|(_, message)| message);
        message.is_some_and(|message| message.attachments.iter().any(|own| own.id == attachment.id))
    }
}

/// A name that Markdown shows as it is: it must make no link and no picture.
fn in_markdown(name: &str) -> String {
    let escape = |each: char| "\\`*_[]()<>#!|~".contains(each).then_some('\\');
    name.chars().flat_map(|each| escape(each).into_iter().chain([each])).collect()
}

#[cfg(test)]
mod tests {
    use super::in_markdown;

    /// M4: a name makes no link and no picture.
    #[test]
    fn a_name_stays_text_in_markdown() {
        assert_eq!(in_markdown("![x](evil) ü.pdf"), "\\!\\[x\\]\\(evil\\) ü.pdf");
    }
}
