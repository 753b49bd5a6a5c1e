//! The table of calls.

use crate::api::{
    Run, batches, chat, conversations, embeddings, files, models, moderations, organization, responses, search,
    store_files, stores, uploads,
};

/// A call: method, path template, kind of body, handler.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) method: &'static str,
    pub(crate) template: &'static str,
    pub(crate) takes: Takes,
    pub(crate) run: Run,
}

/// The kind of body a call takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takes {
    Nothing,
    Json,
    /// A form with a file of the first size.
    File,
    /// A form with a part of an upload.
    Part,
}

/// What a method and a path lead to.
pub(crate) enum Found {
    Route(&'static Route, Vec<String>),
    OtherMethod,
    Nothing,
}

const fn row(method: &'static str, template: &'static str, takes: Takes, run: Run) -> Route {
    Route { method, template, takes, run }
}

const GET: &str = "GET";
const POST: &str = "POST";
const DELETE: &str = "DELETE";

/// Every call there is.
pub(crate) const ROUTES: &[Route] = &[
    row(GET, "/files", Takes::Nothing, files::list),
    row(POST, "/files", Takes::File, files::create),
    row(GET, "/files/{file_id}", Takes::Nothing, files::get),
    row(DELETE, "/files/{file_id}", Takes::Nothing, files::delete),
    row(GET, "/files/{file_id}/content", Takes::Nothing, files::content),
    row(POST, "/uploads", Takes::Json, uploads::create),
    row(POST, "/uploads/{upload_id}/parts", Takes::Part, uploads::add_part),
    row(POST, "/uploads/{upload_id}/complete", Takes::Json, uploads::complete),
    row(POST, "/uploads/{upload_id}/cancel", Takes::Nothing, uploads::cancel),
    row(GET, "/vector_stores", Takes::Nothing, stores::list),
    row(POST, "/vector_stores", Takes::Json, stores::create),
    row(GET, "/vector_stores/{vector_store_id}", Takes::Nothing, stores::get),
    row(POST, "/vector_stores/{vector_store_id}", Takes::Json, stores::update),
    row(DELETE, "/vector_stores/{vector_store_id}", Takes::Nothing, stores::delete),
    row(POST, "/vector_stores/{vector_store_id}/search", Takes::Json, search::search),
    row(GET, "/vector_stores/{vector_store_id}/files", Takes::Nothing, store_files::list),
    row(POST, "/vector_stores/{vector_store_id}/files", Takes::Json, store_files::attach),
    row(GET, "/vector_stores/{vector_store_id}/files/{file_id}", Takes::Nothing, store_files::get),
    row(POST, "/vector_stores/{vector_store_id}/files/{file_id}", Takes::Json, store_files::update),
    row(DELETE, "/vector_stores/{vector_store_id}/files/{file_id}", Takes::Nothing, store_files::detach),
    row(GET, "/vector_stores/{vector_store_id}/files/{file_id}/content", Takes::Nothing, store_files::content),
    row(POST, "/vector_stores/{vector_store_id}/file_batches", Takes::Json, batches::create),
    row(GET, "/vector_stores/{vector_store_id}/file_batches/{batch_id}", Takes::Nothing, batches::get),
    row(POST, "/vector_stores/{vector_store_id}/file_batches/{batch_id}/cancel", Takes::Nothing, batches::cancel),
    row(GET, "/vector_stores/{vector_store_id}/file_batches/{batch_id}/files", Takes::Nothing, batches::files),
    row(POST, "/responses", Takes::Json, responses::create),
    row(GET, "/responses/{response_id}", Takes::Nothing, responses::get),
    row(DELETE, "/responses/{response_id}", Takes::Nothing, responses::delete),
    row(POST, "/responses/{response_id}/cancel", Takes::Nothing, responses::cancel),
    row(GET, "/models", Takes::Nothing, models::list),
    row(GET, "/models/{model}", Takes::Nothing, models::get),
    row(POST, "/conversations", Takes::Json, conversations::create),
    row(GET, "/conversations/{conversation_id}", Takes::Nothing, conversations::get),
    row(POST, "/conversations/{conversation_id}", Takes::Json, conversations::update),
    row(DELETE, "/conversations/{conversation_id}", Takes::Nothing, conversations::delete),
    row(GET, "/conversations/{conversation_id}/items", Takes::Nothing, conversations::items),
    row(POST, "/conversations/{conversation_id}/items", Takes::Json, conversations::add_items),
    row(POST, "/moderations", Takes::Json, moderations::create),
    row(POST, "/embeddings", Takes::Json, embeddings::create),
    row(POST, "/chat/completions", Takes::Json, chat::create),
    row(GET, "/organization/costs", Takes::Nothing, organization::costs),
    row(GET, "/organization/usage/completions", Takes::Nothing, organization::completions),
    row(GET, "/organization/usage/embeddings", Takes::Nothing, organization::embeddings),
    row(GET, "/organization/usage/vector_stores", Takes::Nothing, organization::vector_stores),
    row(GET, "/organization/usage/file_search_calls", Takes::Nothing, organization::searches),
];

impl Route {
    /// Whether it needs the key of an administrator.
    pub(crate) fn is_for_admins(&self) -> bool {
        self.template.starts_with("/organization/")
    }
}

/// Finds the route of a path below `/v1`.
pub(crate) fn find(method: &str, path: &str) -> Found {
    let mut found = Found::Nothing;
    for route in ROUTES {
        let Some(params) = params(route.template, path) else { continue };
        if route.method == method {
            return Found::Route(route, params);
        }
        found = Found::OtherMethod;
    }
    found
}

/// What stands in the braces, if the path fits.
fn params(template: &str, path: &str) -> Option<Vec<String>> {
    let mut params = Vec::new();
    let mut parts = path.trim_start_matches('/').split('/');
    for wanted in template.trim_start_matches('/').split('/') {
        let part = parts.next()?;
        if wanted.starts_with('{') && !part.is_empty() {
            params.push(part.to_owned());
        } else if wanted != part {
            return None;
        }
    }
    parts.next().is_none().then_some(params)
}
