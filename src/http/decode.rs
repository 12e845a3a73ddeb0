//! Response bodies out of their content encodings, with the leniency of the client that the test was written for.
//!
//! urllib3 forgives more than one would guess: a body cut short gives what could be decoded of it, and garbage
//! behind a gzip member is ignored. geventhttpclient forgives neither a cut nor an unknown encoding.

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};
use flate2::{Decompress, FlushDecompress, Status};
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::url::Style;

/// How many encodings urllib3 undoes, one inside the other.
const MAX_ENCODINGS: usize = 5;

/// A body that its encoding could not be taken off. Its words are those of requests' `ContentDecodingError`;
/// geventhttpclient raises the cause itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    #[error(
        "('Received response with content-encoding: {encoding}, but failed to decode it.', error('{cause}'))"
    )]
    Corrupt { encoding: String, cause: Cause },
    #[error("Too many content encodings in the chain: {0} > {MAX_ENCODINGS}")]
    TooManyEncodings(usize),
    #[error("Unknown content encoding: {0}")]
    UnknownEncoding(String),
    #[error("Compression type not supported: compress")]
    UnsupportedEncoding,
    /// Ours: no client of Locust's has a limit.
    #[error(
        "Received response with content-encoding: {encoding}, which decodes to more than {limit} bytes"
    )]
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
pub fn decode(
    style: Style,
    content_encoding: &str,
    body: Vec<u8>,
    limit: usize,
) -> Result<Vec<u8>, DecodeError> {
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
    let is_known = if chain.len() == 1 {
        known(encoding)
    } else {
        chain.iter().copied().any(known)
    };
    if !is_known || body.is_empty() {
        return Ok(Ok(body));
    }
    if chain.len() > MAX_ENCODINGS {
        return Err(DecodeError::TooManyEncodings(chain.len()));
    }
    Ok(chain
        .iter()
        .rev()
        .try_fold(body, |body, encoding| match *encoding {
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
        "deflate" => match inflate(Decompress::new(false), &body, limit).and_then(Output::complete)
        {
            Err(Fault::Corrupt(_)) => {
                inflate(Decompress::new(true), &body, limit).and_then(Output::complete)
            }
            decoded => decoded,
        },
        "br" => unbrotli(&body, limit).and_then(|out| {
            if out.ended {
                Ok(out.data)
            } else {
                Err(Cause::Brotli.into())
            }
        }),
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
        if self.ended {
            Ok(self.data)
        } else {
            Err(Cause::Truncated.into())
        }
    }
}

fn inflate(mut stream: Decompress, input: &[u8], limit: usize) -> Result<Output, Fault> {
    let mut data = first_buffer(input, limit);
    loop {
        let (taken, made) = (stream.total_in() as usize, data.len());
        let status = stream.decompress_vec(&input[taken..], &mut data, FlushDecompress::None);
        let status = status
            .map_err(|error| Cause::Zlib(error.message().unwrap_or("invalid data").to_owned()))?;
        if data.len() > limit {
            return Err(Fault::TooLarge);
        }
        let consumed = stream.total_in() as usize;
        let stuck = consumed == taken && data.len() == made && data.len() < data.capacity();
        if status == Status::StreamEnd || stuck {
            return Ok(Output {
                data,
                consumed,
                ended: status == Status::StreamEnd,
            });
        }
        if data.len() == data.capacity() {
            grow(&mut data, limit);
        }
    }
}

fn first_buffer(input: &[u8], limit: usize) -> Vec<u8> {
    Vec::with_capacity(
        input
            .len()
            .saturating_mul(4)
            .clamp(256, 1 << 20)
            .min(limit.saturating_add(1)),
    )
}

/// Room for as much again, but for no more than one byte above the limit.
fn grow(data: &mut Vec<u8>, limit: usize) {
    let room = limit.saturating_add(1).saturating_sub(data.len());
    data.reserve_exact(data.len().max(256).min(room).max(1));
}

fn gunzip(input: &[u8], limit: usize) -> Result<Output, Fault> {
    inflate(Decompress::new_gzip(15), input, limit)
}

fn gunzip_members(input: &[u8], limit: usize) -> Result<Vec<u8>, Fault> {
    let Output {
        mut data, consumed, ..
    } = gunzip(input, limit)?;
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
    match inflate(Decompress::new(true), input, limit) {
        Err(Fault::Corrupt(_)) => inflate(Decompress::new(false), input, limit).map(|out| out.data),
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
            BrotliResult::NeedsMoreOutput => {
                data.truncate(made);
                grow(&mut data, limit);
            }
            // Nothing may follow the stream, and no more than the input can be asked for.
            BrotliResult::ResultSuccess | BrotliResult::NeedsMoreInput if left == 0 => {
                data.truncate(made);
                return Ok(Output {
                    data,
                    consumed,
                    ended: matches!(result, BrotliResult::ResultSuccess),
                });
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
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                length,
                ..
            })) => {
                rest = rest.get(length as usize..).ok_or(Cause::ZstdIncomplete)?;
            }
            Err(error) => return Err(zstd_fault(&error, rest)),
        }
    }
    Ok(data)
}

fn unzstd_frame(
    decoder: &mut FrameDecoder,
    rest: &mut &[u8],
    data: &mut Vec<u8>,
    limit: usize,
) -> Result<(), Fault> {
    while !decoder.is_finished() {
        let block = decoder.decode_blocks(&mut *rest, BlockDecodingStrategy::UptoBlocks(1));
        block.map_err(|error| zstd_fault(&error, rest))?;
        let made = decoder.collect_to_writer(&mut *data);
        made.map_err(|error| Cause::Zstd(error.to_string()))?;
        if data.len() > limit {
            return Err(Fault::TooLarge);
        }
    }
    match (
        decoder.get_checksum_from_data(),
        decoder.get_calculated_checksum(),
    ) {
        (Some(sent), Some(found)) if sent != found => {
            Err(Cause::Zstd("Restored data doesn't match checksum".to_owned()).into())
        }
        _ => Ok(()),
    }
}

fn zstd_fault(error: &FrameDecoderError, rest: &[u8]) -> Fault {
    // The decoder reads the whole of what it asks for, so an error with nothing left is a cut.
    if rest.is_empty() {
        Cause::ZstdIncomplete.into()
    } else {
        Cause::Zstd(error.to_string()).into()
    }
}
