//! Answers that are files: with a tag by which a browser sees that it has them already, and in pieces where one asks.

use std::ops::Range;
use std::time::SystemTime;

use bytes::Bytes;
use hyper::header::{HeaderMap, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, RANGE};

use super::ready::{Ready, text};

/// A file as it is now.
#[derive(Debug, Clone)]
pub struct File {
    pub content_type: &'static str,
    /// As `inline; filename=a.js`.
    pub disposition: String,
    pub cache_control: &'static str,
    pub modified: SystemTime,
    /// In quotation marks.
    pub tag: String,
    pub content: Bytes,
}

impl File {
    /// All of it, the piece that is asked for, or that it has not changed.
    pub fn answer(self, asked: &HeaderMap) -> Ready {
        let ready = |status: u16, body: Bytes| {
            Ready::new(status, self.content_type, body)
                .with("content-disposition", self.disposition.clone())
                .with("cache-control", self.cache_control)
                .with("etag", self.tag.clone())
                .with("accept-ranges", "bytes")
        };
        let modified = httpdate::fmt_http_date(self.modified);
        if self.is_known(asked, &modified) {
            return ready(304, Bytes::new());
        }
        let length = self.content.len();
        match header(asked, &RANGE).filter(|_| self.may_be_cut(asked)).map(|range| piece(range, length)) {
            Some(Piece::Of(range)) => {
                let place = format!("bytes {}-{}/{length}", range.start, range.end - 1);
                ready(206, self.content.slice(range)).with("last-modified", modified).with("content-range", place)
            }
            Some(Piece::None) => {
                text(416, "The file has no such range.").with("content-range", format!("bytes */{length}"))
            }
            Some(Piece::All) | None => ready(200, self.content.clone()).with("last-modified", modified),
        }
    }

    fn is_known(&self, asked: &HeaderMap, modified: &str) -> bool {
        match header(asked, &IF_NONE_MATCH) {
            Some(tags) => tags
                .split(',')
                .any(|tag| matches!(tag.trim().trim_start_matches("W/"), known if known == self.tag || known == "*")),
            None => header(asked, &IF_MODIFIED_SINCE).is_some_and(|since| is_since(modified, since)),
        }
    }

    /// A piece of what is another file by now would be of no use.
    fn may_be_cut(&self, asked: &HeaderMap) -> bool {
        header(asked, &IF_RANGE)
            .is_none_or(|known| known == self.tag || known == httpdate::fmt_http_date(self.modified))
    }
}

fn header<'h>(headers: &'h HeaderMap, name: &hyper::header::HeaderName) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// By whole seconds, as that is all that either says.
fn is_since(modified: &str, since: &str) -> bool {
    match (httpdate::parse_http_date(modified), httpdate::parse_http_date(since)) {
        (Ok(modified), Ok(since)) => modified <= since,
        _ => false,
    }
}

#[derive(Debug, PartialEq)]
enum Piece {
    Of(Range<usize>),
    /// It lies behind the end.
    None,
    /// What cannot be understood, or is several, is not asked for.
    All,
}

fn piece(range: &str, length: usize) -> Piece {
    let Some((from, to)) = range.strip_prefix("bytes=").and_then(|range| range.split_once('-')) else {
        return Piece::All;
    };
    let number = |text: &str| text.trim().parse::<usize>();
    let range = match (number(from), number(to)) {
        (Ok(from), Ok(to)) if from <= to => from..to.saturating_add(1).min(length),
        (Ok(from), Err(_)) if to.trim().is_empty() => from..length,
        (Err(_), Ok(last)) if from.trim().is_empty() => length.saturating_sub(last)..length,
        _ => return Piece::All,
    };
    if range.is_empty() { Piece::None } else { Piece::Of(range) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};

    fn answer(headers: &[(&'static str, &str)]) -> Ready {
        let file = File {
            content_type: "text/plain",
            disposition: "inline".into(),
            cache_control: "no-cache",
            modified: UNIX_EPOCH + Duration::from_millis(1_767_225_600_500),
            tag: "\"a\"".into(),
            content: Bytes::from_static(b"0123456789"),
        };
        let headers =
            headers.iter().map(|(name, value)| ((*name).try_into().unwrap(), value.parse().unwrap())).collect();
        file.answer(&headers)
    }

    #[test]
    fn a_piece_is_what_was_asked_for() {
        let cut = |range| {
            let ready = answer(&[("range", range)]);
            (ready.status, String::from_utf8(ready.body.to_vec()).unwrap())
        };
        assert_eq!(cut("bytes=2-4"), (206, "234".into()));
        assert_eq!(cut("bytes=7-"), (206, "789".into()));
        assert_eq!(cut("bytes=-2"), (206, "89".into()));
        assert_eq!(cut("bytes=5-99"), (206, "56789".into()));
        assert_eq!((cut("bytes=10-").0, cut("bytes=-0").0), (416, 416));
        for range in ["bytes=4-2", "bytes=1-2,4-5", "lines=1-2", "bytes=x-", "bytes=-"] {
            assert_eq!(cut(range).0, 200, "{range}");
        }
        assert_eq!(answer(&[("range", "bytes=0-1"), ("if-range", "\"b\"")]).status, 200);
        assert_eq!(answer(&[("range", "bytes=0-1"), ("if-range", "\"a\"")]).status, 206);
    }

    #[test]
    fn who_has_it_is_told_so() {
        assert_eq!(answer(&[("if-none-match", "\"b\", W/\"a\"")]).status, 304);
        assert_eq!(
            answer(&[("if-none-match", "\"b\""), ("if-modified-since", "Fri, 01 Jan 2027 00:00:00 GMT")]).status,
            200
        );
        assert_eq!(answer(&[("if-modified-since", "Thu, 01 Jan 2026 00:00:00 GMT")]).status, 304);
        assert_eq!(answer(&[("if-modified-since", "Wed, 31 Dec 2025 23:59:59 GMT")]).status, 200);
    }
}
