//! (being built)

pub mod body;
pub mod cookies;
pub mod decode;
pub mod headers;
pub mod redirect;
pub mod text;
pub mod url;
