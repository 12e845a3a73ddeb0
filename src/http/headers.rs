//! Header fields: as a response brought them, and as a request is given them.
//!
//! A response keeps its fields in one buffer, because a test keeps as many responses as it has users.

use std::borrow::Cow;
use std::fmt;

use super::text::{from_latin1, is_ascii_space, is_space, repr, repr_bytes};

/// Fields in the order they came, names as they were written, values as bytes.
///
/// One allocation: each field is its two lengths, its name and its value. Looking one up is a scan, which for the
/// dozen fields of a response is quicker than hashing.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers {
    buffer: Vec<u8>,
}

/// What a field costs besides its text.
const LENGTHS: usize = 8;

impl Headers {
    pub const fn new() -> Self {
        Self { buffer: Vec::new() }
    }

    /// Room for `fields` fields of `bytes` bytes of names and values together.
    pub fn with_capacity(fields: usize, bytes: usize) -> Self {
        Self { buffer: Vec::with_capacity(fields * LENGTHS + bytes) }
    }

    /// Put a field at the end; one of the same name stays.
    pub fn push(&mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) {
        let (name, value) = (name.as_ref(), value.as_ref());
        self.buffer.reserve(LENGTHS + name.len() + value.len());
        self.buffer.extend_from_slice(&(name.len() as u32).to_le_bytes());
        self.buffer.extend_from_slice(&(value.len() as u32).to_le_bytes());
        self.buffer.extend_from_slice(name);
        self.buffer.extend_from_slice(value);
    }

    pub fn iter(&self) -> Iter<'_> {
        Iter { rest: &self.buffer }
    }

    pub fn len(&self) -> usize {
        self.iter().count()
    }

    pub fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    /// The first value of this name, in whatever case.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.iter().find(|(own, _)| own.eq_ignore_ascii_case(name.as_bytes())).map(|(_, value)| value)
    }

    pub fn get_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.iter().filter(move |(own, _)| own.eq_ignore_ascii_case(name.as_bytes())).map(|(_, value)| value)
    }

    /// Every value of this name, with commas between: what requests' `response.headers[name]` holds.
    pub fn joined(&self, name: &str) -> Option<Cow<'_, [u8]>> {
        let mut joined: Option<Cow<'_, [u8]>> = None;
        for (_, value) in self.iter().filter(|(own, _)| own.eq_ignore_ascii_case(name.as_bytes())) {
            match &mut joined {
                None => joined = Some(Cow::Borrowed(value)),
                Some(so_far) => {
                    let so_far = so_far.to_mut();
                    so_far.extend_from_slice(b", ");
                    so_far.extend_from_slice(value);
                }
            }
        }
        joined
    }

    /// [`Self::joined`] as Python reads it: ISO-8859-1.
    pub fn text(&self, name: &str) -> Option<String> {
        self.joined(name).map(|value| from_latin1(&value))
    }

    pub fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Drop every field of this name.
    pub fn remove(&mut self, name: &str) {
        if self.contains(name) {
            let kept = self.iter().filter(|(own, _)| !own.eq_ignore_ascii_case(name.as_bytes()));
            *self = kept.collect();
        }
    }

    /// Make `value` the only one of this name: where the first stood, under the name as it is now written.
    pub fn set(&mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) {
        let (name, value) = (name.as_ref(), value.as_ref());
        let mut changed = Self::with_capacity(0, self.buffer.len() + LENGTHS + name.len() + value.len());
        let mut done = false;
        for (own, old) in &*self {
            if !own.eq_ignore_ascii_case(name) {
                changed.push(own, old);
            } else if !std::mem::replace(&mut done, true) {
                changed.push(name, value);
            }
        }
        if !done {
            changed.push(name, value);
        }
        *self = changed;
    }

    /// A session's fields under those of one request, as requests merges them: a field of the request takes the
    /// place and the spelling, `None` takes the session's away, and what is new comes last.
    #[must_use]
    pub fn merge<N: AsRef<[u8]>, V: AsRef<[u8]>>(&self, request: &[(N, Option<V>)]) -> Self {
        // The last spelling of a name decides.
        let decided = |name: &[u8]| request.iter().rev().find(|(own, _)| own.as_ref().eq_ignore_ascii_case(name));
        let mut merged = Self::with_capacity(request.len(), self.buffer.len());
        for (name, value) in self {
            match decided(name) {
                None => merged.push(name, value),
                Some((name, Some(value))) => merged.push(name, value),
                Some((_, None)) => {}
            }
        }
        for (i, (name, _)) in request.iter().enumerate() {
            let same = |(own, _): &(N, Option<V>)| own.as_ref().eq_ignore_ascii_case(name.as_ref());
            let placed =
                request[..i].iter().any(same) || self.iter().any(|(own, _)| own.eq_ignore_ascii_case(name.as_ref()));
            if let (false, Some((name, Some(value)))) = (placed, decided(name.as_ref())) {
                merged.push(name, value);
            }
        }
        merged
    }
}

impl<N: AsRef<[u8]>, V: AsRef<[u8]>> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(fields: I) -> Self {
        let mut headers = Self::new();
        for (name, value) in fields {
            headers.push(name, value);
        }
        headers
    }
}

impl<'a> IntoIterator for &'a Headers {
    type Item = (&'a [u8], &'a [u8]);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.iter().map(|(name, value)| (from_latin1(name), from_latin1(value)));
        f.debug_map().entries(shown).finish()
    }
}

