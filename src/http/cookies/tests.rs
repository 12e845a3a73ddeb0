//! What requests and its jar made of the same headers; the tables were written by running them.

use proptest::prelude::*;

use super::*;
use crate::http::text::to_latin1;
use crate::http::url::Style;

/// Set from here, this; sent there, that.
#[rustfmt::skip]
const SENT: &[(&str, &str, &str, Option<&str>)] = &[
    ("http://h/a/b", "a=1", "http://h/a/c", Some("a=1")),
    ("http://h/a/b", "a=1", "http://h/ab", None),
    ("http://h/a/b", "a=1; Path=/", "http://h/", Some("a=1")),
    ("http://h/", "a=1", "http://sub.h/", None),
    ("http://example.com/", "a=1", "http://sub.example.com/", Some("a=1")),
    ("http://sub.example.com/", "a=1", "http://example.com/", None),
    ("http://sub.example.com/", "a=1; Domain=example.com", "http://example.com/", Some("a=1")),
    ("http://sub.example.com/", "a=1; Domain=.EXAMPLE.com", "http://x.y.example.com/", Some("a=1")),
    ("http://example.com/", "a=1; Domain=other.com", "http://other.com/", None),
    ("http://example.com/", "a=1; Domain=com", "http://example.com/", None),
    ("http://example.com/", "a=1; Domain=ample.com", "http://example.com/", None),
    ("http://localhost/", "a=1; Domain=localhost", "http://localhost:8080/", None),
    ("http://localhost/", "a=1; Domain=.local", "http://h/", Some("a=1")),
    ("http://127.0.0.1/", "a=1", "http://127.0.0.1:81/", Some("a=1")),
    ("http://127.0.0.1/", "a=1; Domain=127.0.0.1", "http://127.0.0.1/", Some("a=1")),
    ("http://[::1]:81/", "a=1", "http://[::1]/", Some("a=1")),
    ("http://h/", "a=1; Secure", "http://h/", None),
    ("http://h/", "a=1; Secure", "https://h/", Some("a=1")),
    ("http://h/", "a=1; Max-Age=100; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "http://h/", Some("a=1")),
    ("http://h/", "a=1; Max-Age=0", "http://h/", None),
    ("http://h/", "a=1; Max-Age=x", "http://h/", None),
    ("http://h/", "a=1; Expires=Thu, 01 Jan 1971 00:00:00 GMT", "http://h/", None),
    ("http://h/", "a=1; Expires=Friday, 01-Jan-2100 00:00:00 GMT", "http://h/", Some("a=1")),
    ("http://h/", "a=1; Expires=never", "http://h/", Some("a=1")),
    ("http://h/", "a", "http://h/", Some("a")),
    ("http://h/", "a=", "http://h/", Some("a=")),
    ("http://h/", "=1", "http://h/", None),
    ("http://h/", "a = \"x\\\"y\" ; HttpOnly", "http://h/", Some("a=\"xy\"")),
    ("http://h/", "a=b=c", "http://h/", Some("a=b=c")),
    ("http://h/", "a=1; Path=foo", "http://h/foo", None),
    ("http://h/", "a=1; Version=1", "http://h/", Some("a=1")),
    ("http://h/", "a=1; Version=2", "http://h/", None),
    ("http://h:81/", "a=1; Port", "http://h/", None),
    ("http://h:81/", "a=1; Port=\"81,82\"", "http://h:81/", None),
    ("http://h/", "a=1; Domain", "http://h/", None),
    ("http://h/", "é=ü", "http://h/", Some("é=ü")),
];

#[rustfmt::skip]
const DATES: &[(&str, Option<i64>)] = &[
    ("Wed, 09 Feb 1994 22:23:32 GMT", Some(760_832_612)),
    ("Tuesday, 08-Feb-94 14:15:29 GMT", Some(760_716_929)),
    ("08-Feb-1994 14:15:29", Some(760_716_929)),
    ("9/2/2030", Some(1_896_825_600)),
    ("wednesday 09 Feb 2030 22:23", Some(1_896_906_180)),
    ("9 2 2030 1:02 +0130", Some(1_896_823_920)),
    ("9 Feb 2030 01:02:03 -100", Some(1_896_832_923)),
    ("9 Feb 2030 GMT (CET) ", Some(1_896_825_600)),
    ("09 Feb 2030:01:02:03", Some(1_896_829_323)),
    ("1 Jan 2030 01:02:03 EST", None),
    ("1 Jan 2030 01:02:03 PM", None),
    ("1 Jan 1969", None),
    ("32 Jan 2030", None),
    ("0 Jan 2030", None),
    ("1 13 2030", None),
    ("1 Jan 2030 25:00", None),
    ("1 Jan 12345", None),
    ("2030-01-01", None),
    ("", None),
    ("1 Jan 2030 1:2", None),
];

fn url(text: &str) -> Url {
    Url::prepare(Style::Requests, text, "").unwrap()
}

fn store(jar: &mut Jar, from: &str, headers: &[&str]) {
    let headers: Vec<Vec<u8>> = headers.iter().map(|header| to_latin1(header).unwrap()).collect();
    jar.store(&url(from), None, headers.iter().map(|header| &header[..]));
}

fn names(jar: &Jar) -> Vec<&str> {
    jar.list().iter().map(|cookie| &*cookie.name).collect()
}

#[test]
fn cookies_go_where_requests_sends_them() {
    for &(from, header, to, sent) in SENT {
        let mut jar = Jar::new();
        store(&mut jar, from, &[header]);
        assert_eq!(jar.header(&url(to), None).as_deref(), sent, "{header} from {from} to {to}");
    }
}

#[test]
fn dates_are_read_as_python_reads_them() {
    for &(text, time) in DATES {
        assert_eq!(date::parse(text), time, "{text}");
    }
}

#[test]
fn longer_paths_go_first_and_the_rest_in_the_order_it_came() {
    let mut jar = Jar::new();
    store(&mut jar, "http://h/a/b", &["b=1; Path=/", "a=2; Path=/", "d=3; Path=/a", "c=4"]);
    jar.set("everywhere", "5", "", "/");
    store(&mut jar, "http://h/", &["a=6; Path=/", "e=7; Path=/"]);
    assert_eq!(names(&jar), ["b", "a", "e", "d", "c", "everywhere"]);
    let sent = jar.header(&url("http://h/a/x"), None);
    assert_eq!(sent.as_deref(), Some("d=3; c=4; b=1; a=6; e=7; everywhere=5"));
    assert_eq!(jar.header(&url("http://o/"), None).as_deref(), Some("everywhere=5"));
}

#[test]
fn a_request_adds_its_own_cookies_and_keeps_none() {
    let mut jar = Jar::new();
    jar.set("a", "1", "", "/");
    store(&mut jar, "http://h/", &["b=2"]);
    let with = |jar: &Jar, own: &[(&str, &str)]| {
        let own: Vec<_> = own.iter().map(|(name, value)| Cookie::new(name, value, "", "/")).collect();
        jar.merged_with(&own).header(&url("http://h/"), None)
    };
    let sent = with(&jar, &[("b", "3"), ("a", "4")]);
    assert_eq!(sent.as_deref(), Some("a=4; b=3; b=2"));
    assert_eq!(jar.list().len(), 2);
    assert_eq!(with(&Jar::new(), &[("a", "b c")]).as_deref(), Some("a=b c"));
}

#[test]
fn a_host_header_names_the_host_that_cookies_know() {
    let mut jar = Jar::new();
    let address = url("http://127.0.0.1:8080/");
    jar.store(&address, Some("www.shop.test:80"), [&b"a=1; Domain=shop.test"[..]]);
    assert_eq!(jar.header(&address, None), None);
    assert_eq!(jar.header(&address, Some("shop.test")).as_deref(), Some("a=1"));
}

#[test]
fn every_change_is_counted_and_nothing_else() {
    let mut jar = Jar::new();
    store(&mut jar, "http://h/", &["a=1; Path=/x; HttpOnly", "b=2"]);
    assert_eq!(jar.version(), 2);
    store(&mut jar, "http://h/", &["b=2", "c=3; Domain=other.com"]);
    assert!(!jar.clear(Some("h.local"), Some("/"), Some("z")));
    assert_eq!(jar.version(), 2);
    store(&mut jar, "http://h/", &["b=; Max-Age=0"]);
    assert_eq!((names(&jar), jar.version()), (vec!["a"], 3));
    assert_eq!(&*jar.list()[0].rest, "HttpOnly");
    assert!(jar.clear(Some("h.local"), None, None));
    assert_eq!((jar.list().len(), jar.version()), (0, 4));
}

#[test]
fn a_cookie_expires_when_its_time_has_come() {
    let site = Site::new(&url("http://h/"), None);
    let mut jar = Jar::new();
    jar.store_at(&site, [&b"a=1; Max-Age=10"[..]].into_iter(), 1000);
    assert_eq!(jar.list()[0].expires, Some(1010));
    assert!(jar.header_at(&site, 1009).is_some());
    assert!(jar.header_at(&site, 1010).is_none());
}

#[test]
fn one_header_that_pythons_parser_fails_on_spoils_its_response() {
    let mut jar = Jar::new();
    store(&mut jar, "http://h/", &["a=1", "b=2; Max-Age"]);
    assert!(jar.list().is_empty());
}

#[test]
fn an_empty_jar_is_small() {
    assert!(size_of::<Jar>() <= 32);
    assert_eq!(Jar::new().header(&url("http://h/"), None), None);
}

/// Headers rich in what cookies give a meaning to.
fn tricky() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[a-c]{1,2}",
        "[=;, \"\\\\.-]",
        "; ?(Domain|Path|Expires|Max-Age|Version|Port|Secure|comment)=?",
        "\\.?(h|local|example\\.com|com|127\\.0\\.0\\.1)",
        "/[ab%]{0,3}",
        "[0-9]{1,2}[- /](Jan|feb|13)[- /][0-9]{2,5}( [0-9]{2}:[0-9]{2})?( [+-]?[0-9]{2,4})?",
        "[\u{0}-\u{ff}]",
    ];
    prop::collection::vec(piece, 0..10).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_header_makes_it_panic(headers in prop::collection::vec(tricky(), 1..4), path in "[/ab%]{0,5}") {
        for host in ["h", "www.example.com", "127.0.0.1", "[::1]:81"] {
            let site = url(&format!("https://{host}/{path}"));
            let mut jar = Jar::new();
            for _ in 0..2 {
                let headers: Vec<Vec<u8>> = headers.iter().map(|header| to_latin1(header).unwrap()).collect();
                jar.store(&site, None, headers.iter().map(|header| &header[..]));
                prop_assert!(jar.list().len() <= headers.len());
            }
            let _ = jar.header(&site, None);
        }
    }

    /// Nothing a server sets ends the header's line, or passes for more cookies than were kept.
    #[test]
    fn a_header_is_one_line_of_the_cookies_that_are_kept(headers in prop::collection::vec(tricky(), 1..6)) {
        let (site, mut jar) = (url("https://www.example.com:81/a/b"), Jar::new());
        // Line ends are none of a header's value.
        let headers: Vec<Vec<u8>> = headers.iter().map(|header| to_latin1(&header.replace(['\r', '\n'], " ")).unwrap()).collect();
        jar.store(&site, None, headers.iter().map(|header| &header[..]));
        if let Some(header) = jar.header(&site, None) {
            prop_assert!(!header.contains(['\r', '\n']));
            let mut expected: Vec<_> = jar.list().iter().map(|cookie| match &cookie.value {
                Some(value) => format!("{}={value}", cookie.name),
                None => cookie.name.to_string(),
            }).collect();
            for sent in header.split("; ") {
                let at = expected.iter().position(|cookie| cookie == sent);
                prop_assert!(at.is_some(), "{:?} in {:?}", sent, header);
                expected.remove(at.unwrap());
            }
        }
    }

    #[test]
    fn a_cookie_set_for_the_root_comes_back(name in "[a-z]{1,8}", value in "[!#-+./0-9A-Za-z-]{0,20}", host in "[a-z]{1,5}(\\.[a-z]{2,5}){0,2}") {
        let mut jar = Jar::new();
        let site = format!("http://{host}/x/y");
        store(&mut jar, &site, &[&format!("{name}={value}; Path=/; HttpOnly")]);
        let expected = format!("{name}={value}");
        prop_assert_eq!(jar.header(&url(&format!("http://{host}/")), None), Some(expected));
        prop_assert_eq!(jar.header(&url("http://elsewhere.test/"), None), None);
    }

    #[test]
    fn no_date_makes_it_panic(text in "([A-Za-z]{3,9},? )?[0-9]{0,3}[ /-]?[A-Za-z0-9_]{0,4}[ /-][0-9]{0,20}[ :0-9A-Z()+-]{0,16}") {
        let _ = date::parse(&text);
    }
}
