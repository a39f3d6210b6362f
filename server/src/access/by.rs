//! Who does what a shop's program may do as well as people.

use super::api_keys::ApiKey;
use super::{Denied, Principal};
use crate::log::Cooperative;

/// A shop's program by its key, or somebody who works in the console or at the terminal.
#[derive(Debug, Clone)]
pub(crate) enum By {
    /// A shop's program, of its own shop. Its scopes are asked for where it comes in.
    Key(ApiKey),
    /// A coordinator, or the operator.
    Principal(Principal),
}

impl By {
    /// Who it is for the audit.
    pub(crate) fn id(&self) -> String {
        match self {
            Self::Key(key) => format!("key:{}", key.id),
            Self::Principal(principal) => principal.id(),
        }
    }

    /// True for who may see and change what is of this shop.
    pub(crate) fn may(&self, platform: &str, shop: &str) -> bool {
        match self {
            Self::Key(key) => key.platform == platform && key.shop == shop,
            Self::Principal(_) => true,
        }
    }

    /// An error when a person may not coordinate now. A key is looked up with each request.
    pub(crate) fn must_act(&self, cooperative: &Cooperative) -> Result<(), Denied> {
        match self {
            Self::Key(_) => Ok(()),
            Self::Principal(principal) => principal.must_coordinate(cooperative),
        }
    }
}
