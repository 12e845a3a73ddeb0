//! What requests and geventhttpclient made of the same texts; the tables were written by running them.

use proptest::prelude::*;

use super::*;

/// Text and params; URL, path and query, request line's target, `Host`.
#[rustfmt::skip]
const PREPARED: &[(&str, &str, &str, &str, &str, &str)] = &[
    ("http://h", "", "http://h/", "/", "/", "h"),
    ("http://h?", "", "http://h/", "/", "/", "h"),
    ("http://h?x=1", "", "http://h/?x=1", "/?x=1", "/?x=1", "h"),
    ("HTTP://Example.COM:80/A//B", "", "http://example.com:80/A//B", "/A//B", "/A//B", "example.com"),
    ("https://h:443/x?y#z", "", "https://h:443/x?y#z", "/x?y", "/x?y", "h"),
    ("http://u:p@h:8080/x?y#z", "", "http://u:p@h:8080/x?y#z", "/x?y", "/x?y", "h:8080"),
    ("http://us er:p%40@h/", "", "http://us%20er:p%40@h/", "/", "/", "h"),
    ("http://[FE80::1]:81/x", "", "http://[fe80::1]:81/x", "/x", "/x", "[fe80::1]:81"),
    ("http://h./x", "", "http://h./x", "/x", "/x", "h"),
    ("https://h/%7e%2f%C3%bc", "", "https://h/~%2F%C3%BC", "/~%2F%C3%BC", "/~%2F%C3%BC", "h"),
    ("http://h:/a?", "", "http://h/a", "/a", "/a", "h"),
    ("http://h:00080/", "", "http://h:80/", "/", "/", "h"),
    ("http://h:0/", "", "http://h/", "/", "/", "h"),
    ("http://bücher.de/ü?ü#ü", "", "http://xn--bcher-kva.de/%C3%BC?%C3%BC#%C3%BC", "/%C3%BC?%C3%BC", "/%C3%BC?%C3%BC", "xn--bcher-kva.de"),
    ("http://straße.de", "", "http://xn--strae-oqa.de/", "/", "/", "xn--strae-oqa.de"),
    ("http://0X7F.1/", "", "http://0X7F.1/", "/", "/", "0x7f.1"),
    ("http://h\\x/y", "", "http://h/%5Cx/y", "/%5Cx/y", "/%5Cx/y", "h"),
    ("http://a..b/", "", "http://a..b/", "/", "/", "a..b"),
    ("http://h/x y\t\"<>", "", "http://h/x%20y%09%22%3C%3E", "/x%20y%09%22%3C%3E", "/x%20y%09%22%3C%3E", "h"),
    ("http://h/../a/./b/..", "", "http://h/a/", "/a/", "/a/", "h"),
    ("http://h/a/.?x=../.", "", "http://h/a/?x=../.", "/a/?x=../.", "/a/?x=../.", "h"),
    ("  http://h/%zz%41", "", "http://h/%25zz%2541", "/%25zz%2541", "/%25zz%2541", "h"),
    ("http://%41b%2f/", "", "http://ab%2F/", "/", "/", "ab%2F"),
    ("http://h/a[1]?b[2]=^`{|}#c[3]", "", "http://h/a%5B1%5D?b%5B2%5D=%5E%60%7B%7C%7D#c%5B3%5D", "/a%5B1%5D?b%5B2%5D=%5E%60%7B%7C%7D", "/a%5B1%5D?b%5B2%5D=%5E%60%7B%7C%7D", "h"),
    ("http://h/a;b;?c;", "", "http://h/a;b;?c;", "/a;b;?c;", "/a;b;?c;", "h"),
    ("http://h/!$&'()*+,;=:@~-._", "", "http://h/!$&'()*+,;=:@~-._", "/!$&'()*+,;=:@~-._", "/!$&'()*+,;=:@~-._", "h"),
    ("http://h/x", "a=1&b=2", "http://h/x?a=1&b=2", "/x?a=1&b=2", "/x?a=1&b=2", "h"),
    ("http://h/x?q", "a=1", "http://h/x?q&a=1", "/x?q&a=1", "/x?q&a=1", "h"),
    ("http://h/x?#f", "a=1", "http://h/x?a=1#f", "/x?a=1", "/x?a=1", "h"),
    ("http://h/x", "a=[1]&ü=%2f", "http://h/x?a=[1]&%C3%BC=%2f", "/x?a=[1]&%C3%BC=%2f", "/x?a=%5B1%5D&%C3%BC=%2F", "h"),
    ("http://h/%2f", "a=%zz", "http://h/%252F?a=%25zz", "/%252F?a=%25zz", "/%252F?a=%25zz", "h"),
];

