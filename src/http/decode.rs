//! Response bodies out of their content encodings, with the leniency of the client that the test was written for.
//!
//! urllib3 forgives more than one would guess: a body cut short gives what could be decoded of it, and garbage
//! behind a gzip member is ignored. geventhttpclient forgives neither a cut nor an unknown encoding.

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};
use flate2::{Decompress, DecompressError, FlushDecompress, Status};
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::url::Style;

/// How many encodings urllib3 undoes, one inside the other.
const MAX_ENCODINGS: usize = 5;

/// A body that its encoding could not be taken off. Its words are those of requests' `ContentDecodingError`;
/// geventhttpclient raises the cause itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    #[error("('Received response with content-encoding: {encoding}, but failed to decode it.', error('{cause}'))")]
    Corrupt { encoding: String, cause: Cause },
    #[error("Too many content encodings in the chain: {0} > {MAX_ENCODINGS}")]
    TooManyEncodings(usize),
    #[error("Unknown content encoding: {0}")]
    UnknownEncoding(String),
    #[error("Compression type not supported: compress")]
    UnsupportedEncoding,
    /// Ours: no client of Locust's has a limit.
    #[error("Received response with content-encoding: {encoding}, which decodes to more than {limit} bytes")]
    TooLarge { encoding: String, limit: usize },
}

/// What a decoder found wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Cause {
    #[error("Error -3 while decompressing data: {0}")]
    Zlib(String),
    #[error("Error -5 while decompressing data: incomplete or truncated stream")]
    Truncated,
    #[error("brotli: decoder failed")]
    Brotli,
    #[error("Zstandard data is incomplete")]
    ZstdIncomplete,
    #[error("Unable to decompress Zstandard data: {0}")]
    Zstd(String),
}

/// Why one decoder stopped.
enum Fault {
    Corrupt(Cause),
    TooLarge,
}

impl From<Cause> for Fault {
    fn from(cause: Cause) -> Self {
        Self::Corrupt(cause)
    }
}

/// Take `content_encoding` (the header's value) off a body. A body that has none is handed back as it came.
///
/// Decoding to more than `limit` bytes, in any of several encodings, is an error.
pub fn decode(style: Style, content_encoding: &str, body: Vec<u8>, limit: usize) -> Result<Vec<u8>, DecodeError> {
    if content_encoding.is_empty() {
        return Ok(body);
    }
    let encoding = content_encoding.to_ascii_lowercase();
    let decoded = match style {
        Style::Requests => decode_chain(&encoding, body, limit)?,
        Style::Gevent => decode_strictly(&encoding, body, limit)?,
    };
    decoded.map_err(|fault| match fault {
        Fault::Corrupt(cause) => DecodeError::Corrupt { encoding, cause },
        Fault::TooLarge => DecodeError::TooLarge { encoding, limit },
    })
}

type Decoded = Result<Result<Vec<u8>, Fault>, DecodeError>;

fn decode_chain(encoding: &str, body: Vec<u8>, limit: usize) -> Decoded {
    let known = |encoding: &str| matches!(encoding, "gzip" | "x-gzip" | "deflate" | "br" | "zstd");
    let chain: Vec<&str> = encoding.split(',').map(str::trim).collect();
    let is_known = if chain.len() == 1 { known(encoding) } else { chain.iter().copied().any(known) };
    if !is_known || body.is_empty() {
        return Ok(Ok(body));
    }
    if chain.len() > MAX_ENCODINGS {
        return Err(DecodeError::TooManyEncodings(chain.len()));
    }
    Ok(chain.iter().rev().try_fold(body, |body, encoding| match *encoding {
        "gzip" | "x-gzip" => gunzip_members(&body, limit),
        "br" => Ok(unbrotli(&body, limit)?.data),
        "zstd" => unzstd(&body, limit),
        // Whatever urllib3 does not know beside something it knows, it takes for this.
        _ => inflate_either(&body, limit),
    }))
}

