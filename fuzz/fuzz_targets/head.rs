//! A head is found where its empty line is, whatever follows, and not before it is complete.

#![no_main]

use gregaria::http::transport::probe;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let [flags, bytes @ ..] = input else { return };
    let head_only = flags & 1 == 1;
    let Ok(Some(head)) = probe::head(bytes, head_only) else { return };
    let (status, length, ..) = &head;
    assert!((100..1000).contains(status));
    assert!(bytes[..*length].ends_with(b"\n"));
    assert_eq!(probe::head(&bytes[..*length], head_only).expect("it was taken with more behind it"), Some(head.clone()));
    if let Ok(Some(early)) = probe::head(&bytes[..*length - 1], head_only) {
        panic!("{early:?} is complete a byte before {head:?}");
    }
});
