//! What can be unusual, as a value with a code, a field, and a sentence in both languages.

use crate::ids::HouseholdId;
use crate::quantities::typed::WeightUnit;
use crate::quantities::{Day, Fen, Grams, GramsDelta, SpokenCode, decimal};
use crate::schema::Season;
use crate::words::{Language, Words};

/// What is unusual about a lot. Show the sentence and ask; what is confirmed may be recorded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unusual {
    /// The catalogue has no such product.
    #[error("the catalogue has no product \"{product}\"{}", .meant.as_ref().map_or_else(String::new, |meant| format!("; did you mean {meant}?")))]
    Product {
        /// As it was given.
        product: String,
        /// The code that was meant, as far as one looks like it.
        meant: Option<String>,
    },
    /// The co-operative takes no more of the product.
    #[error("\"{product}\" is not taken any more since {ended}")]
    Ended {
        /// The product's code.
        product: String,
        /// From which day on.
        ended: Day,
    },
    /// No catalogue is here yet, and no earlier lot has this product: nothing can tell whether it is written right.
    #[error("there is no catalogue here yet; is \"{product}\" right?")]
    NoCatalogue {
        /// As it was given.
        product: String,
    },
    /// The co-operative's document has no such collecting place.
    #[error("the co-operative has no place \"{place}\"{}", .meant.as_ref().map_or_else(String::new, |meant| format!("; did you mean {meant}?")))]
    Place {
        /// As it was given.
        place: String,
        /// The place that was meant, as far as one looks like it.
        meant: Option<String>,
    },
    /// The catalogue has no price for the grade.
    #[error("the catalogue has no grade \"{grade}\" of this product; it has {}", .known.join(", "))]
    Grade {
        /// As it was given.
        grade: String,
        /// Those that the catalogue has.
        known: Vec<String>,
    },
    /// This phone knows all households of the co-operative, and this is none of them.
    #[error("there is no household {household}{}", .meant.as_ref().map_or_else(String::new, |meant| format!("; did you mean {meant}?")))]
    Household {
        /// As it was given.
        household: HouseholdId,
        /// The id that was meant, with the household's name, as far as one looks like it.
        meant: Option<String>,
    },
    /// The day is to come.
    #[error("the day {day} is in the future; today is {today}")]
    Future {
        /// Of the lot.
        day: Day,
        /// Today.
        today: Day,
    },
    /// The day is in another season.
    #[error("the day {day} is not in the season {}", .season.year())]
    OtherSeason {
        /// Of the lot.
        day: Day,
        /// The season that was meant.
        season: Season,
    },
    /// The weight is far outside what was recorded before.
    #[error("{}", far_from_usual([.grams, .least, .most], Language::English, WeightUnit::Kilogram))]
    Weight {
        /// Of the lot.
        grams: Grams,
        /// Usual at least.
        least: Grams,
        /// Usual at most.
        most: Grams,
    },
    /// The lot came in before it was harvested.
    #[error("the day {day} is before the day of the harvest, {harvested}")]
    BeforeHarvest {
        /// Of the receipt.
        day: Day,
        /// Of the lot.
        harvested: Day,
    },
    /// The lot came in long after it was harvested.
    #[error("the day {day} is long after the day of the harvest, {harvested}")]
    LongAfterHarvest {
        /// Of the receipt.
        day: Day,
        /// Of the lot.
        harvested: Day,
    },
    /// The warehouse weighed far more or less than was recorded.
    #[error("{}", far_from_recorded([.weighed, .recorded], Language::English, WeightUnit::Kilogram))]
    Weighed {
        /// At the warehouse.
        weighed: Grams,
        /// By the household.
        recorded: Grams,
    },
    /// What was counted is far from what should lie there.
    #[error("{} kg were counted, and {} kg should lie there", decimal(.counted.get(), 1000), decimal(*.computed, 1000))]
    Counted {
        /// What was counted.
        counted: GramsDelta,
        /// What should lie there, in grams.
        computed: i64,
    },
    /// More is to go out, or elsewhere, than lies there.
    #[error("only {} kg lie there, and {} kg are to go", decimal(*.there, 1000), decimal(.grams.get(), 1000))]
    MoreThanThere {
        /// What is to go.
        grams: Grams,
        /// What lies there, in grams.
        there: i64,
    },
    /// Nothing here says that these goods came in.
    #[error("nothing on this phone says that {code} came in")]
    UnknownGoods {
        /// The number of the goods.
        code: SpokenCode,
    },
    /// Goods that expired before they came in.
    #[error("the goods expired on {expiry}, before they came in on {day}")]
    Expired {
        /// Their last good day.
        expiry: Day,
        /// When they came in.
        day: Day,
    },
    /// A price jumps.
    #[error("{price} for a kilogram of grade {grade} is far from the last price, {last}")]
    Price {
        /// Of which grade.
        grade: String,
        /// The new one.
        price: Fen,
        /// The one before it.
        last: Fen,
    },
}