#[rustfmt::skip]
const REFUSED: &[(&str, UrlErrorKind, &str)] = &[
    ("", UrlErrorKind::MissingSchema, "Invalid URL '': No scheme supplied. Perhaps you meant https://?"),
    ("foo", UrlErrorKind::MissingSchema, "Invalid URL 'foo': No scheme supplied. Perhaps you meant https://foo?"),
    ("//ok", UrlErrorKind::MissingSchema, "Invalid URL '//ok': No scheme supplied. Perhaps you meant https:////ok?"),
    ("/x", UrlErrorKind::MissingSchema, "Invalid URL '/x': No scheme supplied. Perhaps you meant https:///x?"),
    ("localhost:80/x", UrlErrorKind::InvalidSchema, "No connection adapters were found for 'localhost:80/x'"),
    ("mailto:x", UrlErrorKind::InvalidSchema, "No connection adapters were found for 'mailto:x'"),
    ("ftp://h/", UrlErrorKind::InvalidSchema, "No connection adapters were found for 'ftp://h/'"),
    ("httpx://h/", UrlErrorKind::InvalidSchema, "No connection adapters were found for 'httpx://h/'"),
    ("http:/x", UrlErrorKind::InvalidUrl, "Invalid URL 'http:/x': No host supplied"),
    ("http:///x", UrlErrorKind::InvalidUrl, "Invalid URL 'http:///x': No host supplied"),
    ("http://:80/", UrlErrorKind::InvalidUrl, "Invalid URL 'http://:80/': No host supplied"),
    ("http://u@/", UrlErrorKind::InvalidUrl, "Invalid URL 'http://u@/': No host supplied"),
    ("http://h:99999/", UrlErrorKind::InvalidUrl, "Failed to parse: http://h:99999/"),
    ("http://h:abc/", UrlErrorKind::InvalidUrl, "Failed to parse: 'h:abc' is not a valid host or port"),
    ("http://h:8０/", UrlErrorKind::InvalidUrl, "Failed to parse: 'h:8０' is not a valid host or port"),
    ("http://a b/", UrlErrorKind::InvalidUrl, "Failed to parse: Host 'a b' contains invalid character ' '"),
    ("http://it's a/", UrlErrorKind::InvalidUrl, "Failed to parse: Host \"it's a\" contains invalid character ' '"),
    ("http://a%00b/", UrlErrorKind::InvalidUrl, "Failed to parse: Host 'a%00b' contains invalid percent-encoded control character '%00'"),
    ("http://%zz/", UrlErrorKind::InvalidUrl, "Failed to parse: '%zz' is not a valid host or port"),
    ("http://[::1", UrlErrorKind::InvalidUrl, "Failed to parse: '[::1' is not a valid host or port"),
    ("http://[::1::2]/", UrlErrorKind::InvalidUrl, "Failed to parse: '[::1::2]' is not a valid host or port"),
    ("http://*.x/", UrlErrorKind::InvalidUrl, "URL has an invalid label."),
    ("http://.x/", UrlErrorKind::InvalidUrl, "URL has an invalid label."),
    ("http://ａ.com", UrlErrorKind::InvalidUrl, "Failed to parse: Name 'ａ' is not a valid IDNA label"),
    ("http://☃.net/", UrlErrorKind::InvalidUrl, "Failed to parse: Name '☃' is not a valid IDNA label"),
    ("http.x:99999", UrlErrorKind::InvalidUrl, "Failed to parse: //http.x:99999"),
    ("http://☃\"\n", UrlErrorKind::InvalidUrl, "Failed to parse: Host '☃\"\\n' contains invalid character '\\n'"),
];

