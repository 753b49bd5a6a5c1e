//! Looks at the old container (MS-CFB) before the engine does: its chains of sectors must end.
//!
//! The engine follows a chain without counting, so a circle would fill the memory.

use crate::docs::format::FormatError;

/// Numbers from here on are marks, not sectors (MS-CFB 2.1).
const MARKS: u32 = 0xffff_fffa;

/// The header and the first part of the list of tables in it (MS-CFB 2.2).
const HEADER_BYTES: usize = 512;
const LIST_AT: usize = 76;

/// Whether every chain of sectors ends.
pub fn check_chains(bytes: &[u8]) -> Result<(), FormatError> {
    let next = next_sectors(bytes).ok_or_else(|| malformed("its container is cut short"))?;
    // The walk that came to a sector first; 0 is none.
    let mut seen = vec![0_usize; next.len()];
    for start in 0..next.len() {
        let mut at = start;
        while let Some(mark) = seen.get_mut(at).filter(|mark| **mark == 0 || **mark == start + 1) {
            if *mark == start + 1 {
                return Err(malformed("a part of its container has no end"));
            }
            *mark = start + 1;
            at = match next[at] {
                sector if sector < MARKS => sector as usize,
                _ => break,
            };
        }
    }
    Ok(())
}

/// For each sector the one after it: all tables of sectors in a row.
fn next_sectors(bytes: &[u8]) -> Option<Vec<u32>> {
    let shift = bytes.get(30..32)?;
    let size = match (shift[0], shift[1]) {
        (9, 0) => 512,
        (12, 0) => 4096,
        _ => return None,
    };
    let mut tables = numbers(bytes.get(LIST_AT..HEADER_BYTES)?);
    let mut more = number(bytes, 68)?;
    // The list of tables goes on in sectors of its own, of which the last number leads to the next.
    for _ in 0..=bytes.len() / size {
        if more >= MARKS {
            break;
        }
        tables.extend(numbers(sector(bytes, more, size)?));
        more = tables.pop()?;
    }
    let tables = tables.into_iter().filter(|table| *table < MARKS).take(bytes.len() / size);
    let mut next = Vec::new();
    for table in tables {
        next.extend(numbers(sector(bytes, table, size)?));
    }
    Some(next)
}

/// A sector; the first one stands after the header. The last one of a file may be cut short.
fn sector(bytes: &[u8], number: u32, size: usize) -> Option<&[u8]> {
    let start = (number as usize).checked_add(1)?.checked_mul(size)?;
    bytes.get(start..bytes.len().min(start.checked_add(size)?))
}

fn numbers(bytes: &[u8]) -> Vec<u32> {
    bytes.chunks_exact(4).filter_map(|four| number(four, 0)).collect()
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

fn malformed(what: &str) -> FormatError {
    FormatError::Malformed(what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GUIDE: &[u8] = include_bytes!("../../../../tests/fixtures/docs/xlsx/guide.xls");

    #[test]
    fn a_chain_that_leads_back_is_refused() {
        assert_eq!(check_chains(GUIDE), Ok(()));
        let table = (number(GUIDE, LIST_AT).unwrap() as usize + 1) * 512;
        let mut circle = GUIDE.to_vec();
        circle[table..table + 8].copy_from_slice(&[1, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(check_chains(&circle), Err(malformed("a part of its container has no end")));
        assert_eq!(check_chains(&GUIDE[..100]), Err(malformed("its container is cut short")));
    }
}