/// The sentences with weights in them, in the unit in which their reader weighs.
fn far_from_usual(weights: [&Grams; 3], language: Language, unit: WeightUnit) -> String {
    let [grams, least, most] = weights.map(|weight| unit.figure(*weight));
    let name = unit.name(language);
    match language {
        Language::English => format!("{grams} {name} is far from what is usual here, {least} to {most} {name}"),
        Language::Chinese => format!("{grams} {name}与平常的 {least} 到 {most} {name}相差很远"),
    }
}

fn far_from_recorded(weights: [&Grams; 2], language: Language, unit: WeightUnit) -> String {
    let [weighed, recorded] = weights.map(|weight| unit.figure(*weight));
    let name = unit.name(language);
    let hint = match (is_about_twice(weights), language) {
        (false, _) => "",
        (true, Language::English) => "; were kilograms and jin mixed up?",
        (true, Language::Chinese) => "；是不是把公斤和斤弄混了？",
    };
    match language {
        Language::English => format!("{weighed} {name} weighed is far from the {recorded} {name} recorded{hint}"),
        Language::Chinese => format!("过秤 {weighed} {name}与登记的 {recorded} {name}相差很远{hint}"),
    }
}

/// A kilogram is two jin, give or take what a scale is off.
fn is_about_twice(weights: [&Grams; 2]) -> bool {
    let [one, other] = weights.map(|weight| weight.get());
    let (less, more) = (one.min(other), one.max(other));
    (less.saturating_mul(18)..=less.saturating_mul(22)).contains(&more.saturating_mul(10))
}

impl Unusual {
    /// The sentence for somebody who weighs in this unit; [`Words`] gives it in kilograms.
    pub fn words_in(&self, language: Language, unit: WeightUnit) -> String {
        match self {
            Self::Weight { grams, least, most } => far_from_usual([grams, least, most], language, unit),
            Self::Weighed { weighed, recorded } => far_from_recorded([weighed, recorded], language, unit),
            other => other.words(language),
        }
    }

    /// A name for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Product { .. } => "unknown-product",
            Self::Grade { .. } => "unknown-grade",
            Self::Household { .. } => "unknown-household",
            Self::Future { .. } => "day-in-the-future",
            Self::OtherSeason { .. } => "day-in-another-season",
            Self::Weight { .. } => "weight-far-from-usual",
            Self::NoCatalogue { .. } => "no-catalogue",
            Self::Ended { .. } => "product-ended",
            Self::Place { .. } => "unknown-place",
            Self::BeforeHarvest { .. } => "receipt-before-harvest",
            Self::LongAfterHarvest { .. } => "receipt-long-after-harvest",
            Self::Weighed { .. } => "weighed-far-from-recorded",
            Self::Price { .. } => "price-far-from-last",
            Self::Counted { .. } => "count-far-from-computed",
            Self::MoreThanThere { .. } => "more-than-there",
            Self::UnknownGoods { .. } => "unknown-goods",
            Self::Expired { .. } => "expired-before-arrival",
        }
    }

    /// The field of the lot or its receipt, as [`crate::schema::harvest::FIELDS`] has it, or `household` or `price`.
    pub fn field(&self) -> &'static str {
        match self {
            Self::Product { .. } | Self::NoCatalogue { .. } | Self::Ended { .. } => "product",
            Self::Place { .. } => "place",
            Self::Grade { .. } => "grade",
            Self::Household { .. } => "household",
            Self::Future { .. } | Self::OtherSeason { .. } => "day",
            Self::BeforeHarvest { .. } | Self::LongAfterHarvest { .. } => "day",
            Self::Weight { .. } | Self::Weighed { .. } => "grams",
            Self::Price { .. } => "price",
            Self::Counted { .. } | Self::MoreThanThere { .. } => "grams",
            Self::UnknownGoods { .. } => "holding",
            Self::Expired { .. } => "expiry",
        }
    }
}

