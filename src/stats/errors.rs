//! Failed requests, grouped as Locust groups them: by method, name and text.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::hash::{Hash, Hasher};

use rustc_hash::{FxHashMap, FxHasher};
use sha2::{Digest, Sha256};

/// A failure in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorText<'a> {
    /// What groups it and stands in the files: the error itself if it is a string, else its `repr`.
    pub text: &'a str,
    /// What the error report shows after method and name.
    pub shown: &'a str,
}

impl<'a> ErrorText<'a> {
    /// The text of an error that is nothing but text, as one that came from another node is. Its report shows
    /// what stands within `CatchResponseError(…)`.
    pub fn of_text(text: &'a str) -> Self {
        let inner = text.strip_prefix("CatchResponseError(").map(|rest| {
            let end = rest.char_indices().next_back().map_or(0, |(last, _)| last);
            &rest[..end]
        });
        Self { text, shown: inner.unwrap_or(text) }
    }
}

/// All failures of one method, name and text.
#[derive(Debug, Clone, PartialEq)]
pub struct ErrorRecord {
    /// Locust's key; also what the files are sorted by.
    pub key: String,
    pub method: String,
    pub name: String,
    pub text: String,
    pub shown: String,
    pub occurrences: u64,
    pub first_seen: Option<f64>,
    pub last_seen: Option<f64>,
}

impl ErrorRecord {
    /// As the error report names it.
    pub fn title(&self) -> String {
        format!("{} {}: {}", self.method, self.name, self.shown)
    }
}

/// Every record, in order of first occurrence.
#[derive(Debug, Clone, Default)]
pub struct Errors {
    records: Vec<ErrorRecord>,
    by_key: HashMap<String, usize>,
    /// From a hash of what was reported, so that a failure seen before costs no SHA-256. Bounded, because
    /// texts that differ by an address only fall into one record and yet are all different here.
    seen: FxHashMap<u64, (usize, Box<str>)>,
}

impl Errors {
    const SEEN: usize = 4096;

    /// Count one failure; says where its record is and whether it is new.
    pub fn record(&mut self, method: &str, name: &str, error: ErrorText<'_>, at: f64) -> (usize, bool) {
        let hash = hash(method, name, error.text);
        let (index, new) = match self.seen(hash, method, name, error.text) {
            Some(index) => (index, false),
            None => self.find_or_add(hash, method, name, error),
        };
        let record = &mut self.records[index];
        record.occurrences += 1;
        record.first_seen.get_or_insert(at);
        record.last_seen = Some(at);
        (index, new)
    }

    /// Whether such a failure was counted. Where there are very many kinds, it may have been forgotten.
    pub fn knows(&self, method: &str, name: &str, text: &str) -> bool {
        self.seen(hash(method, name, text), method, name, text).is_some()
    }

    fn seen(&self, hash: u64, method: &str, name: &str, text: &str) -> Option<usize> {
        let (index, seen) = self.seen.get(&hash)?;
        let record = &self.records[*index];
        (**seen == *text && record.method == method && record.name == name).then_some(*index)
    }

    pub fn get(&self, key: &str) -> Option<&ErrorRecord> {
        self.by_key.get(key).map(|index| &self.records[*index])
    }

    pub fn iter(&self) -> impl Iterator<Item = &ErrorRecord> {
        self.records.iter()
    }

    pub fn len(&self) -> usize {
        self.records.len()
    }

    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    pub fn sorted_by_key(&self) -> Vec<&ErrorRecord> {
        let mut records: Vec<_> = self.records.iter().collect();
        records.sort_by(|a, b| a.key.cmp(&b.key));
        records
    }

    /// Add what another node counted.
    pub fn merge(&mut self, other: &ErrorRecord) {
        let error = ErrorText { text: &other.text, shown: &other.shown };
        self.add_many(&other.method, &other.name, error, other.occurrences, (other.first_seen, other.last_seen));
    }

    /// As [`Errors::merge`], of what is in no record: how often, and when first and last.
    pub fn add_many(
        &mut self,
        method: &str,
        name: &str,
        error: ErrorText<'_>,
        occurrences: u64,
        seen: (Option<f64>, Option<f64>),
    ) {
        let hash = hash(method, name, error.text);
        let index = self.seen(hash, method, name, error.text);
        let index = index.unwrap_or_else(|| self.find_or_add(hash, method, name, error).0);
        let record = &mut self.records[index];
        record.occurrences = record.occurrences.saturating_add(occurrences);
        record.first_seen = [record.first_seen, seen.0].into_iter().flatten().reduce(f64::min);
        record.last_seen = [record.last_seen, seen.1].into_iter().flatten().reduce(f64::max);
    }

    /// Forget the record with this key; `false` if there is none.
    pub fn remove(&mut self, key: &str) -> bool {
        let Some(index) = self.by_key.get(key).copied() else { return false };
        self.records.remove(index);
        self.by_key = self.records.iter().enumerate().map(|(place, record)| (record.key.clone(), place)).collect();
        self.seen.clear();
        true
    }

    pub fn clear(&mut self) {
        *self = Self::default();
    }

    fn find_or_add(&mut self, hash: u64, method: &str, name: &str, error: ErrorText<'_>) -> (usize, bool) {
        let key = error_key(method, name, error.text);
        let found = self.by_key.get(&key).copied();
        let index = found.unwrap_or_else(|| self.add(key, method, name, error));
        if self.seen.len() >= Self::SEEN {
            self.seen.clear();
        }
        self.seen.insert(hash, (index, error.text.into()));
        (index, found.is_none())
    }