/// Location on `http://h:81/a/b?c#d`; URL, target, `Host`.
#[rustfmt::skip]
const REDIRECTED: &[(&str, &str, &str, &str)] = &[
    ("/x", "http://h:81/x#d", "/x", "h:81"),
    ("x", "http://h:81/a/x#d", "/a/x", "h:81"),
    ("./x", "http://h:81/a/x#d", "/a/x", "h:81"),
    ("../x", "http://h:81/x#d", "/x", "h:81"),
    ("../../../x", "http://h:81/x#d", "/x", "h:81"),
    ("?n=1", "http://h:81/a/b?n=1#d", "/a/b?n=1", "h:81"),
    ("#f", "http://h:81/a/b?c#f", "/a/b?c", "h:81"),
    ("#", "http://h:81/a/b?c#d", "/a/b?c", "h:81"),
    ("//o/x", "http://o/x#d", "/x", "o"),
    ("//o", "http://o#d", "/", "o"),
    ("https://O:8443/A/../B", "https://O:8443/A/../B#d", "/A/../B", "o:8443"),
    ("HTTP://h/x#y", "http://h/x#y", "/x", "h"),
    ("/x y%zz", "http://h:81/x%20y%25zz#d", "/x%20y%25zz", "h:81"),
    ("/é", "http://h:81/%C3%A9#d", "/%C3%A9", "h:81"),
    ("/a;", "http://h:81/a#d", "/a", "h:81"),
    ("/a?", "http://h:81/a#d", "/a", "h:81"),
    ("x;p?q", "http://h:81/a/x;p?q#d", "/a/x;p?q", "h:81"),
    ("http:x", "http://h:81/x#d", "/x", "h:81"),
    ("/a//b/./c/..", "http://h:81/a//b/#d", "/a//b/", "h:81"),
    ("http://h?x", "http://h?x#d", "/?x", "h"),
    ("/[1]?[2]", "http://h:81/[1]?[2]#d", "/%5B1%5D?%5B2%5D", "h:81"),
    ("g/../h//i", "http://h:81/a/h/i#d", "/a/h/i", "h:81"),
];

/// Text and params; request line's target, `Host`.
#[rustfmt::skip]
const GEVENT: &[(&str, &str, &str, &str)] = &[
    ("http://h", "", "/", "h"),
    ("http://h?x", "", "/?x", "h"),
    ("http://H:443/a/../b", "", "/a/../b", "h"),
    ("http://h/a;?b=%2f#c", "x=y", "/a?b=%2f&x=y", "h"),
    ("https://u:p@h:8443/x y%41", "", "/x%20yA", "h:8443"),
    ("http://[::1]:81/?a=[1]", "", "/?a=[1]", "[::1]:81"),
    ("telnet://h/x", "", "/x", "h"),
];

#[test]
fn urls_are_prepared_as_requests_prepares_them() {
    for &(text, params, url, path_and_query, target, host) in PREPARED {
        let prepared = Url::prepare(Style::Requests, text, params).unwrap();
        assert_eq!(prepared.to_string(), url, "{text}");
        assert_eq!(prepared.path_and_query(), path_and_query, "{text}");
        assert_eq!(prepared.target(), target, "{text}");
        assert_eq!(prepared.authority_for_host_header(), host, "{text}");
    }
}

#[test]
fn what_requests_refuses_is_refused_with_its_words() {
    for &(text, kind, words) in REFUSED {
        let error = Url::prepare(Style::Requests, text, "").unwrap_err();
        assert_eq!((error.kind(), &*error.to_string()), (kind, words), "{text}");
    }
}

