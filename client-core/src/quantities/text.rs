//! Texts that people type. Line breaks come from every keyboard in another spelling; here they are `\n`.

use super::QuantityFault;

/// A text that people type, with its bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TextField {
    /// A product's code.
    ProductCode,
    /// A product's name.
    ProductName,
    /// The grade of a lot.
    Grade,
    /// The grade that a price is for.
    PriceGrade,
    /// A collecting place or field.
    Place,
    /// A note.
    Note,
    /// A reference to a photo.
    Photo,
    /// Why a lot was sent back.
    Reason,
    /// A household's name.
    HouseholdName,
    /// A village's code.
    VillageCode,
    /// How a household is paid.
    Payment,
    /// The name of a household's member.
    MemberName,
    /// A co-operative's name.
    CooperativeName,
    /// A code of a village, a place, a product or a promotion.
    Code,
    /// The name of a village or place.
    PlaceName,
    /// An announcement.
    Announcement,
    /// A promotion's title.
    PromotionTitle,
    /// The carrier's number of a shipment.
    Shipment,
    /// A case's name in the case book.
    Case,
    /// What was chosen in a case.
    Chosen,
    /// A person's name.
    PersonName,
    /// A phone's name.
    PhoneName,
    /// The telephone of the co-operative.
    Telephone,
    /// Where the co-operative is.
    Address,
    /// A bin of the warehouse.
    Bin,
    /// Whom goods were bought from.
    Supplier,
    /// The code of what a shop sells.
    SkuCode,
    /// A code or name of what is sold, as a shop writes it.
    ShopText,
    /// The platform's id of an order's line.
    LineId,
    /// The channel that packs are set aside for.
    Pool,
    /// Who hosts a live-stream.
    Host,
    /// The name of who gets an order.
    ReceiverName,
    /// The telephone of who gets an order.
    ReceiverPhone,
    /// Where an order goes.
    ReceiverAddress,
    /// What a buyer wrote to the shop.
    BuyerNote,
    /// What the shop wrote for itself about an order.
    SellerNote,
}

impl TextField {
    /// All of them.
    pub const ALL: [Self; 36] = [
        Self::ProductCode,
        Self::ProductName,
        Self::Grade,
        Self::PriceGrade,
        Self::Place,
        Self::Note,
        Self::Photo,
        Self::Reason,
        Self::HouseholdName,
        Self::VillageCode,
        Self::Payment,
        Self::MemberName,
        Self::CooperativeName,
        Self::Code,
        Self::PlaceName,
        Self::Announcement,
        Self::PromotionTitle,
        Self::Shipment,
        Self::Case,
        Self::Chosen,
        Self::PersonName,
        Self::PhoneName,
        Self::Telephone,
        Self::Address,
        Self::Bin,
        Self::Supplier,
        Self::SkuCode,
        Self::ShopText,
        Self::LineId,
        Self::Pool,
        Self::Host,
        Self::ReceiverName,
        Self::ReceiverPhone,
        Self::ReceiverAddress,
        Self::BuyerNote,
        Self::SellerNote,
    ];

    /// The most characters that it may have.
    pub fn most(self) -> usize {
        match self {
            Self::PriceGrade | Self::SkuCode => 32,
            Self::CooperativeName | Self::PlaceName | Self::PromotionTitle => 120,
            Self::Reason | Self::Payment | Self::Address => 200,
            Self::Case | Self::ShopText | Self::ReceiverName | Self::ReceiverPhone => 300,
            // A sealed address is a long token.
            Self::Note | Self::Chosen | Self::ReceiverAddress | Self::BuyerNote | Self::SellerNote => 500,
            Self::Announcement => 1_000,
            _ => 64,
        }
    }

    /// True when it may have several lines.
    fn has_lines(self) -> bool {
        matches!(self, Self::Note | Self::Chosen | Self::Announcement | Self::BuyerNote | Self::SellerNote)
    }

