//! Rows as one run of bytes, for a message.

use super::Row;

/// The rows, each with its number and pass before it.
pub fn pack<'rows>(rows: impl Iterator<Item = (u64, u64, &'rows [u8])>) -> Vec<u8> {
    let mut packed = Vec::new();
    for (number, pass, content) in rows {
        packed.extend_from_slice(&number.to_le_bytes());
        packed.extend_from_slice(&(pass as u32).to_le_bytes());
        packed.extend_from_slice(&(content.len() as u32).to_le_bytes());
        packed.extend_from_slice(content);
    }
    packed
}

/// What [`pack`] was given; `None` for anything else.
pub fn unpack(mut packed: &[u8]) -> Option<Vec<Row<&[u8]>>> {
    let mut rows = Vec::new();
    while !packed.is_empty() {
        let number = u64::from_le_bytes(*split(&mut packed)?);
        let pass = u64::from(u32::from_le_bytes(*split(&mut packed)?));
        let length = u32::from_le_bytes(*split(&mut packed)?) as usize;
        let content = packed.get(..length)?;
        packed = &packed[length..];
        rows.push(Row { number, pass, content });
    }
    Some(rows)
}

fn split<'bytes, const N: usize>(bytes: &mut &'bytes [u8]) -> Option<&'bytes [u8; N]> {
    let (first, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(first)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn rows_come_out_as_they_went_in(rows in prop::collection::vec((1u64.., 1u32.., prop::collection::vec(any::<u8>(), 0..20)), 0..20)) {
            let packed = pack(rows.iter().map(|(number, pass, content)| (*number, u64::from(*pass), content.as_slice())));
            let unpacked = unpack(&packed).unwrap();
            prop_assert_eq!(unpacked.len(), rows.len());
            for (row, (number, pass, content)) in unpacked.iter().zip(&rows) {
                prop_assert_eq!((row.number, row.pass, row.content), (*number, u64::from(*pass), content.as_slice()));
            }
        }

        #[test]
        fn whatever_arrives_is_taken_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = unpack(&bytes);
        }
    }

    #[test]
    fn what_was_cut_off_is_refused() {
        let packed = pack([(1, 1, &b"abc"[..])].into_iter());
        assert!(unpack(&packed[..packed.len() - 1]).is_none());
    }
}
