//! Header fields and header lines do what a plain list of pairs does.

#![no_main]

use gregaria::http::headers::{Headers, Part, check};
use gregaria::http::request::push_line;
use gregaria::http::transport::probe;
use gregaria::http::url::{Style, Url};
use gregaria::http::HeaderLines;
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;

/// Names that meet each other again, and any other.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Name<'a> {
    Known { which: u8, upper: u8 },
    Any(&'a [u8]),
}

impl Name<'_> {
    fn bytes(&self) -> Vec<u8> {
        const KNOWN: [&str; 10] =
            ["a", "b", "cookie", "host", "accept", "content-length", "x-a", "user-agent", "connection", "content-type"];
        match self {
            Self::Known { which, upper } => {
                let name = KNOWN[usize::from(which % 10)].bytes().enumerate();
                name.map(|(n, byte)| if upper >> (n % 8) & 1 == 1 { byte.to_ascii_uppercase() } else { byte }).collect()
            }
            Self::Any(bytes) => bytes.to_vec(),
        }
    }
}

type Field<'a> = (Name<'a>, &'a [u8]);

#[derive(Arbitrary, Debug)]
enum Change<'a> {
    Remove(Name<'a>),
    RetainLongerThan(u8),
    Push(Field<'a>),
}

#[derive(Arbitrary, Debug)]
struct Case<'a> {
    shared: Vec<Field<'a>>,
    own: Vec<Field<'a>>,
    trailing: Vec<Field<'a>>,
    request: Vec<(Name<'a>, Option<&'a [u8]>)>,
    changes: Vec<Change<'a>>,
}

type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

/// Those that a client lets through.
fn allowed(fields: &[Field<'_>]) -> Pairs {
    let sound = |name: &[u8], value: &[u8]| check(Part::Bytes(name), Part::Bytes(value)).is_ok();
    let fields = fields.iter().map(|(name, value)| (name.bytes(), value.to_vec()));
    fields.filter(|(name, value)| sound(name, value)).collect()
}

fn encoded(pairs: &Pairs) -> Vec<u8> {
    let mut out = Vec::new();
    pairs.iter().for_each(|(name, value)| push_line(&mut out, name, value));
    out
}

fn is(name: &[u8], other: &[u8]) -> bool {
    name.eq_ignore_ascii_case(other)
}

fuzz_target!(|case: Case<'_>| {
    merging(&allowed(&case.shared), &case.request);
    fields(&case.changes);
    lines(&case);
});