/// Names and values, in order.
#[derive(Debug, Clone)]
pub struct Iter<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Iter<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (name_length, rest) = self.rest.split_first_chunk()?;
        let (value_length, rest) = rest.split_first_chunk()?;
        let (name, rest) = rest.split_at(u32::from_le_bytes(*name_length) as usize);
        let (value, rest) = rest.split_at(u32::from_le_bytes(*value_length) as usize);
        self.rest = rest;
        Some((name, value))
    }
}

/// A header's name or value as Python gave it: what counts as white space differs.
#[derive(Debug, Clone, Copy)]
pub enum Part<'a> {
    Text(&'a str),
    Bytes(&'a [u8]),
}

impl Part<'_> {
    fn starts_with_space(self) -> bool {
        match self {
            Self::Text(text) => text.starts_with(is_space),
            Self::Bytes(bytes) => bytes.first().is_some_and(|&b| is_ascii_space(b)),
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }

    fn repr(self) -> String {
        match self {
            Self::Text(text) => repr(text),
            Self::Bytes(bytes) => repr_bytes(bytes),
        }
    }
}

/// A field that may not be sent: requests' `InvalidHeader`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Invalid leading whitespace, reserved character(s), or return character(s) in header {kind}: {shown}")]
pub struct InvalidHeader {
    kind: &'static str,
    shown: String,
}

/// Refuse what requests refuses: white space in front, line ends anywhere, a name that is empty or holds a colon.
pub fn check(name: Part<'_>, value: Part<'_>) -> Result<(), InvalidHeader> {
    let refuse = |kind, part: Part<'_>| Err(InvalidHeader { kind, shown: part.repr() });
    let ends_line = |part: Part<'_>| memchr::memchr2(b'\r', b'\n', part.bytes()).is_some();
    if name.bytes().is_empty() || name.starts_with_space() || ends_line(name) || name.bytes().contains(&b':') {
        return refuse("name", name);
    }
    if value.starts_with_space() || ends_line(value) {
        return refuse("value", value);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Pairs = Vec<(String, String)>;

    #[test]
    fn fields_keep_their_order_and_spelling() {
        let mut headers: Headers = [("B", "1"), ("a", ""), ("b", "2")].into_iter().collect();
        assert_eq!(headers.len(), 3);
        assert_eq!(headers.get("b"), Some(&b"1"[..]));
        assert_eq!(headers.joined("B").unwrap(), &b"1, 2"[..]);
        assert_eq!(headers.get_all("b").count(), 2);
        assert_eq!(headers.text("A").as_deref(), Some(""));
        headers.set("b", "3");
        assert_eq!(format!("{headers:?}"), r#"{"b": "3", "a": ""}"#);
        headers.remove("A");
        assert!(!headers.contains("a"));
        headers.remove("b");
        assert!(headers.is_empty());
    }

    #[test]
    fn a_request_overrides_its_session_in_place_and_none_takes_away() {
        let session: Headers =
            [("User-Agent", "s"), ("Accept", "*/*"), ("Connection", "keep-alive")].into_iter().collect();
        let request = [("X-New", Some("1")), ("ACCEPT", Some("json")), ("connection", None), ("x-new", Some("2"))];
        let merged = session.merge(&request);
        // requests: CaseInsensitiveDict keeps the place of the first, and the spelling and value of the last.
        let expected = [("User-Agent", "s"), ("ACCEPT", "json"), ("x-new", "2")];
        assert_eq!(merged, expected.into_iter().collect());
    }

    #[test]
    fn what_requests_refuses_is_refused_with_its_words() {
        let words = "Invalid leading whitespace, reserved character(s), or return character(s) in header";
        let refused = [
            (Part::Text("a"), Part::Text(" b"), "value: ' b'"),
            (Part::Text("a"), Part::Text("b\nc"), "value: 'b\\nc'"),
            (Part::Text("a"), Part::Text("\u{a0}b"), "value: '\\xa0b'"),
            (Part::Text("a"), Part::Bytes(b"\tb"), "value: b'\\tb'"),
            (Part::Text(""), Part::Text("b"), "name: ''"),
            (Part::Text("a:"), Part::Text("b"), "name: 'a:'"),
            (Part::Bytes(b"a\r"), Part::Text("b"), "name: b'a\\r'"),
        ];
        for (name, value, shown) in refused {
            assert_eq!(check(name, value).unwrap_err().to_string(), format!("{words} {shown}"));
        }
        for value in [Part::Text(""), Part::Text("b "), Part::Bytes(b"\xa0b"), Part::Text("b\0\u{85}")] {
            assert_eq!(check(Part::Text("a b"), value), Ok(()));
        }
    }

    proptest! {
        #[test]
        fn what_goes_in_comes_out(fields: Pairs) {
            let headers: Headers = fields.iter().map(|(n, v)| (n, v)).collect();
            let expected: Vec<(&[u8], &[u8])> = fields.iter().map(|(n, v)| (n.as_bytes(), v.as_bytes())).collect();
            prop_assert_eq!(headers.iter().collect::<Vec<_>>(), expected);
        }

        #[test]
        fn merging_leaves_one_field_of_a_name(
            session in prop::collection::hash_map("[ab]", "[0-9]", 0..3),
            request in prop::collection::vec(("[aAbBcC]", prop::option::of("[0-9]")), 0..6),
        ) {
            let merged = session.iter().collect::<Headers>().merge(&request);
            for name in ["a", "b", "c"] {
                let last = request.iter().rev().find(|(own, _)| own.eq_ignore_ascii_case(name));
                let expected = last.map_or(session.get(name), |(_, value)| value.as_ref());
                prop_assert_eq!(merged.get_all(name).count(), usize::from(expected.is_some()));
                prop_assert_eq!(merged.text(name), expected.cloned());
            }
        }
    }
}
