//! The chunked transfer coding (RFC 9112, 7.1), undone piece by piece.

use crate::http::Failure;

/// A chunk's size line with its extensions, bytes.
const MAX_SIZE_LINE: usize = 4096;
const MAX_TRAILERS: usize = 64 * 1024;

#[derive(Debug, Default)]
pub struct Chunks {
    state: State,
}

#[derive(Debug)]
enum State {
    /// Within the size line: the number so far, digits seen, bytes of the line, and whether the digits are over.
    Size { size: u64, digits: u8, line: usize, extension: bool, carriage: bool },
    Data { left: u64 },
    /// The line end behind the data; `carriage` when its CR was seen.
    DataEnd { carriage: bool },
    /// Trailer lines: `line` bytes in the current one, `total` in all.
    Trailers { line: usize, total: usize },
    Done,
}

impl Default for State {
    fn default() -> Self {
        Self::Size { size: 0, digits: 0, line: 0, extension: false, carriage: false }
    }
}

impl Chunks {
    pub fn is_done(&self) -> bool {
        matches!(self.state, State::Done)
    }

    /// Append the data in `bytes` to `out`. Returns how many bytes were used: all, unless the end came before.
    pub fn decode(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<usize, Failure> {
        let mut at = 0;
        while at < bytes.len() && !self.is_done() {
            if let State::Data { left } = &mut self.state {
                let take = (*left).min((bytes.len() - at) as u64) as usize;
                out.extend_from_slice(&bytes[at..at + take]);
                *left -= take as u64;
                if *left == 0 {
                    self.state = State::DataEnd { carriage: false };
                }
                at += take;
                continue;
            }
            self.byte(bytes[at])?;
            at += 1;
        }
        Ok(at)
    }

    fn byte(&mut self, byte: u8) -> Result<(), Failure> {
        match &mut self.state {
            State::Size { size, digits, line, extension, carriage } => {
                *line += 1;
                match byte {
                    b'\n' if *digits > 0 => {
                        self.state = if *size == 0 { State::Trailers { line: 0, total: 0 } } else { State::Data { left: *size } };
                    }
                    _ if *carriage || *line > MAX_SIZE_LINE => return Err(BAD_SIZE),
                    b'\r' if *digits > 0 => *carriage = true,
                    _ if *extension => {}
                    b';' | b' ' | b'\t' if *digits > 0 => *extension = true,
                    _ => {
                        let digit = char::from(byte).to_digit(16).ok_or(BAD_SIZE)?;
                        *size = size.checked_mul(16).and_then(|s| s.checked_add(u64::from(digit))).ok_or(BAD_SIZE)?;
                        *digits = digits.saturating_add(1);
                    }
                }
            }
            State::DataEnd { carriage } => match byte {
                b'\r' if !*carriage => *carriage = true,
                b'\n' => self.state = State::default(),
                _ => return Err(Failure::Chunks("a chunk is longer than it says")),
            },
            State::Trailers { line, total } => {
                *total += 1;
                if *total > MAX_TRAILERS {
                    return Err(Failure::Chunks("the trailers are too long"));
                }
                match byte {
                    b'\n' if *line == 0 => self.state = State::Done,
                    b'\n' => *line = 0,
                    b'\r' => {}
                    _ => *line += 1,
                }
            }
            State::Data { .. } | State::Done => unreachable!("data is taken whole, and nothing after the end"),
        }
        Ok(())
    }
}

const BAD_SIZE: Failure = Failure::Chunks("a chunk size is malformed");

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decode(pieces: &[&[u8]]) -> Result<(Vec<u8>, bool), String> {
        let (mut chunks, mut out) = (Chunks::default(), Vec::new());
        for piece in pieces {
            chunks.decode(piece, &mut out).map_err(|failure| failure.to_string())?;
        }
        Ok((out, chunks.is_done()))
    }

    #[test]
    fn chunks_with_extensions_and_trailers_are_joined() {
        let wire = b"5;name=value\r\nhello\r\nA\r\n, the worl\r\n1 \r\nd\r\n0\r\nExpires: never\r\nX: y\r\n\r\n";
        assert_eq!(decode(&[wire]), Ok((b"hello, the world".to_vec(), true)));
    }

    #[test]
    fn what_is_no_chunk_size_is_refused() {
        for wire in ["x\r\n", "\r\n", "-1\r\n", "fffffffffffffffff\r\n", "5\rx", "3\r\nabcd\r\n"] {
            assert!(decode(&[wire.as_bytes()]).is_err(), "{wire:?}");
        }
    }

    proptest! {
        #[test]
        fn decoding_undoes_encoding_however_it_is_cut(
            body in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..50), 0..10),
            cuts in proptest::collection::vec(1..20usize, 1..60),
        ) {
            let mut wire = Vec::new();
            for chunk in &body {
                wire.extend(format!("{:x}\r\n", chunk.len()).bytes());
                wire.extend(chunk);
                wire.extend(b"\r\n");
            }
            wire.extend(b"0\r\n\r\n");
            let mut pieces = Vec::new();
            let mut rest = &wire[..];
            for cut in cuts.into_iter().cycle() {
                if rest.is_empty() { break; }
                let (piece, after) = rest.split_at(cut.min(rest.len()));
                pieces.push(piece);
                rest = after;
            }
            prop_assert_eq!(decode(&pieces), Ok((body.concat(), true)));
        }

        #[test]
        fn no_input_panics(wire in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = decode(&[&wire]);
        }
    }
}
