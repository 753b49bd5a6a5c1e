//! The file of vectors: each beside the hash of the text it stands for, so that no text is ever sent twice.
//!
//! The file only grows, one checked row after another, and each batch is on the disk before the next is asked for. A
//! row that a crash left half-written is skipped when reading and overwritten by the next batch.

use std::collections::{BTreeSet, HashMap};
use std::fs::{self, File, Metadata};
use std::io::{self, BufReader, BufWriter, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use crate::index::hybrid::temporary_in;

/// The hash of model and text.
pub type Key = [u8; 16];

const MAGIC: &[u8; 8] = b"cbctlv1\n";
const HEADER_BYTES: u64 = 12;
/// No model has more.
const MAX_DIMENSIONS: usize = 16_384;

/// All vectors of a file, in memory.
#[derive(Debug, Default, Clone)]
pub struct Rows {
    /// How many numbers a vector has; 0 while there is none.
    pub dimensions: usize,
    places: HashMap<Key, usize>,
    values: Vec<f32>,
}

impl Rows {
    /// The vector of a text.
    pub fn vector(&self, key: &Key) -> Option<&[f32]> {
        self.places.get(key).map(|place| self.at(*place))
    }

    /// Where the vector of a text stands, for [`Rows::at`].
    pub fn place(&self, key: &Key) -> Option<usize> {
        self.places.get(key).copied()
    }

    /// The vector at a place.
    pub fn at(&self, place: usize) -> &[f32] {
        &self.values[place * self.dimensions..(place + 1) * self.dimensions]
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    fn push(&mut self, key: Key, vector: &[f32]) {
        let place = self.values.len() / self.dimensions.max(1);
        self.values.extend_from_slice(vector);
        self.places.insert(key, place);
    }
}

/// Tells whether the file is still the one that was read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stamp(Option<(u64, Option<std::time::SystemTime>)>);

/// The stamp of the file as it is now.
pub fn stamp(path: &Path) -> Stamp {
    Stamp(fs::metadata(path).ok().map(|metadata: Metadata| (metadata.len(), metadata.modified().ok())))
}

/// Reads all whole rows; an absent file has none.
pub fn load(path: &Path) -> io::Result<Rows> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Rows::default()),
        Err(error) => return Err(error),
    };
    let mut reader = BufReader::with_capacity(1 << 20, file);
    let Some(dimensions) = read_header(&mut reader)? else { return Ok(Rows::default()) };
    let mut rows = Rows { dimensions, ..Rows::default() };
    let mut row = vec![0_u8; row_bytes(dimensions)];
    let mut vector = vec![0.0_f32; dimensions];
    while read_row(&mut reader, &mut row)? {
        let (body, check) = row.split_at(row.len() - 4);
        if crc32fast::hash(body).to_le_bytes() != check {
            continue;
        }
        let (key, numbers) = body.split_at(16);
        for (value, bytes) in vector.iter_mut().zip(numbers.chunks_exact(4)) {
            *value = f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        }
        let mut name = Key::default();
        name.copy_from_slice(key);
        rows.push(name, &vector);
    }
    Ok(rows)
}

/// Adds rows and waits until they are on the disk. Vectors of another length than the file's are refused.
pub fn append(path: &Path, rows: &[(Key, Vec<f32>)]) -> io::Result<()> {
    let Some(dimensions) = rows.first().map(|(_, vector)| vector.len()) else { return Ok(()) };
    if dimensions > MAX_DIMENSIONS || rows.iter().any(|(_, vector)| vector.len() != dimensions) {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "vectors of different or absurd lengths"));
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = File::options().create(true).truncate(false).read(true).write(true).open(path)?;
    let whole = match read_header(&mut file)? {
        None => {
            file.set_len(0)?;
            file.seek(SeekFrom::Start(0))?;
            file.write_all(MAGIC)?;
            file.write_all(&u32::try_from(dimensions).unwrap_or(u32::MAX).to_le_bytes())?;
            HEADER_BYTES
        }
        Some(found) if found != dimensions => {
            let message = format!("the vectors have {dimensions} numbers now and had {found}");
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        Some(_) => {
            let row = row_bytes(dimensions) as u64;
            HEADER_BYTES + (file.metadata()?.len() - HEADER_BYTES) / row * row
        }
    };
    file.set_len(whole)?;
    file.seek(SeekFrom::End(0))?;
    let mut writer = BufWriter::new(file);
    rows.iter().try_for_each(|(key, vector)| write_row(&mut writer, key, vector))?;
    writer.into_inner().map_err(io::IntoInnerError::into_error)?.sync_data()
}

