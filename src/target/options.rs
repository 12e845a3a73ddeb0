//! What `gregaria target` was asked to do: the one definition of its command line.

use std::path::PathBuf;

use clap::Parser;

/// What there is to ask for: the end of `--help`, and the answer to `GET /`.
pub const ROUTES: &str = include_str!("help.txt");

/// A web server to run load tests against: a small shop, and a witness that misbehaves on request and counts what arrived.
#[derive(Clone, Debug, Parser)]
#[command(name = "gregaria target", version, max_term_width = 120, after_long_help = ROUTES)]
pub struct Options {
    /// Address to listen on
    #[arg(long, default_value = "127.0.0.1", value_name = "ADDRESS")]
    pub host: String,

    /// Port for plain HTTP; 0 takes any free one
    #[arg(long, default_value_t = 8080)]
    pub port: u16,

    /// Serve HTTPS as well, on a second port, with a certificate made at start
    #[arg(long)]
    pub tls: bool,

    /// Port for HTTPS; 0 takes any free one
    #[arg(long, default_value_t = 8443, requires = "tls", value_name = "PORT")]
    pub tls_port: u16,

    /// Write the certificate that clients must trust to this file, as PEM
    #[arg(long, requires = "tls", value_name = "FILE")]
    pub tls_cert_out: Option<PathBuf>,

    /// Once listening, write the port to this file (and the HTTPS port on a second line)
    #[arg(long, value_name = "FILE")]
    pub ready_file: Option<PathBuf>,

    /// Start of everything random: the same seed gives the same response times
    #[arg(long, default_value_t = 1, value_name = "NUMBER")]
    pub seed: u64,

    /// How many requests the shop serves at the same time, the others queue; 0 answers all at once (like `--fast`)
    #[arg(long, default_value_t = 64, value_name = "SLOTS", value_parser = clap::value_parser!(u32).range(..=1_000_000))]
    pub capacity: u32,

    /// The shop answers at once: no service times, no queue
    #[arg(long)]
    pub fast: bool,

    /// Threads that serve connections
    #[arg(long, default_value_t = 1, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub threads: u16,
}

impl Options {
    /// The shop's service slots; `None` where it answers at once.
    pub fn slots(&self) -> Option<usize> {
        (!self.fast && self.capacity > 0).then_some(self.capacity as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<Options, clap::Error> {
        Options::try_parse_from([&["gregaria target"], words].concat())
    }

    #[test]
    fn capacity_zero_and_fast_both_mean_no_queue() {
        assert_eq!(parse(&["--capacity", "0"]).unwrap().slots(), None);
        assert_eq!(parse(&["--fast"]).unwrap().slots(), None);
        assert_eq!(parse(&["--capacity", "3"]).unwrap().slots(), Some(3));
    }

    #[test]
    fn nonsense_is_refused() {
        for words in [["--port", "x"], ["--threads", "0"], ["--port", "70000"], ["--tls-port", "1"], ["--seed", "-1"]] {
            assert!(parse(&words).is_err(), "{words:?}");
        }
    }
}