    /// A name for programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::ProductCode => "product",
            Self::ProductName => "product-name",
            Self::Grade => "grade",
            Self::PriceGrade => "price-grade",
            Self::Place => "place",
            Self::Note => "note",
            Self::Photo => "photo",
            Self::Reason => "reason",
            Self::HouseholdName => "household-name",
            Self::VillageCode => "village",
            Self::Payment => "payment",
            Self::MemberName => "member",
            Self::CooperativeName => "cooperative-name",
            Self::Code => "code",
            Self::PlaceName => "place-name",
            Self::Announcement => "announcement",
            Self::PromotionTitle => "promotion-title",
            Self::Shipment => "shipment",
            Self::Case => "case",
            Self::Chosen => "chosen",
            Self::PersonName => "name",
            Self::PhoneName => "phone-name",
            Self::Telephone => "telephone",
            Self::Address => "address",
            Self::Bin => "bin",
            Self::Supplier => "from",
            Self::SkuCode => "sku",
            Self::ShopText => "shop-text",
            Self::LineId => "line-id",
            Self::Pool => "pool",
            Self::Host => "host",
            Self::ReceiverName => "receiver-name",
            Self::ReceiverPhone => "receiver-phone",
            Self::ReceiverAddress => "receiver-address",
            Self::BuyerNote => "buyer-note",
            Self::SellerNote => "seller-note",
        }
    }
}

impl std::fmt::Display for TextField {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::ProductCode => "a product's code",
            Self::ProductName => "a product's name",
            Self::Grade | Self::PriceGrade => "a grade",
            Self::Place => "a place",
            Self::Note => "a note",
            Self::Photo => "a photo's name",
            Self::Reason => "a reason",
            Self::HouseholdName => "a household's name",
            Self::VillageCode => "a village's code",
            Self::Payment => "a way of payment",
            Self::MemberName => "a member's name",
            Self::CooperativeName => "a co-operative's name",
            Self::Code => "a code",
            Self::PlaceName => "the name of a village or place",
            Self::Announcement => "an announcement",
            Self::PromotionTitle => "a promotion's title",
            Self::Shipment => "a shipment's number",
            Self::Case => "a case's name",
            Self::Chosen => "what was chosen",
            Self::PersonName => "a name",
            Self::PhoneName => "a phone's name",
            Self::Telephone => "a telephone number",
            Self::Address => "an address",
            Self::Bin => "a bin",
            Self::Supplier => "whom goods were bought from",
            Self::SkuCode => "the code of what is sold",
            Self::ShopText => "a shop's name or code of what is sold",
            Self::LineId => "the id of an order's line",
            Self::Pool => "a channel",
            Self::Host => "a host",
            Self::ReceiverName => "a receiver's name",
            Self::ReceiverPhone => "a receiver's telephone",
            Self::ReceiverAddress => "a receiver's address",
            Self::BuyerNote => "a buyer's note",
            Self::SellerNote => "a seller's note",
        })
    }
}

/// A text with its lines ended by `\n`, whatever ended them, and without blanks around it.
pub fn with_plain_lines(text: &str) -> String {
    let lines = text.replace("\r\n", "\n");
    lines.trim().replace(['\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}'], "\n")
}

/// True for what nobody sees, or what turns the order of the letters beside it: control characters, marks of direction, blanks
/// without width, fillers (Unicode's `Default_Ignorable_Code_Point`, but for the selectors of a letter's form).
pub fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{2800}' | '\u{17b4}' | '\u{17b5}' | '\u{3164}'
            | '\u{feff}' | '\u{ffa0}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e00ff}' | '\u{e01f0}'..='\u{e0fff}')
}

/// One line of a text for a log or a terminal, where what is hidden could pass for something else.
pub fn one_line(text: &str) -> impl Iterator<Item = char> {
    text.chars().map(|letter| if is_hidden(letter) { ' ' } else { letter })
}

/// True where a selector of a letter's form stands at a letter that has but one, where nobody sees it.
fn selects_nothing(text: &str) -> bool {
    let is_selector = |letter: char| matches!(letter, '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}');
    let before = std::iter::once(' ').chain(text.chars());
    before.zip(text.chars()).any(|(before, letter)| is_selector(letter) && (before.is_ascii() || is_selector(before)))
}

