//! Host names as urllib3 accepts and writes them.

use std::borrow::Cow;

use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};

use super::UrlError;
use super::quote::{UNRESERVED, encode_component, escape_at};
use crate::http::text::repr;

/// Split `host:port`. The outer `Option` says whether it is one; an empty port is none.
pub(super) fn split_port(text: &str) -> Option<(&str, Option<&str>)> {
    let end = if text.starts_with('[') {
        let end = text.find(']')? + 1;
        is_bracketed_ipv6(&text[..end]).then_some(end)?
    } else {
        let end = text.find(':').unwrap_or(text.len());
        is_reg_name(&text[..end]).then_some(end)?
    };
    let (host, rest) = text.split_at(end);
    let Some(port) = rest.strip_prefix(':') else {
        return rest.is_empty().then_some((host, None));
    };
    let digits = port.trim_start_matches('0');
    let sound = digits.len() <= 5 && digits.bytes().all(|b| b.is_ascii_digit());
    sound.then_some(())?;
    Some((host, if port.is_empty() { None } else { Some(if digits.is_empty() { "0" } else { digits }) }))
}

fn is_reg_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.iter().enumerate().all(|(i, b)| match b {
        b'[' | b']' | b':' | b'/' | b'?' | b'#' => false,
        b'%' => escape_at(bytes, i).is_some(),
        _ => true,
    })
}

fn is_bracketed_ipv6(text: &str) -> bool {
    let inner = &text[1..text.len() - 1];
    let Some((address, zone)) = inner.split_once('%') else {
        return is_ipv6(inner);
    };
    let bytes = zone.as_bytes();
    let mut i = 0;
    while i < bytes.len() {
        i += match bytes[i] {
            b'%' if escape_at(bytes, i).is_some() => 3,
            b if UNRESERVED.has(b) => 1,
            _ => return false,
        };
    }
    is_ipv6(address) && !zone.is_empty()
}

fn is_ipv6(text: &str) -> bool {
    let count = |groups: &str, tail_allowed: bool| -> Option<usize> {
        let mut total = 0;
        let mut rest = groups.split(':').peekable();
        while let Some(group) = rest.next() {
            let last = rest.peek().is_none();
            total += match group {
                g if (1..=4).contains(&g.len()) && g.bytes().all(|b| b.is_ascii_hexdigit()) => 1,
                g if last && tail_allowed && is_dotted_quad(g) => 2,
                _ => return None,
            };
        }
        Some(total)
    };
    match text.split_once("::") {
        None => count(text, true) == Some(8),
        Some((left, right)) => {
            let left = if left.is_empty() { Some(0) } else { count(left, false) };
            let right = if right.is_empty() { Some(0) } else { count(right, true) };
            matches!((left, right), (Some(l), Some(r)) if l + r <= 7)
        }
    }
}

fn is_dotted_quad(text: &str) -> bool {
    text.split('.').count() == 4
        && text.split('.').all(|part| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()))
}

/// An IPv4 address in any of the spellings `inet_aton` takes: such a host is left as it is.
fn is_ipv4_like(text: &str) -> bool {
    let number = |part: &str| {
        let hexadecimal = part.strip_prefix("0x").or_else(|| part.strip_prefix("0X"));
        let is_number = |digits: &str, radix| !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix));
        hexadecimal.is_some_and(|digits| is_number(digits, 16)) || is_number(part, 10)
    };
    text.split('.').count() <= 4 && text.split('.').all(number)
}

/// The host as requests writes it into a URL: lower case, international labels encoded, brackets kept.
pub(super) fn normalise(host: &str) -> Result<String, UrlError> {
    if let Some(bad) = invalid_character(host) {
        return Err(bad);
    }
    if host.starts_with('[') {
        return normalise_ipv6(host);
    }
    if host.is_empty() || is_ipv4_like(host) {
        return Ok(host.to_owned());
    }
    let host = normalise_escapes(host)?;
    let labels: Result<Vec<_>, _> = host.split('.').map(normalise_label).collect();
    Ok(labels?.join("."))
}