fn decode_strictly(encoding: &str, body: Vec<u8>, limit: usize) -> Decoded {
    Ok(match encoding {
        "identity" => Ok(body),
        "gzip" => gunzip(&body, limit).and_then(Output::complete),
        "deflate" => match inflate(raw, &body, limit).and_then(Output::complete) {
            Err(Fault::Corrupt(_)) => inflate(zlib, &body, limit).and_then(Output::complete),
            decoded => decoded,
        },
        "br" => unbrotli(&body, limit).and_then(|out| if out.ended { Ok(out.data) } else { Err(Cause::Brotli.into()) }),
        "compress" => return Err(DecodeError::UnsupportedEncoding),
        _ => return Err(DecodeError::UnknownEncoding(encoding.to_owned())),
    })
}

/// What one decoder made of its input.
struct Output {
    data: Vec<u8>,
    /// How much of the input it took.
    consumed: usize,
    /// Whether the encoded stream came to its end.
    ended: bool,
}

impl Output {
    fn complete(self) -> Result<Vec<u8>, Fault> {
        if self.ended { Ok(self.data) } else { Err(Cause::Truncated.into()) }
    }
}

fn zlib() -> Decompress {
    Decompress::new(true)
}

fn raw() -> Decompress {
    Decompress::new(false)
}

fn inflate(start: fn() -> Decompress, input: &[u8], limit: usize) -> Result<Output, Fault> {
    let (mut stream, mut data) = (start(), first_buffer(input, limit));
    loop {
        let (taken, made) = (stream.total_in() as usize, data.len());
        let status = stream.decompress_vec(&input[taken..], &mut data, FlushDecompress::None);
        let status = status.map_err(|error| Cause::Zlib(what_is_wrong(start, input, &error)))?;
        if data.len() > limit {
            return Err(Fault::TooLarge);
        }
        let consumed = stream.total_in() as usize;
        let stuck = consumed == taken && data.len() == made && data.len() < data.capacity();
        if status == Status::StreamEnd || stuck {
            return Ok(Output { data, consumed, ended: status == Status::StreamEnd });
        }
        if data.len() == data.capacity() {
            grow(&mut data, limit);
        }
    }
}

/// zlib's words for what is wrong with the input. The decoder forgets them when it has much input at once, and then
/// speaks of its own state; given a few bytes at a time it tells.
fn what_is_wrong(start: fn() -> Decompress, input: &[u8], error: &DecompressError) -> String {
    let words = error.message().unwrap_or("invalid data");
    if words != "repeated call with bad state" {
        return words.to_owned();
    }
    let (mut stream, mut data) = (start(), Vec::with_capacity(64 * 1024));
    loop {
        let taken = stream.total_in() as usize;
        let piece = &input[taken..input.len().min(taken + 8)];
        data.clear();
        match stream.decompress_vec(piece, &mut data, FlushDecompress::None) {
            Err(error) => return error.message().unwrap_or(words).to_owned(),
            Ok(_) if stream.total_in() as usize == taken && data.is_empty() => return words.to_owned(),
            Ok(_) => {}
        }
    }
}

fn first_buffer(input: &[u8], limit: usize) -> Vec<u8> {
    Vec::with_capacity(input.len().saturating_mul(4).clamp(256, 1 << 20).min(limit.saturating_add(1)))
}

/// Room for as much again, but for no more than one byte above the limit.
fn grow(data: &mut Vec<u8>, limit: usize) {
    let room = limit.saturating_add(1).saturating_sub(data.len());
    data.reserve_exact(data.len().max(256).min(room).max(1));
}

fn gunzip(input: &[u8], limit: usize) -> Result<Output, Fault> {
    inflate(|| Decompress::new_gzip(15), input, limit)
}

fn gunzip_members(input: &[u8], limit: usize) -> Result<Vec<u8>, Fault> {
    let Output { mut data, consumed, .. } = gunzip(input, limit)?;
    let mut rest = &input[consumed..];
    while !rest.is_empty() {
        match gunzip(rest, limit - data.len()) {
            Ok(member) => {
                rest = &rest[member.consumed..];
                data.extend_from_slice(&member.data);
                if !member.ended {
                    break;
                }
            }
            Err(Fault::TooLarge) => return Err(Fault::TooLarge),
            Err(Fault::Corrupt(_)) => break,
        }
    }
    Ok(data)
}

/// `deflate` means the zlib format, and many a server sends the bare one.
fn inflate_either(input: &[u8], limit: usize) -> Result<Vec<u8>, Fault> {
    match inflate(zlib, input, limit) {
        Err(Fault::Corrupt(_)) => inflate(raw, input, limit).map(|out| out.data),
        decoded => decoded.map(|out| out.data),
    }
}

