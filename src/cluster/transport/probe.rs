//! A way in for the fuzz targets; of no use to anybody else.

use bytes::BytesMut;

use super::wire::{self, Command, GREETING, Reader};

/// What a peer without a key said after its greeting, as far as it kept to the protocol: whether it was a command,
/// whether more was to follow, and what it was; and whether it kept to the protocol up to the end.
pub fn frames<'a>(pieces: impl IntoIterator<Item = &'a [u8]>, most_bytes: usize) -> (Vec<(bool, bool, Vec<u8>)>, bool) {
    let (mut arrived, mut reader, mut said) = (BytesMut::new(), Reader::new(None), Vec::new());
    reader.accept(most_bytes);
    for piece in pieces {
        arrived.extend_from_slice(piece);
        loop {
            match reader.next(&mut arrived) {
                Ok(Some(frame)) => said.push((frame.is_command, frame.more, frame.body.to_vec())),
                Ok(None) => break,
                Err(_) => return (said, false),
            }
        }
    }
    (said, true)
}

/// Whether these bytes begin a greeting: `None` as long as more could make it one.
pub fn greeting(bytes: &[u8]) -> Option<bool> {
    match wire::read_greeting(bytes) {
        Ok(greeting) => greeting.map(|_| bytes.len() >= GREETING),
        Err(_) => Some(false),
    }
}

/// A command, and how it is written again: `None` where it is none, or one that is not ours to write.
pub fn command(body: &[u8]) -> Option<Vec<u8>> {
    match Command::read(body.to_vec()).ok()? {
        Command::Other => None,
        command => Some(command.write().to_vec()),
    }
}
