//! Text as Python treats it, where an error's words or a rule depend on it.

use std::fmt::Write as _;

/// `str.isspace`: Unicode's white space, and the four separators of ASCII.
pub fn is_space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\x1c'..='\x1f')
}

/// The white space of `bytes`.
pub fn is_ascii_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// How Python shows a string in an error: quoted, with what cannot be printed escaped.
pub fn repr(text: &str) -> String {
    let quote = quote_for(text.contains('\''), text.contains('"'));
    let mut out = String::with_capacity(text.len() + 2);
    out.push(quote);
    for c in text.chars() {
        let code = c as u32;
        match c {
            c if push_escape(&mut out, c, quote) => {}
            c if c.is_control() || matches!(c, '\u{a0}' | '\u{ad}') => {
                push(&mut out, format_args!("\\x{code:02x}"));
            }
            c if c.is_whitespace() && c != ' ' => push(&mut out, format_args!("\\u{code:04x}")),
            c => out.push(c),
        }
    }
    out.push(quote);
    out
}

/// The same for bytes, `b` in front.
pub fn repr_bytes(bytes: &[u8]) -> String {
    let quote = quote_for(bytes.contains(&b'\''), bytes.contains(&b'"'));
    let mut out = String::with_capacity(bytes.len() + 3);
    out.push('b');
    out.push(quote);
    for &byte in bytes {
        match char::from(byte) {
            c if push_escape(&mut out, c, quote) => {}
            c @ ' '..='~' => out.push(c),
            _ => push(&mut out, format_args!("\\x{byte:02x}")),
        }
    }
    out.push(quote);
    out
}

fn quote_for(single: bool, double: bool) -> char {
    if single && !double { '"' } else { '\'' }
}

fn push_escape(out: &mut String, c: char, quote: char) -> bool {
    match c {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        c if c == '\\' || c == quote => out.extend(['\\', c]),
        _ => return false,
    }
    true
}

fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a `String` cannot fail.
    let _ = out.write_fmt(text);
}

/// Bytes as ISO-8859-1 text: what Python's HTTP clients make of header bytes.
pub fn from_latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|&b| char::from(b)).collect()
}

/// Text as ISO-8859-1 bytes, or the first character that has none.
pub fn to_latin1(text: &str) -> Result<Vec<u8>, char> {
    text.chars().map(|c| u8::try_from(u32::from(c)).map_err(|_| c)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_show_as_python_shows_them() {
        assert_eq!(repr("a'b"), "\"a'b\"");
        assert_eq!(repr("a'b\"c"), "'a\\'b\"c'");
        assert_eq!(repr("\t\u{0}\u{2003}é\u{a0}\\"), "'\\t\\x00\\u2003é\\xa0\\\\'");
        assert_eq!(repr_bytes(b"a'\"\xe9\n "), "b'a\\'\"\\xe9\\n '");
    }

    #[test]
    fn latin1_goes_both_ways_and_refuses_the_rest() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(to_latin1(&from_latin1(&all)), Ok(all));
        assert_eq!(to_latin1("a€"), Err('€'));
    }
}
