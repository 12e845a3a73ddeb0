//! Request bodies and the headers that carry credentials, encoded as Python encodes them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The type of a form's body.
pub const FORM: &str = "application/x-www-form-urlencoded";

/// A form or a query of these pairs, in their order, repeated names and all.
///
/// The caller has already made pairs of a mapping, dropped the `None`s and spread out the lists.
pub fn urlencode<N: AsRef<[u8]>, V: AsRef<[u8]>>(
    pairs: impl IntoIterator<Item = (N, V)>,
) -> String {
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
