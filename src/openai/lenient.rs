//! Fields that servers leave out, set to null or fill with something else.
//!
//! One odd row must not hide a whole list, so what can be done without becomes its default. What cannot, such as an id
//! or a status, is read as it is promised.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::openai::vector_store::{Attribute, Attributes};

/// The value, or the default for null. Needs `#[serde(default)]` beside it, for what is missing.
pub(super) fn or_default<'de, D: Deserializer<'de>, T>(deserializer: D) -> Result<T, D::Error>
where
    T: Deserialize<'de> + Default,
{
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// The pairs whose values are texts.
pub(super) fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<BTreeMap<String, String>>, D::Error> {
    pairs(deserializer, |value| value.as_str().map(str::to_owned))
}

/// The pairs that may be attached to a file.
pub(super) fn attributes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Attributes>, D::Error> {
    pairs(deserializer, Attribute::read)
}

fn pairs<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    read: fn(&Value) -> Option<T>,
) -> Result<Option<BTreeMap<String, T>>, D::Error> {
    let pairs = Option::<BTreeMap<String, Value>>::deserialize(deserializer)?;
    Ok(pairs.map(|pairs| pairs.into_iter().filter_map(|(key, value)| Some((key, read(&value)?))).collect()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::openai::Page;
    use crate::openai::file::File;
    use crate::openai::search::Found;
    use crate::openai::vector_store::{FileStatus, StoreFile, VectorStore};

    #[test]
    fn an_odd_row_hides_no_list() {
        let rows = json!({ "data": [
            { "id": "vs_1", "name": null, "created_at": null, "usage_bytes": null, "file_counts": null, "status": null,
              "metadata": { "made_by": "us", "number": 7, "nothing": null } },
            { "id": "vs_2", "file_counts": { "total": null } },
        ], "has_more": null, "last_id": null });
        let page: Page<VectorStore> = serde_json::from_value(rows).unwrap();
        assert_eq!(page.data[0].metadata, Some(BTreeMap::from([("made_by".to_owned(), "us".to_owned())])));
        assert!(page.data.len() == 2 && !page.has_more);

        let row = json!({ "id": "file-1", "status": "completed", "created_at": null, "usage_bytes": null, "last_error": null,
            "attributes": { "path": "a.md", "size": 7, "flag": true, "list": [1], "nothing": null } });
        let file: StoreFile = serde_json::from_value(row).unwrap();
        let keys: Vec<String> = file.attributes.unwrap().into_keys().collect();
        assert_eq!((file.status, keys.join(" ").as_str()), (FileStatus::Completed, "flag path size"));

        let row = json!({ "id": "file-1", "bytes": null, "created_at": null, "filename": null, "purpose": null });
        assert_eq!(serde_json::from_value::<File>(row).unwrap().filename, "");

        let row =
            json!({ "file_id": "file-1", "filename": null, "score": null, "attributes": { "x": {} }, "content": null });
        assert_eq!(serde_json::from_value::<Found>(row).unwrap().attributes, Some(Attributes::new()));
    }

    #[test]
    fn what_cannot_be_done_without_is_promised() {
        assert!(serde_json::from_value::<StoreFile>(json!({ "id": null, "status": "completed" })).is_err());
        assert!(serde_json::from_value::<StoreFile>(json!({ "id": "file-1" })).is_err());
    }
}
