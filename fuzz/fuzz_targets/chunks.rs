//! Chunks are the same however they are cut, take no more than there is, and give no more than they take.

#![no_main]

use gregaria::http::transport::probe;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let [length, bytes @ ..] = input else { return };
    let whole = probe::chunks([bytes]);
    let pieces = probe::chunks(bytes.chunks(usize::from(*length).max(1)));
    match (whole, pieces) {
        (Ok(whole), Ok(pieces)) => {
            assert_eq!(whole, pieces);
            let (data, used, done) = whole;
            assert!(data.len() <= used && used <= bytes.len());
            assert!(done || used == bytes.len());
            if done {
                // What is behind the end changes nothing.
                assert_eq!(probe::chunks([&bytes[..used]]).expect("it was taken before"), (data, used, true));
            }
        }
        (Err(_), Err(_)) => {}
        (whole, pieces) => panic!("whole {whole:?}, in pieces {pieces:?}"),
    }
});
