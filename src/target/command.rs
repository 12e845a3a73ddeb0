//! `gregaria target` as a command: from words to an exit code.

use std::ffi::OsString;
use std::io::{self, Write};

use clap::Parser;

use super::{Error, Options, run};

/// Serve until SIGINT or SIGTERM. Gives the exit code: 0 after a clean end, 1 when it could not serve, 2 for bad options.
pub fn command(words: impl IntoIterator<Item = OsString>) -> i32 {
    let words = std::iter::once("gregaria target".into()).chain(words);
    let options = match Options::try_parse_from(words) {
        Ok(options) => options,
        Err(error) if error.use_stderr() => {
            complain(&one_sentence(&error));
            return 2;
        }
        Err(help) => return i32::from(help.print().is_err()),
    };
    match serve(options) {
        Ok(()) => 0,
        Err(error) => {
            complain(&error.to_string());
            1
        }
    }
}

fn serve(options: Options) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::Threads)?;
    runtime.block_on(async {
        let asked_to_end = asked_to_end().map_err(Error::Threads)?;
        run(options, asked_to_end).await
    })
}

/// Listens for the signals from the call on, not from the first poll.
#[cfg(unix)]
fn asked_to_end() -> io::Result<impl Future> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn asked_to_end() -> io::Result<impl Future> {
    Ok(tokio::signal::ctrl_c())
}

/// clap's message without its advice on usage.
fn one_sentence(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let paragraph = text.split("\n\n").next().unwrap_or_default();
    let words: Vec<_> = paragraph.trim_start_matches("error:").split_whitespace().collect();
    format!("{}; see `gregaria target --help`", words.join(" "))
}

fn complain(sentence: &str) {
    let _ = writeln!(io::stderr(), "gregaria target: {sentence}"); // nobody is left to tell if this fails
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_option_is_one_sentence() {
        let error = Options::try_parse_from(["gregaria target", "--tls-port", "1"]).unwrap_err();
        assert_eq!(
            one_sentence(&error),
            "the following required arguments were not provided: --tls; see `gregaria target --help`"
        );
        let error = Options::try_parse_from(["gregaria target", "--port", "no"]).unwrap_err();
        assert_eq!(
            one_sentence(&error),
            "invalid value 'no' for '--port <PORT>': invalid digit found in string; see `gregaria target --help`"
        );
    }

    #[test]
    fn bad_options_end_with_2_and_a_busy_port_with_1() {
        let busy = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = busy.local_addr().unwrap().port().to_string();
        assert_eq!(command(["--nonsense".into()]), 2);
        assert_eq!(command(["--port".into(), port.into()]), 1);
    }
}
