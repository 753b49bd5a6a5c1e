//! Whole lists of an account, page by page.
//!
//! A service that says "more" and gives no new row would be asked for ever; that is an error here.

use crate::openai::file::File;
use crate::openai::vector_store::{FileStatus, StoreFile, VectorStore};
use crate::openai::{Client, ErrorKind, FailedCall, OpenAiError, Page};

/// Every vector store that the key sees, newest first.
pub async fn all_stores(client: &Client) -> Result<Vec<VectorStore>, OpenAiError> {
    let mut rows: Vec<VectorStore> = Vec::new();
    loop {
        let after = rows.last().map(|store| store.id.clone());
        let page = client.stores(after.as_deref()).await?;
        if !take(&mut rows, page, "GET /vector_stores", |store| &store.id)? {
            return Ok(rows);
        }
    }
}

/// Every file for retrieval that the key sees, newest first.
pub async fn all_files(client: &Client) -> Result<Vec<File>, OpenAiError> {
    let mut rows: Vec<File> = Vec::new();
    loop {
        let after = rows.last().map(|file| file.id.clone());
        let page = client.files(after.as_deref()).await?;
        if !take(&mut rows, page, "GET /files", |file| &file.id)? {
            return Ok(rows);
        }
    }
}

/// Every file of a store, oldest first, or those in one state.
pub async fn all_store_files(
    client: &Client,
    store_id: &str,
    only: Option<FileStatus>,
) -> Result<Vec<StoreFile>, OpenAiError> {
    let mut rows: Vec<StoreFile> = Vec::new();
    loop {
        let after = rows.last().map(|file| file.id.clone());
        let page = client.store_files(store_id, after.as_deref(), only).await?;
        if !take(&mut rows, page, "GET /vector_stores/{id}/files", |file| &file.id)? {
            return Ok(rows);
        }
    }
}

/// Adds a page. Says whether another one is to be asked for.
fn take<T>(rows: &mut Vec<T>, page: Page<T>, call: &str, id: fn(&T) -> &str) -> Result<bool, OpenAiError> {
    let Page { data, has_more, .. } = page;
    let is_new = data.last().is_some_and(|last| rows.last().is_none_or(|known| id(known) != id(last)));
    if has_more && !is_new {
        return Err(FailedCall::new(call, ErrorKind::Broken, "the list has more rows, and none of them comes").into());
    }
    rows.extend(data);
    Ok(has_more)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(ids: &[&str], has_more: bool) -> Page<String> {
        Page { data: ids.iter().map(|id| (*id).to_owned()).collect(), has_more, last_id: None }
    }

    #[test]
    fn pages_add_up_and_a_list_without_end_is_an_error() {
        let mut rows = Vec::new();
        assert_eq!(take(&mut rows, page(&["a", "b"], true), "GET /x", String::as_str), Ok(true));
        assert_eq!(take(&mut rows, page(&["c"], false), "GET /x", String::as_str), Ok(false));
        assert_eq!(rows, ["a", "b", "c"]);
        for endless in [page(&["c"], true), page(&[], true)] {
            assert_eq!(take(&mut rows, endless, "GET /x", String::as_str).unwrap_err().kind, ErrorKind::Broken);
        }
        assert_eq!(take(&mut rows, page(&[], false), "GET /x", String::as_str), Ok(false));
    }
}
