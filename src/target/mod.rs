//! The target: the server that demos and tests run load against (`gregaria target`). It is two things in one.
//!
//! **The shop** (`/login`, `/api/…`) behaves as a web service does: bearer tokens, carts, service times that vary, and a
//! capacity beyond which requests queue and response times rise. See [`shop`] and [`queue`].
//!
//! **The witness** (everything else) does what a test asks for, good ([`plain`]) or bad ([`broken`]), to the byte and to
//! the millisecond, and keeps its own count of what arrived ([`counts`]), to be read and programmed under `/witness/`
//! ([`control`]).
//!
//! It speaks HTTP/1.x itself, over httparse: a framework would not let it misbehave. HTTP/2 ([`http2`]) is for what
//! behaves, by ALPN or to clients that begin with it. It is no web server for anything
//! else: it keeps bodies in memory and trusts its clients with its time.

mod broken;
mod command;
mod connection;
mod control;
mod counts;
mod encoded;
mod http2;
mod options;
mod plain;
mod queue;
mod random;
mod recorder;
mod reply;
mod request;
mod routes;
mod server;
mod shop;
mod timer;
mod tls;
mod witness;
mod world;

#[cfg(test)]
mod tests;

use std::future::Future;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

pub use command::command;
pub use options::Options;
pub use server::Server;

/// Why the target could not start, or had to end.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot listen on `{host}:{port}`: {source}; `--port 0` takes any free port")]
    Listen { host: String, port: u16, source: io::Error },
    #[error("cannot write `{}`: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("cannot say that the server listens: {0}")]
    Announce(io::Error),
    #[error("cannot make a certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    #[error("cannot serve TLS: {0}")]
    Tls(#[from] rustls::Error),
    #[error("cannot start the server's threads: {0}")]
    Threads(io::Error),
}

/// Listen, say so (on stdout, and in the files that were asked for), and serve until `shutdown` is ready.
pub async fn run(options: Options, shutdown: impl Future) -> Result<(), Error> {
    let server = Server::bind(&options).await?;
    announce(&server, &options)?;
    server.serve(shutdown).await
}

fn announce(server: &Server, options: &Options) -> Result<(), Error> {
    let http = server.http_address().map_err(Error::Announce)?;
    let https = server.https_address().map_err(Error::Announce)?;
    // The files first: whoever reads the line finds them.
    if let (Some(path), Some(pem)) = (&options.tls_cert_out, server.authority_pem()) {
        write_whole(path, pem)?;
    }
    let https_line = https.map(|https| format!("listening on https://{https}\n"));
    let https_port = https.map(|https| format!("{}\n", https.port()));
    let lines = format!("listening on http://{http}\n{}", https_line.unwrap_or_default());
    let ports = format!("{}\n{}", http.port(), https_port.unwrap_or_default());
    if let Some(path) = &options.ready_file {
        write_whole(path, &ports)?;
    }
    let mut stdout = io::stdout().lock();
    stdout.write_all(lines.as_bytes()).and_then(|()| stdout.flush()).map_err(Error::Announce)
}

/// Under another name first: whoever waits for the file finds it whole.
fn write_whole(path: &Path, text: &str) -> Result<(), Error> {
    let failed = |source| Error::Write { path: path.to_owned(), source };
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".unfinished");
    std::fs::write(&unfinished, text).map_err(failed)?;
    std::fs::rename(&unfinished, path).map_err(failed)
}
