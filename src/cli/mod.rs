//! The command line: what options there are, what stands behind what was typed, and what a text stands for.
//!
//! One table in [`args`] defines every option: parsing, help and the defaults all come from it. A locustfile adds its own
//! to a parser of Python's, and so the words are told apart there (`locust/argument_parser.py`), once [`config`] has written
//! out the environment and the configuration files, and each text is understood here ([`values`]). Nothing here reads a
//! locustfile or starts anything.

pub mod args;
pub mod compare;
pub mod config;
pub mod first;
pub mod values;

pub use first::first_pass;
pub use values::defaults;

use std::collections::BTreeMap;

/// The release whose behaviour this program has.
pub const LOCUST_VERSION: &str = "2.47.0";

/// `2.47.0+gregaria.0.1.0`: the behaviour, and the program that has it.
pub fn version() -> String {
    format!("{LOCUST_VERSION}+gregaria.{}", env!("CARGO_PKG_VERSION"))
}

/// What an option is set to.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Nothing,
    Flag(bool),
    Int(i64),
    Float(f64),
    Text(String),
    List(Vec<String>),
}

/// Every option by its destination name.
pub type Options = BTreeMap<&'static str, Value>;

/// A command line that cannot be understood, or asks for what is not there. Shown as `locust: error: …`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(pub String);

impl UsageError {
    pub const EXIT_CODE: i32 = 2;

    /// As argparse words what is wrong with one option.
    fn argument(option: &args::Spec, what: &str) -> Self {
        Self(format!("argument {}: {what}", option.label()))
    }
}
