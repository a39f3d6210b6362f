//! What a column can mean.

macro_rules! meanings {
    ($($name:ident $code:literal,)*) => {
        /// What a column of an export means.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(in crate::imports) enum Meaning { $($name,)* }

        impl Meaning {
            pub(in crate::imports) const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its name in profiles.
            pub(in crate::imports) fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }
        }
    };
}

meanings! {
    OrderId "order_id",
    LineId "line_id",
    GiftOrderId "gift_order_id",
    Title "title",
    Spec "spec",
    Packs "packs",
    OutsideProduct "outside_product",
    MerchantCode "merchant_code",
    UnitFen "unit_fen",
    LineFen "line_fen",
    OrderFen "order_fen",
    IncomeFen "income_fen",
    FreightFen "freight_fen",
    RefundFen "refund_fen",
    ReceiverName "receiver_name",
    ReceiverPhone "receiver_phone",
    Province "province",
    City "city",
    County "county",
    Street "street",
    Address "address",
    ChangedAddress "changed_address",
    BuyerNote "buyer_note",
    SellerNote "seller_note",
    PlacedAt "placed_at",
    PaidAt "paid_at",
    PromisedAt "promised_at",
    ShippedAt "shipped_at",
    DoneAt "done_at",
    Status "status",
    LineStatus "line_status",
    AfterSale "aftersale",
    CancelReason "cancel_reason",
    HostId "host_id",
    HostName "host_name",
    Stream "stream",
    Carrier "carrier",
    Tracking "tracking",
    GiftTitle "gift_title",
    GiftPacks "gift_packs",
    Titles "titles",
    Kinds "kinds",
}

/// How many there are.
pub(in crate::imports) const MEANINGS: usize = Meaning::ALL.len();

impl Meaning {
    /// The meaning of a name.
    pub(in crate::imports) fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|meaning| meaning.code() == code)
    }

    /// True where an empty cell refuses its row, when a profile says that it must be there.
    pub(in crate::imports) fn can_be_required(self) -> bool {
        matches!(
            self,
            Self::OrderId
                | Self::LineId
                | Self::Packs
                | Self::UnitFen
                | Self::LineFen
                | Self::OrderFen
                | Self::PlacedAt
                | Self::PaidAt
                | Self::Status
                | Self::Titles
        )
    }

    /// True for what a line has by itself: a merged cell says it of its first row alone, or it would count twice.
    pub(in crate::imports) fn is_of_one_row(self) -> bool {
        matches!(
            self,
            Self::LineId
                | Self::Packs
                | Self::UnitFen
                | Self::LineFen
                | Self::RefundFen
                | Self::GiftPacks
                | Self::Titles
        )
    }

    /// True for times, one of which may stand in for another.
    pub(in crate::imports) fn is_time(self) -> bool {
        matches!(self, Self::PlacedAt | Self::PaidAt | Self::PromisedAt | Self::ShippedAt | Self::DoneAt)
    }
}