#[test]
fn redirects_lead_where_requests_goes() {
    let here = Url::prepare(Style::Requests, "http://h:81/a/b?c#d", "").unwrap();
    for &(location, url, target, host) in REDIRECTED {
        let there = here.resolve(location).unwrap();
        assert_eq!(there.to_string(), url, "{location}");
        assert_eq!(there.target(), target, "{location}");
        assert_eq!(there.authority_for_host_header(), host, "{location}");
    }
    let kind = |location: &str| here.resolve(location).unwrap_err().kind();
    assert_eq!(kind("mailto:x"), UrlErrorKind::InvalidSchema);
    assert_eq!(kind("http://h:99999/"), UrlErrorKind::InvalidUrl);
    assert_eq!(kind("http://[::1"), UrlErrorKind::ValueError);
}

#[test]
fn geventhttpclient_takes_a_url_nearly_as_it_stands() {
    for &(text, params, target, host) in GEVENT {
        let url = Url::prepare(Style::Gevent, text, params).unwrap();
        assert_eq!(url.target(), target, "{text}");
        assert_eq!(url.authority_for_host_header(), host, "{text}");
    }
    let doubled = Base::new(Style::Gevent, "http://h/").join("/ok").unwrap_err();
    assert_eq!(doubled.kind(), UrlErrorKind::ValueError);
    let here = Url::prepare(Style::Gevent, "https://h/a/b", "").unwrap();
    assert_eq!(here.resolve("../c/./d").unwrap().to_string(), "https://h/c/d");
    assert_eq!(here.resolve("//o:81").unwrap().to_string(), "https://o:81");
    assert_eq!(here.resolve("ftp://o/").unwrap_err().kind(), UrlErrorKind::UnsupportedRedirectScheme);
}

#[test]
fn a_base_is_concatenated_and_an_absolute_path_is_not() {
    let join = |base: &str, path: &str| Base::new(Style::Requests, base).join(path).map(|url| url.to_string());
    assert_eq!(join("http://h:1/", "/ok").as_deref(), Ok("http://h:1//ok"));
    assert_eq!(join("http://h:1/api", "/x?y").as_deref(), Ok("http://h:1/api/x?y"));
    assert_eq!(join("http://h/a", "HTTPS://o/x").as_deref(), Ok("https://o/x"));
    assert_eq!(join("http://h/", "https://o/x").as_deref(), Ok("https://o/x"));
    assert_eq!(join("http://h:1", "ok").unwrap_err().kind(), UrlErrorKind::InvalidUrl);
    assert_eq!(join("None", "/x").unwrap_err().kind(), UrlErrorKind::MissingSchema);
}

#[test]
fn origins_are_equal_where_a_connection_serves_both() {
    let origin = |text: &str| Url::prepare(Style::Requests, text, "").unwrap().origin;
    assert_eq!(origin("http://h/a"), origin("http://u:p@H:80/b"));
    assert_ne!(origin("http://h/"), origin("https://h/"));
    assert_ne!(origin("http://h/"), origin("http://h:81/"));
}

#[test]
fn credentials_are_read_from_a_url_and_taken_out_of_a_base() {
    let of = |text: &str| Url::prepare(Style::Requests, text, "").unwrap().credentials();
    assert_eq!(of("http://u%40:p:q@h/"), Some(("u@".to_owned(), "p:q".to_owned())));
    assert_eq!(of("http://u@h/"), None);
    let taken = Credentials::of("https://u:p%40@[::1]:81/x;y?q#f").unwrap();
    assert_eq!((&*taken.user, &*taken.password, &*taken.base), ("u", "p@", "https://[::1]:81/x;y?q#f"));
    assert_eq!(Credentials::of("http://u@h"), None);
    assert_eq!(Credentials::of("http://u:@h"), None);
}

const STYLES: [Style; 2] = [Style::Requests, Style::Gevent];

fn any_style() -> impl Strategy<Value = Style> {
    prop::sample::select(&STYLES)
}