/// Writes the file anew with the rows that are wanted, whole or not at all.
pub fn compact(path: &Path, rows: &Rows, wanted: &BTreeSet<Key>) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut temporary = temporary_in(folder)?;
    {
        let mut writer = BufWriter::new(temporary.as_file_mut());
        writer.write_all(MAGIC)?;
        writer.write_all(&u32::try_from(rows.dimensions).unwrap_or(u32::MAX).to_le_bytes())?;
        let mut kept: Vec<(&Key, usize)> =
            rows.places.iter().filter(|(key, _)| wanted.contains(*key)).map(|(key, place)| (key, *place)).collect();
        kept.sort_by_key(|(_, place)| *place);
        kept.into_iter().try_for_each(|(key, place)| write_row(&mut writer, key, rows.at(place)))?;
        writer.flush()?;
    }
    temporary.as_file().sync_all()?;
    temporary.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// The length of the vectors; none when this is no file of vectors yet.
fn read_header(reader: &mut impl io::Read) -> io::Result<Option<usize>> {
    let mut header = [0_u8; 12];
    if !read_row(reader, &mut header)? || &header[..8] != MAGIC {
        return Ok(None);
    }
    let dimensions = u32::from_le_bytes([header[8], header[9], header[10], header[11]]) as usize;
    Ok((1..=MAX_DIMENSIONS).contains(&dimensions).then_some(dimensions))
}

fn row_bytes(dimensions: usize) -> usize {
    16 + dimensions * 4 + 4
}

/// Fills the buffer; `false` at the end, also within a row.
fn read_row(reader: &mut impl io::Read, buffer: &mut [u8]) -> io::Result<bool> {
    match reader.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

fn write_row(writer: &mut impl io::Write, key: &Key, vector: &[f32]) -> io::Result<()> {
    let mut row = Vec::with_capacity(row_bytes(vector.len()));
    row.extend_from_slice(key);
    for value in vector {
        row.extend_from_slice(&value.to_le_bytes());
    }
    let check = crc32fast::hash(&row).to_le_bytes();
    row.extend_from_slice(&check);
    writer.write_all(&row)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn row(name: u8, values: &[f32]) -> (Key, Vec<f32>) {
        ([name; 16], values.to_vec())
    }

    #[test]
    fn rows_come_back_and_the_file_grows() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sub/v");
        assert!(load(&path).unwrap().is_empty());
        append(&path, &[row(1, &[1.0, 0.0])]).unwrap();
        append(&path, &[row(2, &[0.0, 1.0]), row(3, &[0.6, 0.8])]).unwrap();
        let rows = load(&path).unwrap();
        assert_eq!((rows.len(), rows.dimensions), (3, 2));
        assert_eq!(rows.vector(&[3; 16]).unwrap(), [0.6, 0.8]);
        assert!(append(&path, &[row(4, &[1.0])]).is_err());
        compact(&path, &rows, &BTreeSet::from([[1; 16], [3; 16]])).unwrap();
        let rows = load(&path).unwrap();
        assert_eq!((rows.len(), rows.vector(&[1; 16]), rows.vector(&[2; 16])), (2, Some(&[1.0, 0.0][..]), None));
    }

    proptest! {
        #[test]
        fn what_a_crash_leaves_loses_only_the_last_rows(cut in 0_u64..120, noise in any::<u8>()) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("v");
            append(&path, &[row(1, &[1.0, 0.0]), row(2, &[0.0, 1.0]), row(3, &[1.0, 0.0])]).unwrap();
            let whole = fs::metadata(&path).unwrap().len();
            let file = File::options().write(true).open(&path).unwrap();
            file.set_len(whole.saturating_sub(cut)).unwrap();
            let kept = load(&path).unwrap();
            prop_assert!(kept.len() <= 3);
            append(&path, &[row(noise, &[0.6, 0.8])]).unwrap();
            let rows = load(&path).unwrap();
            prop_assert_eq!(rows.vector(&[noise; 16]).unwrap(), [0.6_f32, 0.8]);
            for name in 1..=3_u8 {
                prop_assert!(name == noise || kept.vector(&[name; 16]) == rows.vector(&[name; 16]));
            }
        }

        #[test]
        fn any_file_is_read(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("v");
            fs::write(&path, [MAGIC.as_slice(), &bytes].concat()).unwrap();
            prop_assert!(load(&path).is_ok());
        }
    }
}
