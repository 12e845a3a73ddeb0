//! `/encoded/{coding}`: one JSON body in each content coding, whole and damaged.

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use serde_json::json;

use super::reply::Reply;
use super::request::Request;
use super::routes::{Refusal, Served};

/// `gzip`, `deflate` (with zlib's frame, as the standard has it), `deflate-raw` (without, as some servers send it), `br`,
/// `zstd`, `identity`, `gzip-corrupt` (a wrong byte in the middle, and a wrong checksum), `unknown`.
pub fn serve(coding: &str, request: &Request<'_>, reply: &mut Reply) -> Served {
    let text = body(coding);
    let encoded = encode(coding, text.as_bytes()).map_err(|error| Refusal::new(500, error.to_string()))?;
    let encoded = encoded.ok_or_else(|| Refusal::not_found(request.path))?;
    reply.start(200).header("content-type", "application/json");
    if coding != "identity" {
        reply.header("content-encoding", name(coding));
    }
    reply.body(&encoded);
    Ok(())
}

/// A gzip stream of `length` zeros, rounded up to whole megabytes, without the right checksum. A megabyte is compressed
/// once and its bytes repeated: they refer to nothing but the zeros before them.
pub fn bomb(length: u64) -> io::Result<Vec<u8>> {
    const MEGABYTE: usize = 1 << 20;
    let zeros = vec![0; MEGABYTE];
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&zeros)?;
    encoder.flush()?;
    let first = encoder.get_ref().len();
    encoder.write_all(&zeros)?;
    encoder.flush()?;
    let again = encoder.get_ref()[first..].to_vec();
    for _ in 2..length.div_ceil(MEGABYTE as u64) {
        encoder.get_mut().extend_from_slice(&again);
    }
    encoder.finish()
}

/// The text that every coding carries: some kB, so that there is something to compress.
fn body(coding: &str) -> String {
    let lines: Vec<_> = (0..50).map(|n| format!("line {n}: locusts swarm, grasshöppers don't")).collect();
    json!({ "coding": coding, "lines": lines }).to_string()
}

fn name(coding: &str) -> &str {
    match coding {
        "deflate-raw" => "deflate",
        "gzip-corrupt" => "gzip",
        other => other,
    }
}

fn encode(coding: &str, text: &[u8]) -> io::Result<Option<Vec<u8>>> {
    let level = Compression::default();
    let encoded = match coding {
        "gzip" => gzip(text)?,
        "gzip-corrupt" => corrupt(gzip(text)?),
        "deflate" => {
            let mut encoder = ZlibEncoder::new(Vec::new(), level);
            encoder.write_all(text)?;
            encoder.finish()?
        }
        "deflate-raw" => {
            let mut encoder = DeflateEncoder::new(Vec::new(), level);
            encoder.write_all(text)?;
            encoder.finish()?
        }
        "br" => brotli(text),
        "zstd" => compress_to_vec(text, CompressionLevel::Fastest),
        "identity" | "unknown" => text.to_vec(),
        _ => return Ok(None),
    };
    Ok(Some(encoded))
}

fn gzip(text: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text)?;
    encoder.finish()
}

fn corrupt(mut gzip: Vec<u8>) -> Vec<u8> {
    let middle = gzip.len() / 2;
    let checksum = gzip.len() - 8;
    gzip[middle] ^= 0xff;
    gzip[checksum] ^= 0xff;
    gzip
}

/// A brotli stream (RFC 7932) that compresses nothing: uncompressed meta-blocks, then an empty last one. Real compression
/// would exercise the client's library and not the client, and cost a dependency.
fn brotli(text: &[u8]) -> Vec<u8> {
    let mut stream = Vec::new();
    for (index, block) in text.chunks(1 << 16).enumerate() {
        // From the lowest bit: window size (`0`: 16 bits, at the stream's start only), not the last block (`0`), a length
        // of four nibbles (`00`), the length less one (16 bits), uncompressed (`1`), then zeros up to the next byte.
        let header = ((block.len() - 1) as u32) << 3 | 1 << 19;
        let (header, bits) = if index == 0 { (header << 1, 21) } else { (header, 20) };
        stream.extend_from_slice(&header.to_le_bytes()[..u32::div_ceil(bits, 8) as usize]);
        stream.extend_from_slice(block);
    }
    // Last and empty: `11`; a stream without blocks has its window size before.
    stream.push(if text.is_empty() { 0b110 } else { 0b11 });
    stream
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Read;

    fn read_all(mut reader: impl Read) -> io::Result<Vec<u8>> {
        let mut all = Vec::new();
        reader.read_to_end(&mut all).map(|_| all)
    }

    fn decode(coding: &str, encoded: &[u8]) -> io::Result<Vec<u8>> {
        match coding {
            "gzip" | "gzip-corrupt" => read_all(flate2::read::GzDecoder::new(encoded)),
            "deflate" => read_all(flate2::read::ZlibDecoder::new(encoded)),
            "deflate-raw" => read_all(flate2::read::DeflateDecoder::new(encoded)),
            "br" => read_all(brotli_decompressor::Decompressor::new(encoded, 4096)),
            "zstd" => read_all(ruzstd::decoding::StreamingDecoder::new(encoded).map_err(io::Error::other)?),
            _ => Ok(encoded.to_vec()),
        }
    }

    #[test]
    fn every_coding_can_be_undone_but_the_corrupt_one() {
        for coding in ["gzip", "deflate", "deflate-raw", "br", "zstd", "identity", "unknown"] {
            let encoded = encode(coding, body(coding).as_bytes()).unwrap().unwrap();
            assert_eq!(decode(coding, &encoded).unwrap(), body(coding).as_bytes(), "{coding}");
        }
        let corrupt = encode("gzip-corrupt", body("gzip").as_bytes()).unwrap().unwrap();
        assert!(decode("gzip-corrupt", &corrupt).is_err());
        assert!(encode("lzma", b"").unwrap().is_none());
    }

    #[test]
    fn a_bomb_is_small_and_goes_off() {
        let bomb = bomb(50 << 20).unwrap();
        assert!(bomb.len() < 100_000, "{}", bomb.len());
        let mut reader = flate2::read::GzDecoder::new(&bomb[..]).take(50 << 20);
        assert_eq!(io::copy(&mut reader, &mut io::sink()).unwrap(), 50 << 20);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn our_brotli_is_brotli(text in prop::collection::vec(any::<u8>(), 0..200_000)) {
            prop_assert_eq!(decode("br", &brotli(&text)).unwrap(), text);
        }
    }
}