/// Checks a text that people type: not empty, not too long. Line breaks become `\n`, or a blank where there is one line; a tab
/// is kept, or becomes a blank. Other control characters are refused. In a name, what is hidden is taken from its ends and refused
/// within: two names that look the same would be two.
pub fn checked_text(field: TextField, text: &str) -> Result<String, QuantityFault> {
    let mut lines = with_plain_lines(text);
    if !field.has_lines() {
        lines = lines.replace(char::is_whitespace, " ");
        lines = lines.trim_matches(|letter: char| letter.is_whitespace() || is_hidden(letter)).to_owned();
    }
    let forbidden = |letter: char| match field.has_lines() {
        true => letter.is_control() && !matches!(letter, '\n' | '\t'),
        false => is_hidden(letter),
    };
    match lines.chars().count() {
        0 => Err(QuantityFault::TextMissing(field)),
        letters if letters > field.most() => Err(QuantityFault::TextTooLong(field)),
        _ if lines.chars().any(forbidden) || (!field.has_lines() && selects_nothing(&lines)) => {
            Err(QuantityFault::TextUnreadable(field))
        }
        _ => Ok(lines),
    }
}

/// As [`checked_text`], for a text that may be empty.
pub fn optional_text(field: TextField, text: &str) -> Result<String, QuantityFault> {
    if text.trim().is_empty() { Ok(String::new()) } else { checked_text(field, text) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn line_breaks_of_any_kind_are_kept() {
        for (typed, kept) in [
            ("rain\r\nuntil noon", "rain\nuntil noon"),
            ("rain\runtil noon", "rain\nuntil noon"),
            ("rain\nuntil noon", "rain\nuntil noon"),
            ("rain\r\n\r\nuntil noon", "rain\n\nuntil noon"),
            ("rain\u{b}until noon", "rain\nuntil noon"),
            ("rain\u{2028}until noon\u{85}", "rain\nuntil noon"),
            ("\r\n 12 袋\t湿 \r\n", "12 袋\t湿"),
        ] {
            assert_eq!(checked_text(TextField::Note, typed).as_deref(), Ok(kept), "{typed:?}");
        }
        assert_eq!(checked_text(TextField::HouseholdName, "王家\t二组\r\n").as_deref(), Ok("王家 二组"));
    }

    #[test]
    fn names_that_only_look_the_same_are_refused() {
        for name in [
            "王\u{200b}家",
            "\u{202e}gnim\u{202c}x",
            "li\u{2066}na\u{2069}x",
            "mil\u{ad}let",
            "a\u{e0041}b",
            "Zh\u{2800}ang",
            "Zhang\u{fe0f}",
            "Zhang\u{e0100}",
        ] {
            let refused = Err(QuantityFault::TextUnreadable(TextField::HouseholdName));
            assert_eq!(checked_text(TextField::HouseholdName, name), refused, "{name:?}");
            assert!(
                checked_text(TextField::Note, name).is_ok(),
                "a note is shown apart from what is beside it: {name:?}"
            );
        }
        let pasted = "\u{feff}王家\u{200b} ";
        assert_eq!(checked_text(TextField::HouseholdName, pasted).as_deref(), Ok("王家"));
        assert_eq!(
            checked_text(TextField::HouseholdName, "\u{200b}"),
            Err(QuantityFault::TextMissing(TextField::HouseholdName))
        );
        for name in ["葛󠄀城", "👨\u{fe0f}", "Łódź", "حصاد"] {
            assert_eq!(checked_text(TextField::HouseholdName, name).as_deref(), Ok(name));
        }
    }

    #[test]
    fn texts_out_of_bounds_are_refused() {
        assert_eq!(checked_text(TextField::Note, " \r\n"), Err(QuantityFault::TextMissing(TextField::Note)));
        assert_eq!(checked_text(TextField::Note, "a\u{7}b"), Err(QuantityFault::TextUnreadable(TextField::Note)));
        assert_eq!(checked_text(TextField::Grade, &"A".repeat(65)), Err(QuantityFault::TextTooLong(TextField::Grade)));
        assert_eq!(checked_text(TextField::Note, &"\r\n米".repeat(250)).map(|text| text.chars().count()), Ok(499));
        assert_eq!(optional_text(TextField::Note, " \n").as_deref(), Ok(""));
    }

    proptest! {
        #[test]
        fn checked_texts_are_checked_again_unchanged(text in "[\\PC\r\n\t\u{200b}\u{202e}]{0,40}") {
            for field in TextField::ALL {
                if let Ok(once) = checked_text(field, &text) {
                    prop_assert_eq!(checked_text(field, &once), Ok(once));
                }
            }
        }
    }
}
