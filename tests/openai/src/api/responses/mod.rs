//! `/responses`: answers, streamed or whole, with a search in vector stores.

mod compose;
mod events;
pub(crate) mod input;
mod object;
mod request;
mod tools;

use serde_json::json;

use crate::api::fields::Checked;
use crate::api::{Asked, Refusal, Reply, conversations, models, stores};
use crate::script::Ending;
use crate::world::{KeptAnswer, Spent, World};

use request::Request;

/// One answer, made before its first word is sent.
pub(crate) struct Answer {
    pub(crate) id: String,
    pub(crate) created_at: u64,
    pub(crate) output: Vec<serde_json::Value>,
    pub(crate) ending: Ending,
    pub(crate) input_tokens: u64,
    pub(crate) output_tokens: u64,
    pub(crate) reasoning_tokens: u64,
}

pub(crate) fn create(world: &mut World, asked: &mut Asked) -> Checked<Reply> {
    let request = Request::read(&asked.fields())?;
    check_against_world(world, &request)?;
    let answer = compose::answer(world, &request);
    let spent = Spent { input_tokens: answer.input_tokens, output_tokens: answer.output_tokens, ..Spent::default() };
    world.spend(&request.model, spent);
    let whole = object::finished(&request, &answer);
    keep(world, &request, &answer, &whole);
    if request.stream {
        return Ok(Reply::Events { events: events::of(&request, &answer, &whole), named: true });
    }
    if matches!(answer.ending, Ending::ErrorEvent(_)) {
        return Err(Refusal::server(500));
    }
    Ok(Reply::Json(whole))
}

pub(crate) fn get(world: &mut World, asked: &mut Asked) -> Checked<Reply> {
    asked.query.only(&["include", "stream", "starting_after", "include_obfuscation"])?;
    let kept = world.answers.get(asked.param(0));
    let kept = kept.ok_or_else(|| Refusal::not_found("response", asked.param(0)))?;
    Ok(Reply::Json(kept.answer.clone()))
}

pub(crate) fn delete(world: &mut World, asked: &mut Asked) -> Checked<Reply> {
    let id = asked.param(0);
    world.answers.remove(id).ok_or_else(|| Refusal::not_found("response", id))?;
    Ok(Reply::Json(json!({"id": id, "object": "response", "deleted": true})))
}

pub(crate) fn cancel(world: &mut World, asked: &mut Asked) -> Checked<Reply> {
    let id = asked.param(0);
    world.answers.get(id).ok_or_else(|| Refusal::not_found("response", id))?;
    Err(Refusal::malformed("Cannot cancel a synchronous response."))
}

fn check_against_world(world: &mut World, request: &Request) -> Checked<()> {
    models::check(world, &request.model)?;
    if !models::writes(&request.model) {
        return Err(Refusal::value("model", "it writes no text"));
    }
    if let Some(id) = &request.previous
        && world.answers.get(id).is_none()
    {
        let message = format!("Previous response with id '{id}' not found.");
        return Err(Refusal::bad("previous_response_not_found", "previous_response_id", message));
    }
    if let Some(id) = &request.conversation
        && world.conversations.get(id).is_none()
    {
        return Err(Refusal::not_found("conversation", id));
    }
    for id in request.searches.iter().flat_map(|search| &search.store_ids) {
        stores::usable(world, id)?;
    }
    if request.input_tokens() > world.rules.context_tokens {
        let message = "Your input exceeds the context window of this model. Please adjust your input and try again.";
        return Err(Refusal::bad("context_length_exceeded", "input", message));
    }
    Ok(())
}

fn keep(world: &mut World, request: &Request, answer: &Answer, whole: &serde_json::Value) {
    if request.store {
        world.answers.put(answer.id.clone(), KeptAnswer { answer: whole.clone() });
    }
    let Some(id) = &request.conversation else { return };
    let said = answer.output.iter().cloned();
    conversations::append(world, id, request.items.iter().cloned().chain(said).collect());
}
