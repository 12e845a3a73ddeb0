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
