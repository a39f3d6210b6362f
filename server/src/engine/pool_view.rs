//! Pools as programs outside see them.

use granary_client_core::schema::stream::Stream;
use serde::Serialize;
use utoipa::ToSchema;

use super::Granary;
use crate::error::Error;
use crate::log::CooperativeNumber;

/// Packs of a SKU that are set aside for a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct PoolView {
    /// The channel: a live-stream's code.
    pub(crate) pool: String,
    /// The SKU.
    pub(crate) sku: String,
    /// Packs that were set aside; none where nobody ever set any aside.
    pub(crate) granted: Option<u64>,
    /// Packs that were sold, with those above what was set aside.
    pub(crate) accepted: u64,
    /// Packs that were sold above what was set aside.
    pub(crate) over: u64,
    /// Packs that a platform may be told: without what is held back.
    pub(crate) left: u64,
    /// True once it was ended.
    pub(crate) ended: bool,
}

/// True for a stream of this shop.
pub(crate) fn is_of_shop(stream: &Stream, platform: &str, shop: &str) -> bool {
    stream.platform.as_deref() == Some(platform) && stream.shop == shop
}

impl Granary {
    /// The pools of a shop: of its streams, and of the platform's own channel.
    pub(crate) fn pool_views(
        &self,
        number: CooperativeNumber,
        (platform, shop): (&str, &str),
    ) -> Result<Vec<PoolView>, Error> {
        let cooperative = self.cooperative(number)?;
        let context = self.trade_context(&cooperative)?;
        let is_of = |channel: &str| {
            let stream = channel.parse().ok().and_then(|code| context.streams.get(&code));
            stream.map_or(channel == platform, |stream| is_of_shop(stream, platform, shop))
        };
        let shown = self.pools(number)?.into_iter().filter(|pool| is_of(&pool.channel)).map(|pool| PoolView {
            pool: pool.channel,
            sku: pool.sku,
            granted: pool.granted,
            accepted: pool.accepted,
            over: pool.over,
            left: pool.told_left,
            ended: pool.is_closed,
        });
        Ok(shown.collect())
    }
}