/// Texts rich in what URLs give a meaning to.
fn tricky() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[a-zA-Z0-9]{1,3}",
        "[/?#:@;%&=+. \\[\\]!*'()~_-]",
        "%[0-9a-fA-F]{2}",
        "\\.{1,2}/?",
        "\\PC",
        "[\\x00-\\x20]",
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(style in any_style(), text in tricky(), params in tricky(), location in tricky()) {
        for text in [text.clone(), format!("http://{text}"), format!("https://h/{text}"), format!("http://[{text}")] {
            let _ = Base::new(style, &text).join_with(&location, &params);
            let _ = Credentials::of(&text);
            if let Ok(url) = Url::prepare(style, &text, &params) {
                let _ = (url.target().len(), url.path().len(), url.fragment().len(), url.credentials());
                let _ = url.resolve(&location).map(|url| url.resolve(&text));
            }
        }
    }

    #[test]
    fn the_short_way_is_the_long_way(style in any_style(), prefix in "(/[a-z.]{0,3}){0,2}", path in tricky(), params in tricky()) {
        let base = format!("http://h:81{prefix}");
        for path in [path.clone(), format!("/{path}")] {
            let joined = Base::new(style, &base).join_with(&path, &params);
            let long = Url::prepare(style, &format!("{base}{path}"), &params);
            prop_assume!(!join::is_absolute(&path));
            prop_assert_eq!(&joined, &long);
            if let (Ok(joined), Ok(long)) = (joined, long) {
                prop_assert_eq!(joined.target(), long.target());
                prop_assert_eq!(joined.path_and_query(), long.path_and_query());
                prop_assert_eq!(joined.origin(), long.origin());
            }
        }
    }

    #[test]
    fn a_prepared_url_is_prepared_for_good(text in tricky()) {
        if let Ok(once) = Url::prepare(Style::Requests, &format!("http://h/{text}"), "") {
            // Escaped dots are unescaped after dot segments were taken out, here as in requests: a second pass takes these.
            prop_assume!(!text.to_ascii_lowercase().contains("%2e"));
            let twice = Url::prepare(Style::Requests, &once.to_string(), "").unwrap();
            prop_assert_eq!(once, twice);
        }
    }

    #[test]
    fn a_request_line_takes_every_target(style in any_style(), text in tricky(), location in tricky()) {
        if let Ok(url) = Url::prepare(style, &format!("http://h/{text}"), "") {
            let there = url.resolve(&location).unwrap_or_else(|_| url.clone());
            for url in [url, there] {
                prop_assert!(url.target().starts_with('/'));
                prop_assert!(url.target().bytes().all(|b| b.is_ascii_graphic()), "{}", url.target());
                prop_assert!(url.path_and_query().starts_with('/'));
            }
        }
    }
}

const SOCKET: &str = "http+unix://%2Frun%2Fa%20b.sock";

#[test]
fn a_unix_socket_stands_where_the_host_is_otherwise() {
    for style in [Style::Requests, Style::Gevent] {
        let url = Url::prepare(style, &format!("{SOCKET}/a?b=1#c"), "d=2").unwrap();
        assert_eq!((url.scheme(), url.host()), (Scheme::Unix, "/run/a b.sock"));
        assert_eq!(url.authority_for_host_header(), "localhost");
        assert_eq!((&*url.target(), url.fragment()), ("/a?b=1&d=2", "c"));
        assert_eq!(url.to_string(), format!("{SOCKET}/a?b=1&d=2#c"));
        let joined = Base::new(style, SOCKET).join("/x").unwrap();
        assert_eq!((joined.origin(), joined.to_string()), (url.origin(), format!("{SOCKET}/x")));
        let absolute = Base::new(style, "http://other.test").join(&format!("{SOCKET}/x")).unwrap();
        assert_eq!(absolute.origin(), url.origin());
        let error = Url::prepare(style, "http+unix:///x", "").unwrap_err();
        assert_eq!(error.kind(), UrlErrorKind::InvalidUrl);
    }
}

#[test]
fn a_server_behind_a_socket_leads_back_to_it() {
    for style in [Style::Requests, Style::Gevent] {
        let url = Url::prepare(style, &format!("{SOCKET}/a/b"), "").unwrap();
        for (location, target) in [("/c", "/c"), ("c", "/a/c"), ("http://localhost/c?d", "/c?d")] {
            let there = url.resolve(location).unwrap();
            assert_eq!((there.origin(), &*there.target()), (url.origin(), target), "{location}");
        }
        assert_eq!(url.resolve("http://other.test/c").unwrap().host(), "other.test");
    }
}
