//! Whatever servers set, a Cookie header is one line of whole cookies, and only those of the site.

#![no_main]

use gregaria::http::cookies::{Cookie, Jar};
use gregaria::http::text::from_latin1;
use gregaria::http::url::{Style, Url};
use libfuzzer_sys::fuzz_target;

const SITES: [&str; 8] = [
    "http://h/",
    "http://h/a/b",
    "https://www.example.com/x/y;z?q",
    "http://example.com:8080/%2f/",
    "http://127.0.0.1:81/a",
    "http://[::1]:81/",
    "http://a.b.co.uk./",
    "http://xn--bcher-kva.de/",
];

// Lines; the first byte of each is the site that sets it and the `Host` that the request names.
fuzz_target!(|input: &[u8]| {
    let mut jar = Jar::new();
    let sites = SITES.map(|site| Url::prepare(Style::Requests, site, "").expect("these are URLs"));
    for line in input.split(|byte| *byte == b'\n').take(40) {
        let [first, header @ ..] = line else { continue };
        let site = &sites[usize::from(first % 8)];
        let host = (first & 0x40 != 0).then(|| sites[usize::from(first >> 3 & 7)].authority_for_host_header());
        // A header's value has no line ends when it comes to the jar, nor spaces around it.
        let values: Vec<&[u8]> = header.split(|byte| *byte == b'\r').map(<[u8]>::trim_ascii).collect();
        let (before, version) = (jar.list().len(), jar.version());
        jar.store(site, host, values.iter().copied());
        assert!(jar.list().len() <= before + values.len());
        assert_eq!(jar.version() == version, jar.version() - version == 0);
        let after = (jar.list().to_vec(), jar.version());
        for value in &values {
            check_cookies(&jar, value);
        }
        // What is said again changes nothing but the clock.
        if values.len() == 1 && !from_latin1(header).to_ascii_lowercase().contains("age") {
            jar.store(site, host, values.iter().copied());
            assert_eq!((jar.list(), jar.version()), (&after.0[..], after.1));
        }
    }
    for site in &sites {
        for host in [None, Some("www.example.com"), Some("h")] {
            let Some(header) = jar.header(site, host) else { continue };
            assert!(!header.contains(['\r', '\n', '\0']) || input.contains(&0), "{header:?}");
            let pairs: Vec<&str> = header.split(';').collect();
            assert!(pairs.len() <= jar.list().len(), "{header:?} of {:?}", jar.list());
            let with = jar.merged_with(&[Cookie::new("own", "1", "", "/")]).header(site, host);
            let with = with.expect("there is at least the request's own");
            assert!(with.split("; ").any(|pair| pair == "own=1"), "{with:?}");
            // Unless one has expired in between.
            if jar.header(site, host).as_deref() == Some(&*header) {
                assert_eq!(with.split(';').count(), pairs.len() + 1);
            }
        }
    }
    let cookies: Vec<_> = jar.list().to_vec();
    for cookie in cookies {
        assert!(jar.clear(Some(&cookie.domain), Some(&cookie.path), Some(&cookie.name)));
    }
    assert!(jar.list().is_empty());
});

fn check_cookies(jar: &Jar, value: &[u8]) {
    for (n, cookie) in jar.list().iter().enumerate() {
        let texts = [Some(&cookie.name), cookie.value.as_ref()];
        assert!(!cookie.name.is_empty(), "of {:?}", from_latin1(value));
        assert!(texts.into_iter().flatten().all(|text| !text.contains([';', '\r', '\n'])), "{cookie:?}");
        assert!(cookie.path.starts_with('/') || cookie.path_specified, "{cookie:?}");
        let same = |other: &gregaria::http::cookies::Cookie| {
            (&other.domain, &other.path, &other.name) == (&cookie.domain, &cookie.path, &cookie.name)
        };
        assert!(!jar.list()[n + 1..].iter().any(same), "twice: {cookie:?}");
    }
}
