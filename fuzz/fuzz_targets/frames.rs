//! What a peer says is the same however the network cuts it, keeps to its limit, and no bytes make a greeting by accident.

#![no_main]

use gregaria::cluster::transport::probe;
use libfuzzer_sys::fuzz_target;

const MOST: usize = 300;
const MOST_COMMAND: usize = 4096;

fuzz_target!(|input: &[u8]| {
    let [length, bytes @ ..] = input else { return };
    let whole = probe::frames([bytes], MOST);
    assert_eq!(whole, probe::frames(bytes.chunks(usize::from(*length).max(1)), MOST));
    for (is_command, more, body) in &whole.0 {
        assert!(body.len() <= if *is_command { MOST_COMMAND } else { MOST });
        assert!(!(*is_command && *more));
        if let Some(written) = probe::command(body) {
            assert_eq!(probe::command(&written), Some(written));
        }
    }
    if probe::greeting(bytes) == Some(true) {
        assert!(bytes.starts_with(b"\xff"));
        for end in 0..64 {
            assert_eq!(probe::greeting(&bytes[..end]), None);
        }
    }
});
