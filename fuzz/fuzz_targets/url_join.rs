//! A path joined to a base: the quick way and the long way agree, what goes on the wire cannot break a line, and a URL
//! prepared again is itself.

#![no_main]

use gregaria::http::url::{Base, Credentials, Style, Url};
use libfuzzer_sys::fuzz_target;

// Style, then base, path and params with NUL between.
fuzz_target!(|input: &[u8]| {
    let [flags, text @ ..] = input else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let style = if flags & 1 == 1 { Style::Gevent } else { Style::Requests };
    let mut parts = text.splitn(3, '\0');
    let mut part = || parts.next().unwrap_or_default();
    let (base, path, params) = (part(), part(), part());
    let _ = Credentials::of(base);

    let joined = Base::new(style, base).join_with(path, params);
    let is_absolute = ["http://", "https://"]
        .iter()
        .any(|scheme| path.get(..scheme.len()).is_some_and(|head| head.eq_ignore_ascii_case(scheme)));
    let long_way = if is_absolute { path.to_owned() } else { [base, path].concat() };
    let prepared = Url::prepare(style, &long_way, params);
    match (joined, prepared) {
        (Ok(joined), Ok(prepared)) => {
            same(&joined, &prepared);
            sound(&joined);
            if style == Style::Requests {
                settles(&joined);
            }
        }
        (Err(joined), Err(prepared)) => assert_eq!(joined, prepared),
        (joined, prepared) => panic!("joined {joined:?}, prepared {prepared:?}"),
    }
});

fn same(a: &Url, b: &Url) {
    assert_eq!(a, b);
    assert_eq!((a.target(), a.path_and_query(), a.fragment()), (b.target(), b.path_and_query(), b.fragment()));
    assert_eq!((a.origin(), a.authority_for_host_header()), (b.origin(), b.authority_for_host_header()));
    assert_eq!(a.credentials(), b.credentials());
    assert_eq!(a.explicit_port(), b.explicit_port());
}

/// Nothing in it ends a word or a line of a request.
fn sound(url: &Url) {
    let target = url.target();
    assert!(target.starts_with('/'), "{target:?}");
    assert!(target.bytes().all(|byte| byte.is_ascii_graphic()), "{target:?}");
    let host = url.authority_for_host_header();
    match url.style() {
        Style::Requests => {
            assert!(!host.is_empty() && !host.bytes().any(|byte| byte <= b' ' || byte == 0x7f), "{host:?}");
            assert!(!url.host().is_empty());
        }
        // geventhttpclient takes what is no host for one, and cannot resolve it.
        Style::Gevent => assert!(!host.contains(['\r', '\n']), "{host:?}"),
    }
    let _ = (url.path(), url.scheme(), url.port(), url.to_string());
}

/// requests undoes escapes after it has resolved the dots, so a second time may resolve more; a third changes nothing.
fn settles(url: &Url) {
    // An escape in the authority (an address's zone) is undone each time, and then counts as none for the whole text:
    // requests never comes to an end with those.
    if url.to_string().split('/').nth(2).is_some_and(|authority| authority.contains('%')) {
        return;
    }
    let again = |url: &Url| Url::prepare(Style::Requests, &url.to_string(), "");
    let Ok(twice) = again(url) else { return };
    sound(&twice);
    if let Ok(thrice) = again(&twice) {
        assert_eq!(twice.to_string(), thrice.to_string());
    }
}
