//! The plan as a pure function: any store, any folder.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::docs::walk::FoundFile;
use crate::hosted::name::{Name, store_mark};
use crate::hosted::prepare::{self, Described};
use crate::openai::vector_store::VectorStore;

const STORE: &str = "vs_1";

fn described(id: u8, path: &str, content: u8, tag: u8) -> Described {
    Described {
        document_id: format!("d{id}"),
        path: path.to_owned(),
        sha256: format!("hash{content}"),
        tags: vec![format!("t{tag}")],
        ..Described::default()
    }
}

fn wanted(id: u8, content: u8, tag: u8) -> Wanted {
    let described = described(id, &format!("n{id}.md"), content, tag);
    Wanted {
        document_id: described.document_id.clone(),
        file: FoundFile { path: described.path.clone(), bytes: 1, ..FoundFile::default() },
        sha256: described.sha256.clone(),
        recipe: prepare::recipe(&described),
        form: prepare::form_of(&described.path),
        attributes: prepare::attributes(&described).unwrap(),
    }
}

/// One file of the store: document, content, tag, state.
type Version = (u8, u8, u8, FileStatus);

fn remote_file(number: usize, (id, content, tag, status): Version) -> RemoteFile {
    let described = described(id, &format!("n{id}.md"), content, tag);
    RemoteFile {
        file_id: format!("file-{number}"),
        document_id: described.document_id.clone(),
        path: described.path.clone(),
        sha256: described.sha256.clone(),
        recipe: prepare::recipe(&described),
        status,
        error: None,
        attached_at: i64::try_from(number).unwrap(),
        usage_bytes: 1,
        attributes: prepare::attributes(&described).unwrap(),
    }
}

fn orphan(number: usize, (id, content): (u8, u8)) -> Unattached {
    let wanted = wanted(id, content, 0);
    let content = content_mark(&wanted.document_id, &wanted.sha256, &wanted.recipe);
    let name = Name { store: store_mark(STORE), content };
    let (file_id, filename) = (format!("loose-{number}"), name.render(&wanted.file.path, "md"));
    Unattached { file_id, filename, name, bytes: Some(1), created_at: 0 }
}

fn remote(files: Vec<RemoteFile>, orphans: Vec<Unattached>) -> Remote {
    let store: VectorStore = serde_json::from_value(serde_json::json!({ "id": STORE })).unwrap();
    let mut documents: BTreeMap<String, Vec<RemoteFile>> = BTreeMap::new();
    for file in files {
        documents.entry(file.document_id.clone()).or_default().push(file);
    }
    for files in documents.values_mut() {
        files.sort_by_key(|file| std::cmp::Reverse(file.attached_at));
    }
    Remote { store, documents, foreign: Vec::new(), orphans, elsewhere: Vec::new() }
}

/// What the store has when everything goes well.
fn carried_out(remote: &Remote, folder: &Folder, plan: &Plan) -> Remote {
    let mut files: BTreeMap<String, RemoteFile> =
        remote.documents.values().flatten().map(|file| (file.file_id.clone(), file.clone())).collect();
    let by_id: BTreeMap<&str, &Wanted> =
        folder.wanted.iter().map(|wanted| (wanted.document_id.as_str(), wanted)).collect();
    for file in &plan.drop {
        files.remove(&file.file_id);
    }
    let lists = [&plan.add, &plan.replace, &plan.relabel, &plan.resume, &plan.retry, &plan.remove];
    for (number, change) in lists.into_iter().flatten().enumerate() {
        for earlier in &change.earlier {
            files.remove(&earlier.file_id);
        }
        let Some(wanted) = by_id.get(change.document_id.as_str()) else { continue };
        let file_id = change.file_id.clone().unwrap_or_else(|| format!("new-{number}"));
        let attached_at = files.get(&file_id).map_or(1_000, |file| file.attached_at);
        let attributes = change.attributes.as_ref().unwrap_or(&wanted.attributes);
        let text = |name: &str| match &attributes[name] {
            Attribute::Text(text) => text.clone(),
            other => panic!("{name} is {other:?}"),
        };
        let file = RemoteFile {
            file_id: file_id.clone(),
            document_id: wanted.document_id.clone(),
            path: wanted.file.path.clone(),
            sha256: text(SHA256),
            recipe: text(RECIPE),
            status: FileStatus::Completed,
            error: None,
            attached_at,
            usage_bytes: 1,
            attributes: attributes.clone(),
        };
        files.insert(file_id, file);
    }
    self::remote(files.into_values().collect(), Vec::new())
}