pub(super) fn invalid_character(host: &str) -> Option<UrlError> {
    let bad = host.chars().find(|&c| c <= ' ' || c == '\x7f')?;
    let reason = format!("Host {} contains invalid character {}", repr(host), repr(bad.encode_utf8(&mut [0; 4])));
    Some(UrlError::Unparsable(reason))
}

fn normalise_ipv6(host: &str) -> Result<String, UrlError> {
    let Some((address, zone)) = host.trim_end_matches(']').split_once('%') else {
        return Ok(host.to_lowercase());
    };
    // A zone's own `%` is written `%25` in a URL, except where that leaves no zone.
    let zone = zone.strip_prefix("25").filter(|rest| !rest.is_empty()).unwrap_or(zone);
    refuse_escaped_controls(zone, host)?;
    Ok(format!("{}%{}]", address.to_lowercase(), encode_component(zone, UNRESERVED)))
}

fn refuse_escaped_controls(text: &str, host: &str) -> Result<(), UrlError> {
    for (i, _) in text.match_indices('%') {
        if escape_at(text.as_bytes(), i).is_some_and(|value| value < b' ' || value == 0x7f) {
            let (host, escape) = (repr(host), repr(&text[i..i + 3]));
            let reason = format!("Host {host} contains invalid percent-encoded control character {escape}");
            return Err(UrlError::Unparsable(reason));
        }
    }
    Ok(())
}

fn normalise_escapes(host: &str) -> Result<Cow<'_, str>, UrlError> {
    if !host.contains('%') {
        return Ok(Cow::Borrowed(host));
    }
    refuse_escaped_controls(host, host)?;
    let bytes = host.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while let Some(&byte) = bytes.get(i) {
        match escape_at(bytes, i) {
            Some(value) if UNRESERVED.has(value) => out.push(value),
            Some(_) => out.extend(bytes[i..i + 3].iter().map(u8::to_ascii_uppercase)),
            None if byte == b'%' => {
                return Err(UrlError::Unparsable(format!("{} is not a valid host", repr(host))));
            }
            None => out.push(byte),
        }
        i += if byte == b'%' { 3 } else { 1 };
    }
    Ok(Cow::Owned(String::from_utf8(out).expect("escapes give way to ASCII only")))
}

fn normalise_label(label: &str) -> Result<String, UrlError> {
    if label.is_ascii() {
        let mut label = label.to_ascii_lowercase();
        for (i, _) in label.clone().match_indices('%') {
            label[i..i + 3].make_ascii_uppercase();
        }
        return Ok(label);
    }
    international(&label.to_lowercase())
        .ok_or_else(|| UrlError::Unparsable(format!("Name '{label}' is not a valid IDNA label")))
}

/// A label in its `xn--` form, if it may be one as it stands: Python's encoder maps nothing (no full-width
/// letters to ASCII) and knows no symbols.
pub(super) fn international(label: &str) -> Option<String> {
    let strict = Uts46::new();
    let ascii = strict.to_ascii(label.as_bytes(), AsciiDenyList::STD3, Hyphens::Check, DnsLength::Verify).ok()?;
    let (back, sound) = strict.to_unicode(ascii.as_bytes(), AsciiDenyList::STD3, Hyphens::Check);
    (sound.is_ok() && back == label && !label.contains(is_symbol) && !label.contains('.')).then(|| ascii.into_owned())
}

/// The blocks of punctuation, symbols and pictures, which IDNA 2008 leaves out and UTS 46 does not.
fn is_symbol(c: char) -> bool {
    matches!(c, '\u{a1}'..='\u{b6}' | '\u{b8}'..='\u{bf}' | '\u{d7}' | '\u{f7}' | '\u{2010}'..='\u{2bff}'
        | '\u{3000}'..='\u{3004}' | '\u{1f000}'..='\u{1faff}')
}