/// `Headers::merge` against its definition.
fn merging(session: &Pairs, request: &[(Name<'_>, Option<&[u8]>)]) {
    let mut unique = Pairs::new();
    for (name, value) in session {
        if !unique.iter().any(|(own, _)| is(own, name)) {
            unique.push((name.clone(), value.clone()));
        }
    }
    let request: Vec<_> = request.iter().map(|(name, value)| (name.bytes(), *value)).collect();
    let merged = unique.iter().map(|(n, v)| (n, v)).collect::<Headers>().merge(&request);
    // A dictionary that ignores case: a key keeps its place, and takes the last spelling and value.
    let mut model: Vec<(Vec<u8>, Option<Vec<u8>>)> =
        unique.into_iter().map(|(name, value)| (name, Some(value))).collect();
    for (name, value) in request {
        let value = value.map(<[u8]>::to_vec);
        match model.iter_mut().find(|(own, _)| is(own, &name)) {
            Some(entry) => *entry = (name, value),
            None => model.push((name, value)),
        }
    }
    let model: Vec<_> = model.iter().filter_map(|(n, v)| Some((&n[..], v.as_deref()?))).collect();
    assert_eq!(merged.iter().collect::<Vec<_>>(), model);
}

/// `Headers` against a list.
fn fields(changes: &[Change<'_>]) {
    let (mut headers, mut model) = (Headers::new(), Pairs::new());
    for change in changes {
        match change {
            Change::Push((name, value)) => {
                headers.push(name.bytes(), value);
                model.push((name.bytes(), value.to_vec()));
            }
            Change::Remove(name) => {
                let name = name.bytes();
                let Ok(text) = std::str::from_utf8(&name) else { continue };
                let joined: Vec<&[u8]> = model.iter().filter(|(own, _)| is(own, &name)).map(|(_, v)| &v[..]).collect();
                assert_eq!(headers.get(text), joined.first().copied());
                assert_eq!(headers.joined(text).map(|v| v.to_vec()), (!joined.is_empty()).then(|| joined.join(&b", "[..])));
                headers.remove(text);
                model.retain(|(own, _)| !is(own, &name));
                assert!(!headers.contains(text));
            }
            Change::RetainLongerThan(length) => {
                let Some((name, _)) = model.get(usize::from(*length)).cloned() else { continue };
                headers.set(&name, b"set");
                let at = model.iter().position(|(own, _)| is(own, &name)).expect("it was found");
                model[at] = (name.clone(), b"set".to_vec());
                let mut n = 0;
                model.retain(|(own, _)| {
                    n += 1;
                    n - 1 == at || !is(own, &name)
                });
            }
        }
        let expected: Vec<_> = model.iter().map(|(n, v)| (&n[..], &v[..])).collect();
        assert_eq!(headers.iter().collect::<Vec<_>>(), expected);
        assert_eq!((headers.len(), headers.is_empty()), (model.len(), model.is_empty()));
    }
}

/// `HeaderLines` against three lists, and what a server reads of them.
fn lines(case: &Case<'_>) {
    let mut blocks = [allowed(&case.shared), allowed(&case.own), allowed(&case.trailing)];
    let has = |blocks: &[Pairs; 3], wanted: &[u8]| blocks.iter().flatten().any(|(name, _)| is(name, wanted));
    let mut lines = HeaderLines {
        shared: encoded(&blocks[0]).into(),
        own: encoded(&blocks[1]),
        trailing: encoded(&blocks[2]),
        has_host: has(&blocks, b"host"),
        has_cookie: has(&blocks, b"cookie"),
    };
    for change in &case.changes {
        // Only what is text is compared with names: one that is none stays.
        match change {
            Change::Remove(name) => {
                let name = name.bytes();
                let Ok(text) = std::str::from_utf8(&name) else { continue };
                lines.remove(text);
                blocks.iter_mut().for_each(|block| block.retain(|(own, _)| !is(own, &name)));
            }
            Change::RetainLongerThan(length) => {
                let longer = |name: &str| name.len() > usize::from(*length);
                lines.retain(longer);
                let keeps = |name: &[u8]| std::str::from_utf8(name).map_or(true, longer);
                blocks.iter_mut().for_each(|block| block.retain(|(own, _)| keeps(own)));
            }
            Change::Push(_) => continue,
        }
        assert_eq!(lines.has_cookie, has(&blocks, b"cookie"));
        assert_eq!(lines.has_host, has(&blocks, b"host"));
    }
    let expected: Vec<_> = blocks.iter().flatten().map(|(n, v)| (&n[..], &v[..])).collect();
    assert_eq!(lines.pairs().collect::<Vec<_>>(), expected);
    check_head(lines, &expected);
}

/// One line of a head for each pair, whatever is in them.
fn check_head(headers: HeaderLines, expected: &[(&[u8], &[u8])]) {
    let mut request = probe::request("GET", Url::prepare(Style::Requests, "http://h/", "").expect("this is a URL"));
    request.headers = headers;
    let (mut head, cookie) = (Vec::new(), (!request.headers.has_cookie).then_some("c=d"));
    request.encode_head(cookie, &mut head);
    let lines: Vec<_> = head.split(|byte| *byte == b'\n').collect();
    let own = 1 + usize::from(!request.headers.has_host) + usize::from(cookie.is_some());
    assert_eq!(lines.len(), own + expected.len() + 2, "{}", head.escape_ascii());
    assert!(lines[..lines.len() - 1].iter().all(|line| line.ends_with(b"\r")));
    let _ = probe::head(&head, false);
}