fn unbrotli(input: &[u8], limit: usize) -> Result<Output, Fault> {
    let alloc = StandardAlloc::default;
    let mut state = BrotliState::new_strict(alloc(), alloc(), alloc());
    let mut data = first_buffer(input, limit);
    let (mut left, mut consumed, mut made, mut total) = (input.len(), 0, 0, 0);
    loop {
        data.resize(data.capacity(), 0);
        let mut room = data.len() - made;
        let result = BrotliDecompressStream(
            &mut left,
            &mut consumed,
            input,
            &mut room,
            &mut made,
            &mut data,
            &mut total,
            &mut state,
        );
        if made > limit {
            return Err(Fault::TooLarge);
        }
        match result {
            // Cut short, it still has output to give when it asks for input.
            BrotliResult::NeedsMoreOutput | BrotliResult::NeedsMoreInput if room == 0 => {
                data.truncate(made);
                grow(&mut data, limit);
            }
            // Nothing may follow the stream, and no more than the input can be asked for.
            BrotliResult::ResultSuccess | BrotliResult::NeedsMoreInput if left == 0 => {
                data.truncate(made);
                return Ok(Output { data, consumed, ended: matches!(result, BrotliResult::ResultSuccess) });
            }
            _ => return Err(Cause::Brotli.into()),
        }
    }
}

fn unzstd(input: &[u8], limit: usize) -> Result<Vec<u8>, Fault> {
    let mut decoder = FrameDecoder::new();
    let mut rest = input;
    let mut data = Vec::new();
    while !rest.is_empty() {
        match decoder.reset(&mut rest) {
            Ok(()) => unzstd_frame(&mut decoder, &mut rest, &mut data, limit)?,
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                rest = rest.get(length as usize..).ok_or(Cause::ZstdIncomplete)?;
            }
            Err(error) => return Err(zstd_fault(&error, rest)),
        }
    }
    Ok(data)
}

fn unzstd_frame(decoder: &mut FrameDecoder, rest: &mut &[u8], data: &mut Vec<u8>, limit: usize) -> Result<(), Fault> {
    while !decoder.is_finished() {
        let block = decoder.decode_blocks(&mut *rest, BlockDecodingStrategy::UptoBlocks(1));
        block.map_err(|error| zstd_fault(&error, rest))?;
        let made = decoder.collect_to_writer(&mut *data);
        made.map_err(|error| Cause::Zstd(error.to_string()))?;
        if data.len() > limit {
            return Err(Fault::TooLarge);
        }
    }
    match (decoder.get_checksum_from_data(), decoder.get_calculated_checksum()) {
        (Some(sent), Some(found)) if sent != found => {
            Err(Cause::Zstd("Restored data doesn't match checksum".to_owned()).into())
        }
        _ => Ok(()),
    }
}

