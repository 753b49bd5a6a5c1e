//! What every place of bytes promises, tried on the folder.

use std::io::Read as _;

use super::{BlobError, BlobName, BlobStore, DerivedKind, FolderBlobs};

const HELLO: &str = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

fn text(mut file: std::fs::File) -> String {
    let mut text = String::new();
    file.read_to_string(&mut text).unwrap();
    text
}

async fn kept(blobs: &FolderBlobs, bytes: &[u8]) -> BlobName {
    let staged = blobs.stage(&mut &*bytes, 1_000_000).await.unwrap();
    let name = staged.name.clone();
    blobs.keep(staged).await.unwrap();
    name
}

/// D9: the name is the hash of the bytes, and a caller's word is no name.
#[tokio::test]
async fn bytes_are_kept_under_their_hash_alone() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("attachments");
    let blobs = FolderBlobs::new(root.clone());
    let name = kept(&blobs, b"hello").await;
    assert_eq!(name.as_str(), HELLO);
    assert_eq!(kept(&blobs, b"hello").await, name, "equal bytes are one");
    assert_eq!(text(blobs.get(&name).await.unwrap()), "hello");
    assert_eq!(blobs.list().await.unwrap(), std::slice::from_ref(&name));
    assert!(root.join(&HELLO[..2]).join(&HELLO[2..]).is_file());
    for no_name in ["", "../../etc/passwd", &HELLO[1..], &HELLO.to_uppercase(), &format!("{HELLO}/x")] {
        assert_eq!(BlobName::parse(no_name), None, "{no_name}");
    }
    assert_eq!(DerivedKind::new("../Plain Text").as_str(), "plaintext");
    blobs.delete(&name).await.unwrap();
    blobs.delete(&name).await.unwrap();
    assert!(matches!(blobs.get(&name).await, Err(BlobError::Absent)));
    assert!(blobs.list().await.unwrap().is_empty());
}

/// H1: the bound holds for bytes that come, whatever was announced; nothing of them stays.
#[tokio::test]
async fn what_is_too_large_or_given_up_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = FolderBlobs::new(folder.path().to_owned());
    for size in [0, 1, 128 * 1024 - 1, 128 * 1024, 128 * 1024 + 1] {
        let bytes = vec![b'x'; size];
        let staged = blobs.stage(&mut &bytes[..], size as u64).await.unwrap();
        assert_eq!(staged.bytes, size as u64);
        if size > 0 {
            let refused = blobs.stage(&mut &bytes[..], size as u64 - 1).await.unwrap_err();
            assert!(matches!(refused, BlobError::TooLarge(_)), "{size}: {refused}");
        }
    }
    assert_eq!(std::fs::read_dir(folder.path().join("incoming")).unwrap().count(), 0);
    assert!(blobs.list().await.unwrap().is_empty());
}

/// D12, of bytes: what a kill leaves half-done is never seen, and gone after the next start.
#[tokio::test]
async fn half_files_are_invisible_and_removed_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = FolderBlobs::new(folder.path().to_owned());
    let name = kept(&blobs, b"hello").await;
    let staged = blobs.stage(&mut &b"half"[..], 10).await.unwrap();
    // As a kill does: nobody removes the file.
    std::mem::forget(staged);
    assert_eq!(blobs.list().await.unwrap(), [name]);
    assert_eq!(std::fs::read_dir(folder.path().join("incoming")).unwrap().count(), 1);
    blobs.recover().await.unwrap();
    blobs.recover().await.unwrap();
    assert!(!folder.path().join("incoming").exists());
}

/// S3: what was derived from bytes goes with them, and is found when only it is left.
#[tokio::test]
async fn what_is_derived_lives_as_long_as_its_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = FolderBlobs::new(folder.path().to_owned());
    let name = kept(&blobs, b"hello").await;
    let kind = DerivedKind::new("md");
    assert_eq!(blobs.derived(&name, &kind).await.unwrap(), None);
    blobs.put_derived(&name, &kind, b"text".to_vec()).await.unwrap();
    assert_eq!(blobs.derived(&name, &kind).await.unwrap(), Some(b"text".to_vec()));
    assert_eq!(blobs.derived(&name, &DerivedKind::new("txt")).await.unwrap(), None);
    let place = folder.path().join(&HELLO[..2]);
    std::fs::remove_file(place.join(&HELLO[2..])).unwrap();
    assert_eq!(blobs.list().await.unwrap(), std::slice::from_ref(&name), "an orphan is listed, to be removed");
    blobs.delete(&name).await.unwrap();
    assert_eq!(std::fs::read_dir(&place).unwrap().count(), 0);
    assert!(matches!(blobs.put_derived(&name, &kind, Vec::new()).await, Err(BlobError::Absent)));
}

/// D2: no link in the folder is followed, neither to a file nor to a folder, and a pipe is not waited for.
#[cfg(unix)]
#[tokio::test]
async fn links_and_pipes_in_the_folder_are_refused() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("attachments");
    let blobs = FolderBlobs::new(root.clone());
    let name = kept(&blobs, b"hello").await;
    let (shard, file) = (root.join(&HELLO[..2]), root.join(&HELLO[..2]).join(&HELLO[2..]));
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&file), mode(&shard), mode(&root)), (0o600, 0o700, 0o700));

    let outside = folder.path().join("outside");
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join(&HELLO[2..]), "secret").unwrap();
    std::fs::remove_file(&file).unwrap();
    symlink(outside.join(&HELLO[2..]), &file).unwrap();
    assert!(blobs.get(&name).await.is_err(), "a link to a file");
    std::fs::remove_file(&file).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&file).status().unwrap().success());
    assert!(blobs.get(&name).await.is_err(), "a pipe");
    std::fs::remove_dir_all(&shard).unwrap();
    symlink(&outside, &shard).unwrap();
    assert!(blobs.get(&name).await.is_err(), "a link to a folder");
    assert!(blobs.list().await.unwrap().is_empty(), "nothing outside is listed");
    blobs.delete(&name).await.unwrap();
    assert!(outside.join(&HELLO[2..]).exists(), "nothing outside is removed");
}
