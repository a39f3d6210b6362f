//! Cursors: how far a shop's program has read. A cursor is sealed, so it says nothing and can't be made up, and holds for the shop that
//! it was given to. It is of one log: after a restoration, whoever has one of the log that was lost is told so.

use data_encoding::BASE64URL_NOPAD;

use super::problem::{CURSOR_GONE, Problem};
use crate::access::api_keys::ApiKey;
use crate::engine::Granary;
use crate::error::Error;

/// Bytes of a cursor before it is sealed: the position, and the log's checksum there.
const BYTES: usize = 16;

fn of_shop(key: &ApiKey) -> Vec<u8> {
    format!("cursor\0{}\0{}\0{}", key.cooperative.0, key.platform, key.shop).into_bytes()
}

/// The cursor behind this position of the log.
pub(super) fn write(granary: &Granary, key: &ApiKey, position: u64) -> Result<String, Error> {
    let tag = granary.log_tag(key.cooperative, position)?.unwrap_or(0);
    let content = [position.to_be_bytes(), tag.to_be_bytes()].concat();
    Ok(BASE64URL_NOPAD.encode(&granary.identity().seal(&of_shop(key), &content, granary.random()?)))
}

/// The position that a cursor stands for.
pub(super) fn read(granary: &Granary, key: &ApiKey, text: &str) -> Result<u64, Problem> {
    let bad = || Problem::field("after", "cursor-bad", "this is no cursor of this shop; begin without one");
    if text.len() > 200 {
        return Err(bad());
    }
    let sealed = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| bad())?;
    let content = granary.identity().unseal(&of_shop(key), &sealed).filter(|it| it.len() == BYTES).ok_or_else(bad)?;
    let number = |bytes: Option<&[u8]>| bytes.and_then(|bytes| bytes.try_into().ok()).map(u64::from_be_bytes);
    let (position, tag) = number(content.get(..8)).zip(number(content.get(8..))).ok_or_else(bad)?;
    match granary.log_tag(key.cooperative, position)? {
        Some(here) if here == tag => Ok(position),
        _ => {
            Err(CURSOR_GONE.because("the server was restored, and this cursor is of the log before; begin without one"))
        }
    }
}
