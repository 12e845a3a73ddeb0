//! The chunked transfer coding (RFC 9112, 7.1), undone piece by piece.
//!
//! To the letter: where others take a bare line feed, or anything at all, behind a chunk's size, a proxy and a client
//! may read two different bodies out of the same bytes.

use crate::http::Failure;
use crate::http::response::MAX_HEADERS;

/// Digits of one chunk's size, leading zeros and all.
const MAX_DIGITS: u8 = 64;
/// Of all chunks together. Nobody uses them; without a limit a body of nothing else would go on for ever.
const MAX_EXTENSIONS: usize = 16 * 1024;
const MAX_TRAILERS: usize = 16 * 1024;

#[derive(Debug, Default)]
pub struct Chunks {
    state: State,
    extensions: usize,
    /// Trailer lines as they came; nobody reads them, but they must be some.
    trailers: Vec<u8>,
}

/// Where a body's data goes.
pub trait Sink {
    fn data(&mut self, bytes: &[u8]);
    /// A chunk is complete. Of interest only to who hands chunks on as they were made.
    fn end_of_chunk(&mut self) {}
}

impl Sink for Vec<u8> {
    fn data(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

#[derive(Clone, Copy, Debug)]
enum State {
    Size {
        size: u64,
        digits: u8,
    },
    /// Behind the digits: white space until a semicolon, then anything until the line's end.
    Extension {
        size: u64,
        begun: bool,
    },
    /// The CR of the size line was seen.
    SizeEnd {
        size: u64,
    },
    Data {
        left: u64,
    },
    /// The line end behind the data; `carriage` when its CR was seen.
    DataEnd {
        carriage: bool,
    },
    /// At the start of a trailer line, or the empty line behind them.
    TrailerStart,
    Trailer,
    TrailerEnd,
    /// The CR of the last line was seen.
    LastEnd,
    Done,
}

impl Default for State {
    fn default() -> Self {
        Self::Size { size: 0, digits: 0 }
    }
}

impl Chunks {
    pub fn is_done(&self) -> bool {
        matches!(self.state, State::Done)
    }

    /// Hand the data in `bytes` to `out`. Returns how many bytes were used: all, unless the end came before.
    pub fn decode(&mut self, bytes: &[u8], out: &mut impl Sink) -> Result<usize, Failure> {
        let mut at = 0;
        while at < bytes.len() && !self.is_done() {
            if let State::Data { left } = &mut self.state {
                let take = (*left).min((bytes.len() - at) as u64) as usize;
                out.data(&bytes[at..at + take]);
                *left -= take as u64;
                if *left == 0 {
                    out.end_of_chunk();
                    self.state = State::DataEnd { carriage: false };
                }
                at += take;
                continue;
            }
            self.state = self.step(bytes[at])?;
            at += 1;
        }
        Ok(at)
    }

    fn step(&mut self, byte: u8) -> Result<State, Failure> {
        Ok(match (self.state, byte) {
            (State::Size { size, digits: 1.. } | State::Extension { size, .. }, b'\r') => State::SizeEnd { size },
            (State::Size { size, digits: 1.. } | State::Extension { size, begun: false }, b' ' | b'\t')
                if self.extensions < MAX_EXTENSIONS =>
            {
                self.extensions += 1;
                State::Extension { size, begun: false }
            }
            (State::Size { size, digits: 1.. } | State::Extension { size, begun: false }, b';') => {
                State::Extension { size, begun: true }
            }
            (State::Size { size, digits }, _) if digits < MAX_DIGITS => {
                State::Size { size: with_digit(size, byte)?, digits: digits + 1 }
            }
            (State::Extension { size, begun: true }, byte) if byte != b'\n' && self.extensions < MAX_EXTENSIONS => {
                self.extensions += 1;
                State::Extension { size, begun: true }
            }
            (State::SizeEnd { size: 0 }, b'\n') => State::TrailerStart,
            (State::SizeEnd { size }, b'\n') => State::Data { left: size },
            (State::Extension { .. }, _) if self.extensions >= MAX_EXTENSIONS => {
                return Err(Failure::Chunks("the chunk extensions are too long"));
            }
            (State::Size { .. } | State::Extension { .. } | State::SizeEnd { .. }, _) => return Err(BAD_SIZE),

            (State::DataEnd { carriage: false }, b'\r') => State::DataEnd { carriage: true },
            (State::DataEnd { carriage: true }, b'\n') => State::default(),
            (State::DataEnd { .. }, _) => return Err(Failure::Chunks("a chunk is longer than it says")),

            (State::TrailerStart, b'\r') => State::LastEnd,
            (State::LastEnd, b'\n') => self.check_trailers()?,
            (State::TrailerStart | State::Trailer, byte) if byte != b'\n' => {
                self.trailers.push(byte);
                if self.trailers.len() > MAX_TRAILERS {
                    return Err(Failure::Chunks("the trailers are too long"));
                }
                if byte == b'\r' { State::TrailerEnd } else { State::Trailer }
            }
            (State::TrailerEnd, b'\n') => {
                self.trailers.push(byte);
                State::TrailerStart
            }
            (State::TrailerStart | State::Trailer | State::TrailerEnd | State::LastEnd, _) => return Err(BAD_TRAILER),
            (State::Data { .. } | State::Done, _) => unreachable!("data is taken whole, and nothing after the end"),
        })
    }

    fn check_trailers(&mut self) -> Result<State, Failure> {
        let mut lines = std::mem::take(&mut self.trailers);
        if !lines.is_empty() {
            lines.extend_from_slice(b"\r\n");
            let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
            if !httparse::parse_headers(&lines, &mut headers).is_ok_and(|parsed| parsed.is_complete()) {
                return Err(BAD_TRAILER);
            }
        }
        Ok(State::Done)
    }
}

fn with_digit(size: u64, byte: u8) -> Result<u64, Failure> {
    let digit = char::from(byte).to_digit(16).ok_or(BAD_SIZE)?;
    size.checked_mul(16).and_then(|size| size.checked_add(u64::from(digit))).ok_or(BAD_SIZE)
}

const BAD_SIZE: Failure = Failure::Chunks("a chunk size is malformed");
const BAD_TRAILER: Failure = Failure::Chunks("a trailer is malformed");

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
        let wire = b"5;name=value\r\nhello\r\nA\r\n, the worl\r\n1 \t;\r\nd\r\n0\r\nExpires: never\r\nX: y\r\n\r\n";
        assert_eq!(decode(&[wire]), Ok((b"hello, the world".to_vec(), true)));
    }

