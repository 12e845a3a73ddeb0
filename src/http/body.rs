//! Request bodies and the headers that carry credentials, encoded as Python encodes them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The type of a form's body.
pub const FORM: &str = "application/x-www-form-urlencoded";

/// A form or a query of these pairs, in their order, repeated names and all.
///
/// The caller has already made pairs of a mapping, dropped the `None`s and spread out the lists.
pub fn urlencode<N: AsRef<[u8]>, V: AsRef<[u8]>>(pairs: impl IntoIterator<Item = (N, V)>) -> String {
    let mut out = String::new();
    for (name, value) in pairs {
        if !out.is_empty() {
            out.push('&');
        }
        push_quoted(&mut out, name.as_ref());
        out.push('=');
        push_quoted(&mut out, value.as_ref());
    }
    out
}

/// `quote_plus`: everything but letters, digits and `_.-~` is escaped, a space becomes `+`.
fn push_quoted(out: &mut String, bytes: &[u8]) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    out.reserve(bytes.len());
    for &byte in bytes {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'.' | b'-' | b'~' => {
                out.push(char::from(byte));
            }
            b' ' => out.push('+'),
            _ => {
                let digits = [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]];
                out.push('%');
                out.extend(digits.map(char::from));
            }
        }
    }
}

/// A body in the chunked transfer coding (RFC 9112, 7.1), in chunks as geventhttpclient makes them.
pub fn in_chunks(body: &[u8]) -> Box<[u8]> {
    const CHUNK: usize = 4096;
    let mut out = Vec::with_capacity(body.len() + body.len() / 256 + 16);
    for chunk in body.chunks(CHUNK) {
        out.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        out.extend_from_slice(chunk);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"0\r\n\r\n");
    out.into()
}

/// The `Authorization` header of a user and a password. Both clients take text as ISO-8859-1 (see
/// [`crate::http::text::to_latin1`]) and bytes as they are.
pub fn basic_auth(user: &[u8], password: &[u8]) -> String {
    format!("Basic {}", STANDARD.encode([user, b":", password].concat()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn forms_are_what_urlencode_makes() {
        let pairs = [("a", "1"), ("a", "2 3"), ("é&=", "+/~*%"), ("", "")];
        assert_eq!(urlencode(pairs), "a=1&a=2+3&%C3%A9%26%3D=%2B%2F~%2A%25&=");
        assert_eq!(urlencode([(b"\xff", b"\0")]), "%FF=%00");
        assert_eq!(urlencode::<&str, &str>([]), "");
    }

    #[test]
    fn a_body_in_chunks_ends_with_an_empty_one() {
        assert_eq!(&*in_chunks(b""), b"0\r\n\r\n");
        assert_eq!(&*in_chunks(b"hello"), b"5\r\nhello\r\n0\r\n\r\n");
        assert!(in_chunks(&[b'x'; 5000]).ends_with(b"xx\r\n0\r\n\r\n"));
    }

    #[test]
    fn basic_auth_is_base64_of_both() {
        assert_eq!(basic_auth(b"user", b"pass"), "Basic dXNlcjpwYXNz");
        let umlaut = crate::http::text::to_latin1("ü").unwrap();
        assert_eq!(basic_auth(&umlaut, b""), "Basic /Do=");
    }

    proptest! {
        #[test]
        fn a_form_reads_back(pairs: Vec<(String, String)>) {
            let form = urlencode(pairs.iter().map(|(name, value)| (name, value)));
            let back: Vec<(String, String)> = ::url::form_urlencoded::parse(form.as_bytes()).into_owned().collect();
            prop_assert_eq!(back, pairs);
        }
    }
}
