//! The contract of [`Store`] as one suite, which the tests of each implementation run. It panics where a store fails.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::{Batch, Store};

/// Runs the suite. `open` opens the same store at each call, as after a restart.
pub fn check(open: impl Fn() -> Box<dyn Store>) {
    let store = open();
    assert_eq!(store.get(b"nothing").unwrap(), None, "a key that was never set has no value");

    let mut batch = Batch::default();
    for (key, value) in [("b/2", "two"), ("a/1", "one"), ("b/10", "ten"), ("b/1", "one"), ("c/1", "")] {
        batch.put(key, value);
    }
    batch.put("b/1", "uno");
    store.apply(&batch).unwrap();
    store.flush().unwrap();
    drop(store);

    let store = open();
    assert_eq!(store.get(b"b/1").unwrap().unwrap(), b"uno", "the later write of a batch wins, and it stays");
    assert_eq!(store.get(b"c/1").unwrap().unwrap(), b"", "an empty value is a value");
    let keys = |after: Option<&[u8]>, limit| -> Vec<Vec<u8>> {
        store.scan(b"b/", after, limit).unwrap().into_iter().map(|row| row.key).collect()
    };
    assert_eq!(keys(None, 9), [b"b/1".to_vec(), b"b/10".to_vec(), b"b/2".to_vec()], "keys come in byte order");
    assert_eq!(keys(Some(b"b/1"), 1), [b"b/10".to_vec()], "a scan goes on after a key");
    assert_eq!(keys(Some(b"b/2"), 9), Vec::<Vec<u8>>::new(), "a scan ends with its prefix");

    let mut batch = Batch::default();
    batch.remove("b/1");
    batch.remove("never there");
    batch.put("b/10", "dix");
    store.apply(&batch).unwrap();
    store.flush().unwrap();
    drop(store);

    let store = open();
    assert_eq!(store.get(b"b/1").unwrap(), None, "what was removed stays away");
    assert_eq!(store.get(b"b/10").unwrap().unwrap(), b"dix", "what was set again has the new value");
    assert_eq!(store.scan_all(b"").unwrap().len(), 4, "an empty prefix is everything");
}
