//! Percent-encoding as Python's clients do it, character class by character class.
//!
//! Two encoders stand here because two libraries touch every URL: urllib3 encodes each component by itself
//! ([`encode_component`]), and requests then goes over the whole text once more ([`requote`]).

use std::borrow::Cow;

/// A set of byte classes: bits of [`CLASSES`].
#[derive(Clone, Copy)]
pub(super) struct Allowed(u8);

pub(super) const UNRESERVED: Allowed = Allowed(1);
pub(super) const USERINFO: Allowed = Allowed(2);
pub(super) const PATH: Allowed = Allowed(4);
/// Queries and fragments.
pub(super) const QUERY: Allowed = Allowed(8);
/// What requests leaves alone in a whole URL, `%` apart.
const WHOLE: Allowed = Allowed(16);

static CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 128 {
        let b = byte as u8;
        let unreserved = b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'~');
        let sub_delimiter = matches!(b, b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=');
        let userinfo = unreserved || sub_delimiter || b == b':';
        let path = userinfo || matches!(b, b'@' | b'/');
        let query = path || b == b'?';
        let whole = query || matches!(b, b'#' | b'[' | b']');
        table[byte] =
            unreserved as u8 | (userinfo as u8) << 1 | (path as u8) << 2 | (query as u8) << 3 | (whole as u8) << 4;
        byte += 1;
    }
    table
}

impl Allowed {
    pub(super) const fn has(self, byte: u8) -> bool {
        CLASSES[byte as usize] & self.0 != 0
    }
}

pub(super) fn push_escape(out: &mut String, byte: u8) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    out.push('%');
    out.push(HEX[usize::from(byte >> 4)] as char);
    out.push(HEX[usize::from(byte & 15)] as char);
}

/// The value of the escape that starts at `at`, if one does.
pub(super) fn escape_at(bytes: &[u8], at: usize) -> Option<u8> {
    let digit = |i: usize| char::from(*bytes.get(i)?).to_digit(16);
    (bytes.get(at) == Some(&b'%')).then_some(())?;
    Some((digit(at + 1)? * 16 + digit(at + 2)?) as u8)
}

/// Encode what a component may not hold.
///
/// If every `%` in it starts an escape, the text counts as encoded already and the escapes stay (in upper case);
/// if a single one does not, every `%` is data and is escaped itself.
pub(super) fn encode_component(text: &str, allowed: Allowed) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    if bytes.iter().all(|&b| allowed.has(b)) {
        return Cow::Borrowed(text);
    }
    let encoded = (0..bytes.len()).filter(|&i| bytes[i] == b'%').all(|i| escape_at(bytes, i).is_some());
    let mut out = String::with_capacity(bytes.len() + 16);
    let mut i = 0;
    while let Some(&byte) = bytes.get(i) {
        if escape_at(bytes, i).is_some() {
            out.push_str(if encoded { "%" } else { "%25" });
            out.extend(bytes[i + 1..i + 3].iter().map(|b| b.to_ascii_uppercase() as char));
            i += 3;
            continue;
        }
        if allowed.has(byte) {
            out.push(byte as char);
        } else {
            push_escape(&mut out, byte);
        }
        i += 1;
    }
    Cow::Owned(out)
}

/// Encode a whole URL: escapes of unreserved characters are undone, illegal characters are escaped.
///
/// A `%` before two letters or digits that are not both hexadecimal makes every `%` of the text data.
pub(super) fn requote(text: &str) -> String {
    requote_with(text, escapes_are_sound(text))
}

/// As [`requote`], for a part of a URL in which escapes count or do not.
pub(super) fn requote_with(text: &str, escapes_count: bool) -> String {
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(bytes.len() + 16);
    let mut i = 0;
    while let Some(&byte) = bytes.get(i) {
        match escape_at(bytes, i) {
            Some(value) if escapes_count && UNRESERVED.has(value) => {
                out.push(value as char);
                i += 3;
                continue;
            }
            _ if WHOLE.has(byte) || (escapes_count && byte == b'%') => out.push(byte as char),
            _ => push_escape(&mut out, byte),
        }
        i += 1;
    }
    out
}

pub(super) fn escapes_are_sound(text: &str) -> bool {
    text.split('%').skip(1).all(|part| {
        let mut head = part.chars();
        match (head.next(), head.next()) {
            (Some(a), Some(b)) if a.is_alphanumeric() && b.is_alphanumeric() => {
                a.is_ascii_hexdigit() && b.is_ascii_hexdigit()
            }
            _ => true,
        }
    })
}

/// Undo every escape; bytes that are no UTF-8 become replacement characters.
pub(super) fn unquote(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}
