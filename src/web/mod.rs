//! The web page's server: Locust's HTTP API and what the page of ours lives on.
//!
//! It has a thread of its own, with a runtime of its own: writing the JSON of a thousand rows must not disturb the clocks
//! of the I/O threads. It never runs Python and never waits for it, so a locustfile that computes for ten seconds freezes
//! no page. What only Python can answer is handed over ([`handover`]), and whoever asked waits for that alone.

mod answer;
mod assets;
mod body;
mod cors;
mod downloads;
mod figures;
mod files;
pub mod handover;
mod json;
mod listen;
mod metrics;
mod ready;
mod requests;
mod routes;
mod safety;
mod shared;
mod status;
mod stream;
mod workers;

pub use assets::page;
pub use body::{Body, written};
pub use handover::{Answer, Handover, Request};
pub use listen::Bind;
pub use ready::Ready;
pub use routes::Route;
pub use shared::{Percentiles, Settings, Shared};
pub use status::Status;
pub use workers::whole as worker_json;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::watch;

/// How long answers that are on their way may take when the server is closed.
const GRACE: Duration = Duration::from_millis(500);

/// The server, until it is closed.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Listen, and serve from now on.
    pub fn start(bind: &Bind, shared: Arc<Shared>) -> io::Result<Self> {
        let listener = listen::bind(bind)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = watch::channel(false);
        let tls = listen::tls(shared.settings().tls.as_ref())?;
        let serving = Arc::clone(&shared);
        let serve = move || {
            runtime.block_on(listen::serve(listener, tls, serving, stopped));
            runtime.shutdown_timeout(GRACE);
        };
        let thread = std::thread::Builder::new().name("web".into()).spawn(serve)?;
        Ok(Self { address, shared, stop, thread: Some(thread) })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Listen no more, let answers that are on their way arrive, and wait until that is done.
    pub fn close(&mut self) {
        self.shared.close();
        // Nobody hears it where the thread has ended already.
        let _ = self.stop.send(true);
        if let Some(thread) = self.thread.take() {
            // A panic in there has been reported by its own hook; there is nothing to add.
            let _ = thread.join();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.close();
    }
}
