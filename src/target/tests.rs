//! The target over real sockets, read byte by byte: what it claims to do is what a client sees.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use clap::Parser;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::{Options, Server};

mod behaviour;
mod counting;
mod misbehaviour;
mod selling;

/// However slow the machine: nothing here takes that long.
const DEADLINE: Duration = Duration::from_secs(20);

/// A server on ports of its own, ended with the test.
struct Target {
    http: SocketAddr,
    https: Option<SocketAddr>,
    authority_pem: Option<String>,
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Target {
    fn start(words: &[&str]) -> Self {
        let words = [&["target", "--port", "0"], words].concat();
        let options = Options::try_parse_from(words).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let server = runtime.block_on(Server::bind(&options)).unwrap();
        let (http, https) = (server.http_address().unwrap(), server.https_address().unwrap());
        let authority_pem = server.authority_pem().map(str::to_owned);
        let (end, ended) = oneshot::channel::<()>();
        let thread = thread::spawn(move || runtime.block_on(server.serve(ended)).unwrap());
        Self { http, https, authority_pem, end: Some(end), thread: Some(thread) }
    }

    fn fast() -> Self {
        Self::start(&["--fast"])
    }

    fn connect(&self) -> Client {
        Client::new(self.http)
    }

    /// One GET on a connection of its own.
    fn get(&self, target: &str) -> Response {
        self.connect().get(target)
    }

    fn post(&self, target: &str, body: &Value) -> Response {
        self.connect().post(target, body)
    }

    fn counts(&self) -> Value {
        self.get("/witness/counts").json()
    }

    /// The counts, once they are as they should be: what a client's going away does takes a moment to arrive.
    fn counts_when(&self, ready: impl Fn(&Value) -> bool) -> Value {
        let start = Instant::now();
        loop {
            let counts = self.counts();
            if ready(&counts) {
                return counts;
            }
            assert!(start.elapsed() < DEADLINE, "the counts stayed {counts:#}");
            thread::yield_now();
        }
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        drop(self.end.take());
        let ended = self.thread.take().unwrap().join();
        assert!(ended.is_ok() || thread::panicking());
    }
}

/// A client that shows what it gets.
struct Client<S: Read + Write = TcpStream> {
    stream: BufReader<S>,
}

impl Client {
    fn new(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream: BufReader::new(stream) }
    }
}

impl<S: Read + Write> Client<S> {
    fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.get_mut().write_all(bytes.as_ref()).unwrap();
    }

    fn request(&mut self, method: &str, target: &str, headers: &str, body: &str) -> Response {
        let length = body.len();
        self.send(format!("{method} {target} HTTP/1.1\r\nHost: t\r\nContent-Length: {length}\r\n{headers}\r\n{body}"));
        self.response(method != "HEAD")
    }

    fn get(&mut self, target: &str) -> Response {
        self.request("GET", target, "", "")
    }

    fn post(&mut self, target: &str, body: &Value) -> Response {
        self.request("POST", target, "", &body.to_string())
    }

    fn response(&mut self, with_body: bool) -> Response {
        let head = self.head();
        let mut response = Response { head, body: Vec::new() };
        if !with_body || [204, 304].contains(&response.status()) {
            return response;
        }
        if let Some(length) = response.header("content-length") {
            response.body = vec![0; length.parse().unwrap()];
            self.stream.read_exact(&mut response.body).unwrap();
        } else if response.header("transfer-encoding").is_some() {
            response.body = self.chunks();
        } else if response.status() >= 200 {
            self.stream.read_to_end(&mut response.body).unwrap();
        }
        response
    }

    fn line(&mut self) -> String {
        let mut line = Vec::new();
        self.stream.read_until(b'\n', &mut line).unwrap();
        String::from_utf8_lossy(&line).into_owned()
    }

    /// All up to the empty line.
    fn head(&mut self) -> String {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            let line = self.line();
            assert!(!line.is_empty(), "the connection ended in the head: {head}");
            head += &line;
        }
        head
    }

    /// A chunked body; trailers stay unread.
    fn chunks(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let line = self.line();
            let size = usize::from_str_radix(line.trim_end(), 16).unwrap();
            if size == 0 {
                return body;
            }
            let mut chunk = vec![0; size + 2];
            self.stream.read_exact(&mut chunk).unwrap();
            body.extend_from_slice(&chunk[..size]);
        }
    }

    /// All that comes until the connection ends, and how it ends.
    fn some(&mut self, length: usize) -> Vec<u8> {
        let mut some = vec![0; length];
        self.stream.read_exact(&mut some).unwrap();
        some
    }

    fn rest(&mut self) -> (Vec<u8>, io::Result<()>) {
        let mut all = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => return (all, Ok(())),
                Ok(length) => all.extend_from_slice(&buffer[..length]),
                Err(error) => return (all, Err(error)),
            }
        }
    }
}

struct Response {
    head: String,
    body: Vec<u8>,
}

impl Response {
    fn status(&self) -> u16 {
        self.head.split(' ').nth(1).unwrap().parse().unwrap()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers(name).next()
    }

    fn headers(&self, name: &str) -> impl Iterator<Item = &str> {
        let pairs = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        pairs.filter(move |(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

/// What the same work takes, with its result.
fn timed<R>(work: impl FnOnce() -> R) -> (Duration, R) {
    let start = Instant::now();
    let result = work();
    (start.elapsed(), result)
}

/// Run the work on so many threads at once and gather what it gives.
fn at_once<R: Send>(count: usize, work: impl Fn(usize) -> R + Sync) -> Vec<R> {
    thread::scope(|scope| {
        let threads: Vec<_> = (0..count)
            .map(|index| {
                scope.spawn({
                    let work = &work;
                    move || work(index)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}