    fn add(&mut self, key: String, method: &str, name: &str, error: ErrorText<'_>) -> usize {
        self.by_key.insert(key.clone(), self.records.len());
        self.records.push(ErrorRecord {
            key,
            method: method.into(),
            name: name.into(),
            text: without_address(error.text),
            shown: error.shown.into(),
            occurrences: 0,
            first_seen: None,
            last_seen: None,
        });
        self.records.len() - 1
    }
}

/// Locust's key of an error: SHA-256 of method, name and the `repr` of its text.
pub fn error_key(method: &str, name: &str, text: &str) -> String {
    let digest = Sha256::digest(format!("{method}.{name}.{}", python_repr(&without_address(text))));
    digest.iter().fold(String::with_capacity(64), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// `<X object at 0x7f…>` → `<X object at 0x....>`, so that errors which differ by an address are one.
pub fn without_address(text: &str) -> String {
    const MARK: &str = "object at 0x";
    let Some(start) = text.find(MARK).map(|at| at + MARK.len() - 2) else { return text.into() };
    let Some(end) = text[start..].find('>').map(|length| start + length) else { return text.into() };
    text.replace(&text[start..end], "0x....")
}

/// A string as Python's `repr` writes it.
pub fn python_repr(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut repr = String::from(quote);
    for letter in text.chars() {
        match letter {
            '\\' => repr.push_str("\\\\"),
            '\n' => repr.push_str("\\n"),
            '\r' => repr.push_str("\\r"),
            '\t' => repr.push_str("\\t"),
            _ if letter == quote => repr.extend(['\\', quote]),
            _ if is_printable(letter) => repr.push(letter),
            _ => escape(&mut repr, u32::from(letter)),
        }
    }
    repr.push(quote);
    repr
}

fn escape(repr: &mut String, letter: u32) {
    let _ = match letter {
        0..=0xff => write!(repr, "\\x{letter:02x}"),
        0x100..=0xffff => write!(repr, "\\u{letter:04x}"),
        _ => write!(repr, "\\U{letter:08x}"),
    };
}

/// Near enough to Python's idea of printable for what stands in error texts. A letter judged otherwise gives
/// its error another key, and nothing else.
fn is_printable(letter: char) -> bool {
    let other_space = letter.is_whitespace() && letter != ' ';
    let invisible = matches!(letter, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff0}'..='\u{fffb}' | '\u{e000}'..='\u{f8ff}' | '\u{e0000}'..='\u{10ffff}');
    !(letter.is_control() || other_space || invisible)
}

fn hash(method: &str, name: &str, text: &str) -> u64 {
    let mut hasher = FxHasher::default();
    (method, name, text).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(text: &str) -> ErrorText<'_> {
        ErrorText { text, shown: text }
    }

    #[test]
    fn the_key_is_locusts() {
        let keys = [
            ("ValueError('x')", "21e34e588463fafe3730ba5ec38c0dc4476555d67a1728d3dcd5eaf1f16dfe14"),
            ("boom", "53171db8f106c52fc13ae156893347ab440162e61e399bc9d97a4d5fb992a418"),
            ("CatchResponseError('boom')", "8404061ad415387155310a0838c368dda988802a8bcd899dbe7ff37bf08057ee"),
        ];
        for (text, key) in keys {
            assert_eq!(error_key("GET", "/", text), key);
        }
    }

    #[test]
    fn errors_that_differ_by_an_address_are_one() {
        let mut errors = Errors::default();
        errors.record("GET", "/", failure("Bad(<X object at 0x7f01>)"), 1.0);
        errors.record("GET", "/", failure("Bad(<X object at 0x7f02>)"), 2.0);
        errors.record("GET", "/", failure("Bad(<X object at 0x7f02>)"), 3.0);
        let records: Vec<_> = errors.iter().collect();
        assert_eq!((records.len(), records[0].occurrences), (1, 3));
        assert_eq!((records[0].first_seen, records[0].last_seen), (Some(1.0), Some(3.0)));
        assert_eq!(records[0].text, "Bad(<X object at 0x....>)");
    }

    #[test]
    fn method_and_name_tell_errors_apart() {
        let mut errors = Errors::default();
        for (method, name) in [("GET", "/a"), ("GET", "/b"), ("POST", "/a"), ("GET", "/a")] {
            errors.record(method, name, failure("x"), 1.0);
        }
        assert_eq!(errors.iter().map(|record| record.occurrences).collect::<Vec<_>>(), [2, 1, 1]);
    }

    #[test]
    fn a_repr_quotes_as_python_does() {
        let reprs =
            [("a", "'a'"), ("it's", "\"it's\""), ("'\"", "'\\'\"'"), ("a\\\n\u{1}é\u{a0}", "'a\\\\\\n\\x01é\\xa0'")];
        for (text, repr) in reprs {
            assert_eq!(python_repr(text), repr);
        }
    }

    #[test]
    fn text_from_a_worker_is_unwrapped_for_the_report() {
        assert_eq!(ErrorText::of_text("CatchResponseError('boom')").shown, "'boom'");
        assert_eq!(ErrorText::of_text("ValueError('x')").shown, "ValueError('x')");
    }
}
