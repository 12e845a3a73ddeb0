//! What a user's client does: prepare a request, send it, understand the response. Knows no users, tasks or statistics.

pub mod body;
pub mod cookies;
pub mod decode;
pub mod failure;
pub mod headers;
pub mod io;
pub mod redirect;
pub mod request;
mod response;
pub mod session;
pub mod stream;
pub mod text;
pub mod transport;
pub mod upload;
pub mod url;

pub use failure::Failure;
pub use request::{HeaderLines, Method, Request, Settings};
pub use response::Response;
pub use session::Session;
pub use transport::{Phase, Phases, Stamps};
