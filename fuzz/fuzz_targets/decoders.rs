//! What was compressed comes back; what was damaged is refused or cut, within its limit, and never a panic.

#![no_main]

use std::io::Write as _;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use gregaria::http::decode::{DecodeError, decode};
use gregaria::http::url::Style;
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Coding {
    Gzip,
    XGzip,
    Zlib,
    Raw,
    Brotli,
    Zstd,
    Unknown,
}

#[derive(Arbitrary, Debug)]
struct Case<'a> {
    fast: bool,
    first: Coding,
    more: Option<Coding>,
    /// The data are encoded first; else they are taken for what an encoder gave.
    encodes: bool,
    times: u8,
    damage: Option<(u16, u8)>,
    cut: Option<u16>,
    limit: u16,
    data: &'a [u8],
}

impl Coding {
    fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::XGzip => "x-gzip",
            Self::Zlib | Self::Raw => "deflate",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
            Self::Unknown => "snappy",
        }
    }

    fn encode(self, data: &[u8]) -> Vec<u8> {
        match self {
            Self::Gzip | Self::XGzip => {
                let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
                encoder.write_all(data).and_then(|()| encoder.finish()).expect("memory takes it")
            }
            Self::Zlib => {
                let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
                encoder.write_all(data).and_then(|()| encoder.finish()).expect("memory takes it")
            }
            Self::Raw => {
                let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
                encoder.write_all(data).and_then(|()| encoder.finish()).expect("memory takes it")
            }
            Self::Brotli => {
                let mut out = Vec::new();
                let parameters = brotli::enc::BrotliEncoderParams { quality: 2, ..Default::default() };
                brotli::BrotliCompress(&mut &*data, &mut out, &parameters).expect("memory takes it");
                out
            }
            Self::Zstd => compress_to_vec(data, CompressionLevel::Fastest),
            Self::Unknown => data.to_vec(),
        }
    }
}

fuzz_target!(|case: Case<'_>| {
    let style = if case.fast { Style::Gevent } else { Style::Requests };
    let chain: Vec<Coding> = [case.first].into_iter().chain(case.more).collect();
    let names: Vec<&str> = chain.iter().map(|coding| coding.name()).collect();
    let encoding = names.join(", ");
    let plain = case.data.repeat(usize::from(case.times).max(1));
    let mut body = if case.encodes {
        chain.iter().fold(plain.clone(), |data, coding| coding.encode(&data))
    } else {
        case.data.to_vec()
    };
    let is_whole = case.encodes && case.damage.is_none() && case.cut.is_none();
    if let Some((at, bits)) = case.damage.filter(|_| !body.is_empty()) {
        let at = usize::from(at) % body.len();
        body[at] ^= bits;
    }
    if let Some(cut) = case.cut {
        body.truncate(usize::from(cut));
    }
    if is_whole {
        let decoded = decode(style, &encoding, body.clone(), 2 * plain.len() + 1024);
        check_whole(style, &chain, &plain, decoded);
    }
    let limit = usize::from(case.limit);
    let untouched = body.len();
    if let Ok(decoded) = decode(style, &encoding, body, limit) {
        assert!(decoded.len() <= limit.max(untouched), "{} bytes where {limit} are allowed", decoded.len());
    }
});

fn check_whole(style: Style, chain: &[Coding], plain: &[u8], decoded: Result<Vec<u8>, DecodeError>) {
    let known = |coding: &Coding| !matches!(coding, Coding::Unknown);
    match (style, chain) {
        (Style::Requests, chain) if chain.iter().all(known) => assert_eq!(decoded.as_deref(), Ok(plain)),
        // Beside a known one, an unknown encoding is taken for deflate, as urllib3 does it.
        (Style::Requests, [_, _]) => {}
        (Style::Requests, _) => assert_eq!(decoded.as_deref(), Ok(plain)),
        // geventhttpclient knows one encoding at a time, and not all.
        (Style::Gevent, [Coding::Gzip | Coding::Zlib | Coding::Raw | Coding::Brotli]) => {
            assert_eq!(decoded.as_deref(), Ok(plain));
        }
        (Style::Gevent, _) => assert!(decoded.is_err()),
    }
}
