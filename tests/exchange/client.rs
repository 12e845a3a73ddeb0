//! The engine as the main thread uses it, without an interpreter.

use std::net::SocketAddr;
use std::os::fd::RawFd;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gregaria::bridge::{Completions, Ticket, Tickets};
use gregaria::http::io::{Command, Completion, Operation, Outcome, Pool, forget, start};
use gregaria::http::request::{AtTheLimit, Names, Retries, push_line};
use gregaria::http::transport::Tls;
use gregaria::http::url::{Base, Style};
use gregaria::http::{Failure, HeaderLines, Method, Request, Response, Session, Settings};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::oneshot;

use crate::wire::soon;

type Waiting = Mutex<Tickets<oneshot::Sender<Box<Operation>>, ()>>;

/// One I/O thread, and who waits for it.
pub struct Client {
    pool: Arc<Pool>,
    waiting: Arc<Waiting>,
}

/// A user of the client.
#[derive(Clone)]
pub struct User {
    client: Arc<Client>,
    pub session: Arc<Session>,
}

/// An operation under way.
pub struct Flight {
    user: User,
    ticket: Ticket,
    home: oneshot::Receiver<Box<Operation>>,
}

impl Client {
    pub fn start() -> Arc<Self> {
        let completions = Arc::new(Completions::new().unwrap());
        let pool = start(1, &completions).unwrap();
        let waiting = Arc::new(Waiting::default());
        tokio::spawn(deliver(completions, Arc::clone(&waiting)));
        Arc::new(Self { pool, waiting })
    }

    pub fn user(self: &Arc<Self>) -> User {
        self.user_of(&Arc::default())
    }

    pub fn user_of(self: &Arc<Self>, session: &Arc<Session>) -> User {
        User { client: Arc::clone(self), session: Arc::clone(session) }
    }
}

#[allow(deprecated)] // the queue lends a bare number, and outlives the watch on it
async fn deliver(completions: Arc<Completions<Completion>>, waiting: Arc<Waiting>) {
    let fd: RawFd = completions.fd().raw();
    let fd = AsyncFd::with_interest(fd, Interest::READABLE).unwrap();
    loop {
        fd.readable().await.unwrap().clear_ready();
        completions.start_drain();
        while let Some(completion) = completions.pop() {
            let Completion::Done(operation) = completion else { unreachable!("nothing is streamed here") };
            let ticket = operation.ticket.expect("the tests issue tickets");
            let mut waiting = waiting.lock().unwrap();
            if let Ok(home) = waiting.finish(ticket, ()) {
                waiting.redeem(ticket);
                let _ = home.send(operation);
            }
        }
    }
}

impl User {
    pub fn send(&self, request: Request) -> Flight {
        let (sender, home) = oneshot::channel();
        let ticket = self.client.waiting.lock().unwrap().issue(sender);
        let session = Arc::clone(&self.session);
        let operation =
            Operation { ticket: Some(ticket), session, request, label: None, outcome: None, lag: Duration::ZERO };
        self.tell(Command::Run(Box::new(operation)));
        Flight { user: self.clone(), ticket, home }
    }

    pub async fn fetch(&self, request: Request) -> Result<Response, Failure> {
        self.send(request).land().await
    }

    pub fn close_idle(&self) {
        self.tell(Command::CloseIdle { session: self.session.id() });
    }

    pub fn forget(&self) {
        forget(self.session.id());
    }

    fn tell(&self, command: Command) {
        self.client.pool.send(self.session.id(), command);
    }
}

impl Flight {
    pub async fn land(self) -> Result<Response, Failure> {
        self.outcome().await.result
    }

    pub async fn outcome(self) -> Outcome {
        soon(self.home).await.expect("every operation comes home").outcome.expect("with its outcome")
    }

    /// Give up, as a killed greenlet does.
    pub fn cancel(self) {
        let Self { user, ticket, .. } = self;
        user.client.waiting.lock().unwrap().abandon(ticket);
        user.tell(Command::Cancel { session: user.session.id(), ticket });
    }
}

pub fn settings() -> Settings {
    Settings {
        connect_timeout: Some(Duration::from_secs(10)),
        read_timeout: Some(Duration::from_secs(10)),
        redirects: None,
        tls: Tls::unchecked(),
        max_connections: 10,
        at_the_limit: AtTheLimit::Wait,
        retries: Retries::default(),
        statuses: None,
        http2: false,
        proxy: None,
    }
}

pub fn request(method: &str, address: SocketAddr, settings: Settings) -> Request {
    request_to(method, &format!("http://{address}"), settings)
}

pub fn request_to(method: &str, base: &str, settings: Settings) -> Request {
    Request {
        method: Method::new(method),
        url: Base::new(Style::Requests, base).join("/").unwrap(),
        headers: HeaderLines {
            shared: Arc::from(&b""[..]),
            own: Vec::new(),
            trailing: Vec::new(),
            has_host: false,
            has_cookie: false,
        },
        body: None,
        cookies: Vec::new(),
        settings: Arc::new(settings),
        stream: false,
        upload: None,
        bare: false,
        names: Names::System,
    }
}

pub fn get(address: SocketAddr) -> Request {
    request("GET", address, settings())
}

pub fn post(address: SocketAddr, length: usize) -> Request {
    let mut request = request("POST", address, settings());
    push_line(&mut request.headers.trailing, b"Content-Length", length.to_string().as_bytes());
    request.body = Some(vec![b'x'; length].into());
    request
}