    #[test]
    fn what_is_no_chunk_size_is_refused() {
        for wire in
            ["x\r\n", "\r\n", "-1\r\n", "+1\r\n", "fffffffffffffffff\r\n", "5\rx", "5\n", "5;x\n", "5 5\r\n", ";\r\n"]
        {
            assert!(decode(&[wire.as_bytes()]).is_err(), "{wire:?}");
        }
    }

    #[test]
    fn what_follows_a_chunk_is_a_line_end() {
        for wire in ["3\r\nabcd\r\n", "3\r\nabc\n", "3\r\nabc\r\r\n", "3\r\nabc0\r\n"] {
            assert!(decode(&[wire.as_bytes()]).is_err(), "{wire:?}");
        }
    }

    #[test]
    fn trailers_are_header_lines() {
        for wire in
            ["0\r\nno colon\r\n\r\n", "0\r\n\n", "0\n", "0\r\nA: b\n\r\n", "0\r\nA: b\rc\r\n\r\n", "0\r\n A: b\r\n\r\n"]
        {
            assert!(decode(&[wire.as_bytes()]).is_err(), "{wire:?}");
        }
    }

    #[test]
    fn extensions_without_end_are_called_so() {
        let failure = decode(&[&[b"1;", &[b'x'; MAX_EXTENSIONS + 1][..]].concat()]).unwrap_err();
        assert!(failure.contains("the chunk extensions are too long"), "{failure}");
    }

    #[test]
    fn what_goes_on_for_ever_is_refused() {
        let many = |text: &str| text.repeat(20_000).into_bytes();
        for (start, more) in
            [("", "0"), ("1 ", " "), ("1;", "x"), ("", "1;x\r\ny\r\n"), ("0\r\n", "A: b\r\n"), ("0\r\nA: ", "b")]
        {
            let wire = [start.as_bytes(), &many(more)].concat();
            assert!(decode(&[&wire]).is_err(), "{start:?} {more:?}");
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
