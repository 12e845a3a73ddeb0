//! Names to addresses: by the system's resolver, or by the caller's own where a locustfile has replaced Python's.

use std::net::{IpAddr, SocketAddr};

use tokio::net::lookup_host;

use crate::http::Failure;
use crate::http::request::Names;
use crate::http::url::Url;

/// getaddrinfo's numbers and words for what it can answer: the standard library passes on the words alone.
const CODES: [(i32, &str); 4] = [
    (libc::EAI_NONAME, "Name or service not known"),
    (libc::EAI_AGAIN, "Temporary failure in name resolution"),
    (libc::EAI_FAIL, "Non-recoverable failure in name resolution"),
    (NO_ADDRESS, "No address associated with hostname"),
];

/// `EAI_NODATA` of glibc, which libc does not have for every system.
const NO_ADDRESS: i32 = -5;

/// The addresses of a URL's host.
pub async fn resolve(url: &Url, names: &Names) -> Result<Vec<SocketAddr>, Failure> {
    let (host, port) = (url.host(), url.port());
    match names {
        Names::System => {}
        Names::Caller(answers) => {
            let known = answers.iter().find(|answer| answer.is_for(host, port));
            let unknown = || Failure::AskCaller { host: host.to_owned(), port };
            return known.map(|answer| answer.addresses.clone()).ok_or_else(unknown);
        }
    }
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let failed =
        |code, message: &'static str| Failure::Resolve { host: host.to_owned(), code, message: message.into() };
    let addresses: Vec<_> = match lookup_host((host, port)).await {
        Ok(addresses) => addresses.collect(),
        Err(error) => {
            let text = error.to_string();
            let known = CODES.iter().find(|(_, words)| text.ends_with(words));
            let (code, words) = known.unwrap_or(&CODES[0]);
            return Err(failed(*code, words));
        }
    };
    if addresses.is_empty() { Err(failed(NO_ADDRESS, CODES[3].1)) } else { Ok(addresses) }
}