fn zstd_fault(error: &FrameDecoderError, rest: &[u8]) -> Fault {
    // The decoder reads the whole of what it asks for, so an error with nothing left is a cut.
    if rest.is_empty() { Cause::ZstdIncomplete.into() } else { Cause::Zstd(error.to_string()).into() }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use proptest::prelude::*;
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    use super::*;

    const ANY: usize = usize::MAX;
    const BROTLI_HELLO: &[u8] = b"\x0b\x02\x80hello\x03";

    fn gzip(data: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    fn zlib(data: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    fn raw(data: &[u8]) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(data: &[u8]) -> Vec<u8> {
        compress_to_vec(data, CompressionLevel::Fastest)
    }

    fn of_requests(encoding: &str, body: &[u8]) -> Result<Vec<u8>, String> {
        decode(Style::Requests, encoding, body.to_vec(), ANY).map_err(|error| error.to_string())
    }

    fn of_gevent(encoding: &str, body: &[u8]) -> Result<Vec<u8>, String> {
        decode(Style::Gevent, encoding, body.to_vec(), ANY).map_err(|error| match error {
            DecodeError::Corrupt { cause, .. } => cause.to_string(),
            other => other.to_string(),
        })
    }

    fn corrupt(encoding: &str, cause: &str) -> String {
        format!("('Received response with content-encoding: {encoding}, but failed to decode it.', error('{cause}'))")
    }

    #[test]
    fn urllib3_forgives_cuts_and_garbage_and_so_do_we() {
        let (whole, twice) = (gzip(b"hello"), [gzip(b"hel"), gzip(b"lo")].concat());
        let hello = [
            ("gzip", whole.clone()),
            ("X-GZIP", twice),
            ("gzip", [&whole[..], b"xx garbage"].concat()),
            ("gzip", whole[..whole.len() - 3].to_vec()),
            ("deflate", zlib(b"hello")),
            ("deflate", [&zlib(b"hello")[..], b"xx"].concat()),
            ("deflate", raw(b"hello")),
            ("br", BROTLI_HELLO.to_vec()),
            ("zstd", [zstd(b"he"), b"\x50\x2a\x4d\x18\x01\0\0\0x".to_vec(), zstd(b"llo")].concat()),
            ("deflate, gzip", gzip(&zlib(b"hello"))),
            // What is not known beside what is, is taken for deflate.
            ("foo,gzip", gzip(&zlib(b"hello"))),
            ("foo", b"hello".to_vec()),
            ("foo, bar", b"hello".to_vec()),
            ("identity", b"hello".to_vec()),
            ("", b"hello".to_vec()),
        ];
        for (encoding, body) in hello {
            assert_eq!(of_requests(encoding, &body).as_deref(), Ok(&b"hello"[..]), "{encoding}");
        }
        assert_eq!(of_requests("gzip", b""), Ok(vec![]));
        assert_eq!(of_requests("gzip", &whole[..5]), Ok(vec![]));
        assert_eq!(of_requests("br", &BROTLI_HELLO[..7]), Ok(b"hell".to_vec()));
    }

    #[test]
    fn a_cut_brotli_body_gives_all_that_it_holds() {
        // A thousand times `hello`, without its last byte.
        let cut = [27, 135, 19, 248, 165, 203, 208, 216, 222, 196, 107, 81, 64, 205, 2, 128, 212];
        let decoded = of_requests("br", &cut).unwrap();
        assert_eq!(decoded.len(), 4992);
        assert!(decoded.chunks_exact(5).all(|word| word == b"hello"));
    }

    #[test]
    fn what_urllib3_cannot_decode_is_an_error_in_its_words() {
        let mut checksum = gzip(b"hello");
        let end = checksum.len() - 8;
        checksum[end] ^= 1;
        let header = "Error -3 while decompressing data: incorrect header check";
        let data = "Error -3 while decompressing data: incorrect data check";
        let stored = "Error -3 while decompressing data: invalid stored block lengths";
        assert_eq!(of_requests("gzip", b"hello"), Err(corrupt("gzip", header)));
        assert_eq!(of_requests("gzip", &checksum), Err(corrupt("gzip", data)));
        assert_eq!(of_requests("deflate", b"hello"), Err(corrupt("deflate", stored)));
        assert_eq!(of_requests("BR", b"hello world"), Err(corrupt("br", "brotli: decoder failed")));
        let trailing = [BROTLI_HELLO, b"x"].concat();
        assert_eq!(of_requests("br", &trailing), Err(corrupt("br", "brotli: decoder failed")));
        let cut = zstd(b"hello");
        assert_eq!(of_requests("zstd", &cut[..cut.len() - 1]), Err(corrupt("zstd", "Zstandard data is incomplete")));
        let six = "gzip,gzip,gzip,gzip,gzip,gzip";
        assert_eq!(of_requests(six, b"x"), Err("Too many content encodings in the chain: 6 > 5".to_owned()));
    }

    /// Where zlib itself was asked: a byte in the middle of a long body.
    #[test]
    fn what_is_wrong_with_a_long_body_is_told_as_zlib_tells_it() {
        let text: String = (0..2000).map(|n| format!("{} locusts\n", n * 7919 % 1000)).collect();
        let words = |at: usize| {
            let mut body = gzip(text.as_bytes());
            body[at] ^= 0xff;
            of_requests("gzip", &body).unwrap_err()
        };
        for at in (20..2000).step_by(50) {
            let words = words(at);
            assert!(words.contains("decompressing data: in") && !words.contains("bad state"), "{at}: {words}");
        }
    }

    #[test]
    fn geventhttpclient_forgives_nothing_but_trailing_garbage() {
        let whole = gzip(b"hello");
        let cut = Err("Error -5 while decompressing data: incomplete or truncated stream".to_owned());
        assert_eq!(of_gevent("GZIP", &[&whole[..], b"x"].concat()), Ok(b"hello".to_vec()));
        assert_eq!(of_gevent("gzip", &[gzip(b"hello"), gzip(b"more")].concat()), Ok(b"hello".to_vec()));
        assert_eq!(of_gevent("gzip", &whole[..whole.len() - 3]), cut);
        assert_eq!(of_gevent("gzip", b""), cut);
        assert_eq!(of_gevent("deflate", &raw(b"hello")), Ok(b"hello".to_vec()));
        assert_eq!(of_gevent("deflate", &zlib(b"hello")), Ok(b"hello".to_vec()));
        assert_eq!(of_gevent("br", BROTLI_HELLO), Ok(b"hello".to_vec()));
        assert_eq!(of_gevent("br", &BROTLI_HELLO[..7]), Err("brotli: decoder failed".to_owned()));
        assert_eq!(of_gevent("zstd", b"x"), Err("Unknown content encoding: zstd".to_owned()));
        assert_eq!(of_gevent("compress", b"x"), Err("Compression type not supported: compress".to_owned()));
        assert_eq!(of_gevent("identity", b"x"), Ok(b"x".to_vec()));
    }

    #[test]
    fn a_body_without_encoding_is_not_copied() {
        for encoding in ["", "identity", "foo"] {
            let body = b"hello".to_vec();
            let address = body.as_ptr();
            let same = decode(Style::Requests, encoding, body, 0).unwrap();
            assert_eq!(same.as_ptr(), address);
        }
    }

    #[test]
    fn a_bomb_goes_off_at_its_limit() {
        let zeros = vec![0; 1 << 20];
        for (encoding, body) in [("gzip", gzip(&zeros)), ("deflate", zlib(&zeros)), ("zstd", zstd(&zeros))] {
            let at_most = |limit| decode(Style::Requests, encoding, body.clone(), limit);
            assert_eq!(at_most(1 << 20).as_deref(), Ok(&zeros[..]));
            let too_large = DecodeError::TooLarge { encoding: encoding.to_owned(), limit: (1 << 20) - 1 };
            assert_eq!(at_most((1 << 20) - 1), Err(too_large));
            assert!(at_most(0).is_err());
        }
        assert!(decode(Style::Requests, "br", BROTLI_HELLO.to_vec(), 5).is_ok());
        assert!(decode(Style::Requests, "br", BROTLI_HELLO.to_vec(), 4).is_err());
    }

    proptest! {
        #[test]
        fn decoding_undoes_encoding(data: Vec<u8>, times in 1..40usize) {
            let data = data.repeat(times);
            let both = gzip(&zstd(&data));
            let encoded =
                [("gzip", gzip(&data)), ("deflate", zlib(&data)), ("zstd", zstd(&data)), ("zstd, gzip", both)];
            for (encoding, body) in encoded {
                prop_assert_eq!(of_requests(encoding, &body), Ok(data.clone()), "{}", encoding);
            }
        }

        #[test]
        fn no_bytes_make_it_panic(
            data: Vec<u8>,
            chain in prop::collection::vec(prop::sample::select(vec!["gzip", "deflate", "br", "zstd", "x"]), 1..4),
            flip: prop::sample::Index,
            cut: prop::sample::Index,
            limit in 0..2000usize,
        ) {
            let encoding = chain.join(",");
            for mut body in [data.clone(), gzip(&data), zlib(&data), zstd(&data), BROTLI_HELLO.to_vec()] {
                let length = body.len().max(1);
                if let Some(byte) = body.get_mut(flip.index(length)) {
                    *byte ^= 1 << (length % 8);
                }
                body.truncate(cut.index(length + 1));
                for style in [Style::Requests, Style::Gevent] {
                    for encoding in [&*encoding, chain[0]] {
                        let untouched = body.len();
                        if let Ok(decoded) = decode(style, encoding, body.clone(), limit) {
                            prop_assert!(decoded.len() <= limit.max(untouched));
                        }
                    }
                }
            }
        }
    }
}