fn status() -> impl Strategy<Value = FileStatus> {
    prop_oneof![
        4 => Just(FileStatus::Completed),
        1 => Just(FileStatus::InProgress),
        1 => Just(FileStatus::Failed),
        1 => Just(FileStatus::Cancelled),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn every_file_has_one_fate_and_what_is_found_is_never_let_go_before_its_successor(
        versions in proptest::collection::vec((0..5_u8, 0..3_u8, 0..2_u8, status()), 0..10),
        loose in proptest::collection::vec((0..5_u8, 0..3_u8), 0..4),
        documents in proptest::collection::btree_map(0..5_u8, (0..3_u8, 0..2_u8), 0..5),
        retry_failed in any::<bool>(),
    ) {
        let files = versions.into_iter().enumerate().map(|(at, version)| remote_file(at, version)).collect();
        let orphans = loose.into_iter().enumerate().map(|(at, version)| orphan(at, version)).collect();
        let remote = remote(files, orphans);
        let wanted = documents.into_iter().map(|(id, (content, tag))| wanted(id, content, tag)).collect();
        let folder = Folder { wanted, ..Folder::default() };
        let plan = plan(&remote, &folder, retry_failed);

        // Every document that is wanted has one place.
        let staying = [&plan.add, &plan.replace, &plan.relabel, &plan.resume, &plan.retry, &plan.keep];
        let placed: Vec<&str> = staying.into_iter().flatten().map(|change| change.document_id.as_str()).collect();
        let distinct: BTreeSet<&str> = placed.iter().copied().collect();
        prop_assert_eq!(distinct.len(), placed.len());
        for wanted in &folder.wanted {
            let failed = plan.failed.iter().any(|problem| problem.path == wanted.file.path);
            prop_assert!(distinct.contains(wanted.document_id.as_str()) || failed, "{:?}", wanted.document_id);
        }

        // Every file has one fate.
        let kept = staying.into_iter().flatten().filter_map(|change| change.file_id.as_deref());
        let all = [&plan.add, &plan.replace, &plan.relabel, &plan.resume, &plan.retry, &plan.remove];
        let earlier = all.into_iter().flatten().flat_map(|change| &change.earlier).map(|file| file.file_id.as_str());
        let loose = plan.drop.iter().chain(&plan.orphans).map(|file| file.file_id.as_str());
        let fates: Vec<&str> = kept.chain(earlier).chain(loose).collect();
        let once: BTreeSet<&str> = fates.iter().copied().collect();
        prop_assert_eq!(once.len(), fates.len());
        let files = remote.documents.values().flatten().count() + remote.orphans.len();
        // The version that failed stays as its own record.
        prop_assert_eq!(fates.len() + plan.failed.len(), files);

        // What goes at once, of a document that stays, has another version that is found now.
        for file in &plan.drop {
            let versions = remote.documents.values().find(|files| files.iter().any(|own| own.file_id == file.file_id));
            let versions = versions.unwrap();
            let searchable: Vec<&str> =
                versions.iter().filter(|own| own.is_searchable()).map(|own| own.file_id.as_str()).collect();
            let keeps = searchable.is_empty() || searchable.iter().any(|id| !plan.drop.iter().any(|gone| gone.file_id == *id));
            prop_assert!(keeps, "{:?}", searchable);
        }

        // Carried out, there is nothing left to do.
        let after = carried_out(&remote, &folder, &plan);
        let again = super::plan(&after, &folder, false);
        prop_assert!(!again.has_changes(), "{:#?}\nafter\n{:#?}", again, plan);
        prop_assert_eq!(again.failed.len(), plan.failed.len());
    }
}

#[test]
fn a_new_id_for_the_same_file_is_a_matter_of_attributes() {
    let remote = remote(vec![remote_file(0, (7, 1, 0, FileStatus::Completed))], Vec::new());
    let mut document = wanted(3, 1, 0);
    document.file.path = "n7.md".to_owned();
    let folder = Folder { wanted: vec![document], ..Folder::default() };
    let plan = plan(&remote, &folder, false);
    assert_eq!((plan.relabel.len(), plan.add.len(), plan.remove.len()), (1, 0, 0));
    assert_eq!(plan.relabel[0].file_id.as_deref(), Some("file-0"));
}

#[test]
fn an_upload_that_was_never_attached_is_attached_and_not_sent_again() {
    let remote = remote(Vec::new(), vec![orphan(0, (1, 1)), orphan(1, (1, 1)), orphan(2, (2, 2))]);
    let folder = Folder { wanted: vec![wanted(1, 1, 0)], ..Folder::default() };
    let plan = plan(&remote, &folder, false);
    assert_eq!((plan.add.len(), plan.upload_bytes(), plan.uploads().count()), (1, 0, 1));
    assert_eq!(plan.orphans.len(), 2);
}

#[test]
fn what_cannot_be_looked_at_stays() {
    let remote = remote(vec![remote_file(0, (1, 1, 0, FileStatus::Completed))], Vec::new());
    let problems = vec![Problem::new("n1.md", "document/unreadable", "no")];
    let folder = Folder { problems, ..Folder::default() };
    assert!(!plan(&remote, &folder, false).has_changes());
    let gone = plan(&remote, &Folder::default(), false);
    assert_eq!((gone.remove.len(), gone.remove[0].reason.as_str()), (1, "gone"));
}
