//! Why an exchange gave no usable response.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::time::Duration;

use super::decode::DecodeError;
use super::url::UrlError;

/// A failed exchange: data, not an error of the run. Faces turn it into the exception a user of their client knows.
#[derive(Debug)]
pub enum Failure {
    /// The host's name has no address. The code is getaddrinfo's.
    Resolve {
        host: String,
        code: i32,
        message: Cow<'static, str>,
    },
    /// Not a failure of the exchange: it stops here until the caller, who looks names up himself, has looked up this one.
    AskCaller {
        host: String,
        port: u16,
    },
    /// No connection: refused, unreachable, no local port or descriptor left.
    Connect(io::Error),
    ConnectTimeout(Duration),
    /// The server's certificate was not accepted.
    Certificate(String),
    /// The peers agree on no protocol, or what came is no TLS.
    Tls(String),
    /// Nothing arrived for that long.
    ReadTimeout(Duration),
    /// Nothing arrived for that long, in the middle of a body.
    BodyTimeout(Duration),
    /// The peer closed before it sent anything of a response.
    Disconnected,
    /// The connection broke (`io`) while request or response were under way.
    Broken(io::Error),
    /// The connection broke in the middle of a body.
    BodyBroken(io::Error),
    /// The body ended before its declared length, or before its last chunk.
    Incomplete {
        received: u64,
        missing: Option<u64>,
    },
    /// The chunks of the body are malformed.
    Chunks(&'static str),
    /// What came is not HTTP, contradicts itself, or exceeds a limit.
    Protocol(&'static str),
    /// The body's content encoding could not be undone.
    Decode(DecodeError),
    /// The way to the server ends at its proxy.
    Proxy(ProxyFailure),
    /// The server broke the exchange off (HTTP/2), for this reason.
    Reset(String),
    /// The request cannot be put into the protocol's terms: one sentence.
    Unsendable(String),
    TooManyRedirects(u32),
    /// A redirect to something that is no HTTP URL.
    RedirectTarget(UrlError),
    /// The waiting user was killed, or its client is gone.
    Cancelled,
    /// The engine panicked over it: these were its words.
    Bug(String),
}

/// Errors of a connection that geventhttpclient tries again after.
const TEMPORARY: [i32; 4] = [libc::ETIMEDOUT, libc::ENOLINK, libc::ENOENT, libc::EPIPE];

impl Failure {
    /// Whether the response had begun, and its body could not be read or decoded.
    pub fn is_of_the_body(&self) -> bool {
        matches!(
            self,
            Self::BodyTimeout(_) | Self::BodyBroken(_) | Self::Incomplete { .. } | Self::Chunks(_) | Self::Decode(_)
        )
    }

    /// Whether another attempt may fare better: nothing came in time, or the system gave up on the connection.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::ConnectTimeout(_) | Self::ReadTimeout(_) => true,
            Self::Connect(error) | Self::Broken(error) => {
                error.raw_os_error().is_some_and(|code| TEMPORARY.contains(&code))
            }
            _ => false,
        }
    }
}

/// What can go wrong with a proxy.
#[derive(Debug)]
pub enum ProxyFailure {
    /// Its name, or that of the server where we look it up, has no address.
    Resolve(String),
    Connect(io::Error),
    /// It closed before it sent anything of a response.
    Disconnected,
    /// It does not do what it was asked for, or wants credentials: in reqwest's words.
    Refused(String),
}

impl fmt::Display for ProxyFailure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resolve(host) => write!(out, "cannot resolve `{host}`"),
            Self::Connect(error) => write!(out, "cannot connect: {error}"),
            Self::Disconnected => out.write_str("it closed the connection without a response"),
            Self::Refused(words) => out.write_str(words),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AskCaller { host, .. } => write!(out, "nobody has looked up `{host}`"),
            Self::Resolve { host, message, .. } => write!(out, "cannot resolve `{host}`: {message}"),
            Self::Connect(error) => write!(out, "cannot connect: {error}"),
            Self::ConnectTimeout(after) => write!(out, "no connection within {after:?}"),
            Self::Certificate(message) | Self::Tls(message) => write!(out, "TLS: {message}"),
            Self::ReadTimeout(after) | Self::BodyTimeout(after) => write!(out, "nothing received for {after:?}"),
            Self::Disconnected => out.write_str("the server closed the connection without a response"),
            Self::Broken(error) | Self::BodyBroken(error) => write!(out, "the connection broke: {error}"),
            Self::Incomplete { received, missing: Some(missing) } => {
                write!(out, "the body ended after {received} bytes, {missing} too early")
            }
            Self::Incomplete { received, missing: None } => write!(out, "the body broke off after {received} bytes"),
            Self::Chunks(what) | Self::Protocol(what) => write!(out, "not a valid response: {what}"),
            Self::Decode(what) => write!(out, "cannot decode the body: {what}"),
            Self::Proxy(failure) => write!(out, "the proxy: {failure}"),
            Self::Reset(reason) => write!(out, "the server reset the stream: {reason}"),
            Self::Unsendable(why) => write!(out, "the request cannot be sent: {why}"),
            Self::TooManyRedirects(limit) => write!(out, "more than {limit} redirects"),
            Self::RedirectTarget(error) => write!(out, "a redirect cannot be followed: {error}"),
            Self::Cancelled => out.write_str("cancelled"),
            Self::Bug(words) => write!(out, "a bug in gregaria ended this request, please report it: {words}"),
        }
    }
}
