//! What a run means: whether its checks hold, where response times bent, what to do next, and how it differs from another
//! run. Reads statistics, and changes none.

pub mod check;
pub mod compare;
pub mod judge;
pub mod knee;
pub mod session;
pub mod words;

pub use check::{Check, Mistake};
pub use judge::{Judge, Outcome};
pub use knee::Knee;
pub use session::Session;
pub use words::Word;