impl Words for Unusual {
    fn chinese(&self) -> String {
        match self {
            Self::Product { product, meant: None } => format!("产品目录里没有“{product}”"),
            Self::Product { product, meant: Some(meant) } => {
                format!("产品目录里没有“{product}”；是不是 {meant}？")
            }
            Self::Ended { product, ended } => format!("从 {ended} 起不再收“{product}”"),
            Self::NoCatalogue { product } => format!("这里还没有产品目录；“{product}”写得对吗？"),
            Self::Place { place, meant: None } => format!("合作社没有“{place}”这个收货点"),
            Self::Place { place, meant: Some(meant) } => format!("合作社没有“{place}”这个收货点；是不是 {meant}？"),
            Self::BeforeHarvest { day, harvested } => format!("日期 {day} 早于收成日期 {harvested}"),
            Self::LongAfterHarvest { day, harvested } => format!("日期 {day} 比收成日期 {harvested} 晚很久"),
            Self::Weight { .. } | Self::Weighed { .. } => self.words_in(Language::Chinese, WeightUnit::Kilogram),
            Self::Counted { counted, computed } => {
                let [counted, computed] = [counted.get(), *computed].map(|grams| decimal(grams, 1000));
                format!("盘点 {counted} 公斤，账上是 {computed} 公斤，相差很大")
            }
            Self::MoreThanThere { grams, there } => {
                let [grams, there] = [grams.get(), *there].map(|grams| decimal(grams, 1000));
                format!("那里只有 {there} 公斤，要出 {grams} 公斤")
            }
            Self::UnknownGoods { code } => format!("这部手机上没有 {code} 入库的记录"),
            Self::Expired { expiry, day } => format!("这批货 {expiry} 就到期了，早于入库日期 {day}"),
            Self::Price { grade, price, last } => format!("{grade} 级每公斤 {price} 与上一个价格 {last} 相差很远"),
            Self::Grade { grade, known } => {
                format!("产品目录里这种产品没有“{grade}”级；有 {}", known.join("、"))
            }
            Self::Household { household, meant: None } => format!("没有 {household} 这一户"),
            Self::Household { household, meant: Some(meant) } => format!("没有 {household} 这一户；是不是 {meant}？"),
            Self::Future { day, today } => format!("日期 {day} 还没有到；今天是 {today}"),
            Self::OtherSeason { day, season } => format!("日期 {day} 不在 {} 季", season.year()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_told_in_the_unit_of_their_reader() {
        let grams = |grams| Grams::new(grams).unwrap();
        let far = Unusual::Weight { grams: grams(250_000), least: grams(1_250), most: grams(25_000) };
        let weighed = Unusual::Weighed { weighed: grams(60_500), recorded: grams(20_000) };
        let both = |unit, language| [&far, &weighed].map(|one| one.words_in(language, unit));
        assert_eq!(
            both(WeightUnit::Jin, Language::Chinese),
            ["500 斤与平常的 2.5 到 50 斤相差很远", "过秤 121 斤与登记的 40 斤相差很远"]
        );
        assert_eq!(
            both(WeightUnit::Jin, Language::English),
            [
                "500 jin is far from what is usual here, 2.5 to 50 jin",
                "121 jin weighed is far from the 40 jin recorded"
            ]
        );
        assert_eq!(both(WeightUnit::Kilogram, Language::Chinese), [far.chinese(), weighed.chinese()]);
        assert_eq!(both(WeightUnit::Kilogram, Language::English), [far.to_string(), weighed.to_string()]);
        assert_eq!(far.chinese(), "250 公斤与平常的 1.25 到 25 公斤相差很远");
        let twice = Unusual::Weighed { weighed: grams(20_500), recorded: grams(40_000) };
        assert_eq!(
            twice.words_in(Language::Chinese, WeightUnit::Jin),
            "过秤 41 斤与登记的 80 斤相差很远；是不是把公斤和斤弄混了？"
        );
        // What has no weight in it is the same in any unit.
        let place = Unusual::Place { place: "mil".into(), meant: None };
        assert_eq!(place.words_in(Language::Chinese, WeightUnit::Jin), place.chinese());
    }
}
