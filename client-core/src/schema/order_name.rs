//! An order's name: the platform, the shop there, and the platform's own id for the order.

use std::fmt::{self, Write as _};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::crdt::leb128::{ReadFault, Reader, write_prefixed};
use crate::quantities::is_hidden;

/// The longest name of a platform or a shop, in bytes.
const PLACE_BYTES_MAX: usize = 32;
/// The longest id of an order, in bytes.
const OUTSIDE_BYTES_MAX: usize = 64;

/// An order's place of origin: the platform's short name, the shop there, and the platform's own id for the order.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct OrderName {
    /// Such as `douyin`; 1 to 32 bytes.
    pub platform: String,
    /// Which of the co-operative's shops on that platform; 0 to 32 bytes, empty where there is but one.
    pub shop: String,
    /// The platform's id for the order; 1 to 64 bytes.
    pub outside_id: String,
}

impl OrderName {
    /// An order of a platform on which the co-operative has but one shop.
    pub fn of(platform: &str, outside_id: &str) -> Self {
        Self { platform: platform.to_owned(), shop: String::new(), outside_id: outside_id.to_owned() }
    }

    /// True when each part has the length that it may have and nothing hidden: then the name can be a document's key.
    pub fn is_valid(&self) -> bool {
        is_name(&self.platform, PLACE_BYTES_MAX)
            && (self.shop.is_empty() || is_name(&self.shop, PLACE_BYTES_MAX))
            && is_name(&self.outside_id, OUTSIDE_BYTES_MAX)
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        write_prefixed(out, self.platform.as_bytes());
        if !self.shop.is_empty() {
            write_prefixed(out, self.shop.as_bytes());
        }
        write_prefixed(out, self.outside_id.as_bytes());
    }

    /// Reads a name without a shop.
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, ReadFault> {
        let platform = read_name(reader, PLACE_BYTES_MAX)?;
        Ok(Self { platform, shop: String::new(), outside_id: read_name(reader, OUTSIDE_BYTES_MAX)? })
    }

    /// Reads a name with a shop, which must not be empty: one document has one key.
    pub(super) fn read_with_shop(reader: &mut Reader<'_>) -> Result<Self, ReadFault> {
        let (platform, shop) = (read_name(reader, PLACE_BYTES_MAX)?, read_name(reader, PLACE_BYTES_MAX)?);
        Ok(Self { platform, shop, outside_id: read_name(reader, OUTSIDE_BYTES_MAX)? })
    }
}

pub(super) fn is_name(text: &str, most: usize) -> bool {
    !text.is_empty() && text.len() <= most && !text.chars().any(is_hidden)
}

pub(super) fn read_name(reader: &mut Reader<'_>, most: usize) -> Result<String, ReadFault> {
    let text = reader.text()?;
    if is_name(text, most) { Ok(text.to_owned()) } else { Err(ReadFault::BadText) }
}

/// The name in one word: `douyin/6912`, or `douyin@shop-2/6912`. In platform and shop, `%`, `@` and `/` are written `%25`, `%40`
/// and `%2F`.
impl fmt::Display for OrderName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let escaped = |formatter: &mut fmt::Formatter<'_>, text: &str| {
            text.chars().try_for_each(|letter| match letter {
                '%' => formatter.write_str("%25"),
                '@' => formatter.write_str("%40"),
                '/' => formatter.write_str("%2F"),
                other => formatter.write_char(other),
            })
        };
        escaped(formatter, &self.platform)?;
        if !self.shop.is_empty() {
            formatter.write_char('@')?;
            escaped(formatter, &self.shop)?;
        }
        write!(formatter, "/{}", self.outside_id)
    }
}

/// A text names no order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no such order")]
pub struct OrderNameFault;

impl FromStr for OrderName {
    type Err = OrderNameFault;

    /// Reads what [`fmt::Display`] writes.
    fn from_str(text: &str) -> Result<Self, OrderNameFault> {
        let (place, outside_id) = text.split_once('/').ok_or(OrderNameFault)?;
        let (platform, shop) = match place.split_once('@') {
            Some((_, "")) => return Err(OrderNameFault),
            Some(both) => both,
            None => (place, ""),
        };
        let plain = |text: &str| text.replace("%2F", "/").replace("%40", "@").replace("%25", "%");
        let name = Self { platform: plain(platform), shop: plain(shop), outside_id: outside_id.to_owned() };
        Some(name).filter(|name| name.is_valid() && name.to_string() == text).ok_or(OrderNameFault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn name_in_one_word_is_read_again() {
        let name =
            |platform: &str, shop: &str, id: &str| OrderName { shop: shop.into(), ..OrderName::of(platform, id) };
        for (name, text) in [
            (name("douyin", "", "6912"), "douyin/6912"),
            (name("douyin", "2号店", "6912"), "douyin@2号店/6912"),
            (name("a/b", "c@d%2F", "e/f@g"), "a%2Fb@c%40d%252F/e/f@g"),
        ] {
            assert_eq!(name.to_string(), text);
            assert_eq!(text.parse(), Ok(name));
        }
        for wrong in ["", "douyin", "/6912", "douyin/", "douyin@/6912", "a@b@c/6912", "a%2f/1", "a\u{200b}/1"] {
            assert_eq!(wrong.parse::<OrderName>(), Err(OrderNameFault), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn every_name_is_read_as_it_is_written(platform in "[a-z%@/2F5]{1,9}", shop in "[a-z%@/4F0]{0,9}", id in "[a-z%@/]{1,9}") {
            let name = OrderName { platform, shop, outside_id: id };
            prop_assert_eq!(name.to_string().parse(), Ok(name));
        }
    }
}
