//! A response, cut anywhere, is what it is in one piece, and never a panic.

#![no_main]

use gregaria::http::transport::probe;
use libfuzzer_sys::fuzz_target;

// The first byte says what was asked for and how the connection ends; the second how long the pieces are.
fuzz_target!(|input: &[u8]| {
    let [flags, length, bytes @ ..] = input else { return };
    let (head_only, closed) = (flags & 1 == 1, flags & 2 == 2);
    let whole = probe::response([bytes], head_only, closed);
    let pieces = probe::response(bytes.chunks(usize::from(*length).max(1)), head_only, closed);
    match (whole, pieces) {
        (Ok(Some((whole, kept))), Ok(Some((pieces, kept_too)))) => {
            assert_eq!((whole.status, kept, whole.wire_length), (pieces.status, kept_too, pieces.wire_length));
            assert_eq!((whole.head(), whole.body()), (pieces.head(), pieces.body()));
            assert_eq!(whole.headers(), pieces.headers());
            assert!(whole.wire_length as usize <= bytes.len());
            let _ = (whole.reason(), whole.version());
        }
        (Ok(None), Ok(None)) | (Err(_), Err(_)) => {}
        // What is malformed is found at the next line's end, and here there may be none.
        (Err(_), Ok(None)) if !closed => {}
        (whole, pieces) => panic!("whole {whole:?}, in pieces {pieces:?}"),
    }
});
