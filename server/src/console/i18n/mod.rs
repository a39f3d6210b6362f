//! The console's messages by language, and the formats of numbers, weights and money.

use std::collections::HashMap;
use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use granary_client_core::quantities::Instant;
pub(super) use granary_client_core::quantities::{decimal, grouped};
pub(super) use granary_client_core::words::Language;
use unic_langid::LanguageIdentifier;

/// The language of an `Accept-Language` header (RFC 9110): the supported one with the greatest weight. Chinese when it names
/// none, since most coordinators read it.
pub(super) fn accepted(header: &str) -> Language {
    let mut wanted: Vec<(f32, Language)> = header
        .split(',')
        .take(20)
        .filter_map(|part| {
            let mut pieces = part.trim().split(';');
            let language = Language::from_code(pieces.next()?.trim())?;
            let weight = pieces.find_map(|piece| piece.trim().strip_prefix("q=")?.parse().ok()).unwrap_or(1.0);
            Some((weight, language))
        })
        .collect();
    // The sort is stable: of two equal weights, the first wins.
    wanted.sort_by(|left, right| right.0.total_cmp(&left.0));
    wanted.first().map_or(Language::Chinese, |(_, language)| *language)
}

type Bundle = FluentBundle<FluentResource>;

static BUNDLES: LazyLock<HashMap<&'static str, Bundle>> = LazyLock::new(|| {
    [("en", include_str!("en.ftl")), ("zh", include_str!("zh.ftl"))]
        .into_iter()
        .map(|(code, text)| (code, bundle(code, text)))
        .collect()
});

fn bundle(code: &str, text: &str) -> Bundle {
    let language: LanguageIdentifier = code.parse().unwrap_or_default();
    let mut bundle = FluentBundle::new_concurrent(vec![language]);
    // Isolation marks would show up in exports and in what people copy.
    bundle.set_use_isolating(false);
    bundle.set_formatter(Some(as_grouped));
    let resource = FluentResource::try_new(text.to_owned()).unwrap_or_else(|(resource, _)| resource);
    // A test finds a message that stands twice in a file.
    let _ = bundle.add_resource(resource);
    bundle
}

/// A number as [`grouped`] writes it, given to messages as a number, so that a noun follows it.
fn count(text: &str) -> Option<u32> {
    let number = text.replace(',', "").parse().ok()?;
    (grouped(u64::from(number)) == text).then_some(number)
}

/// What [`count`] found, as it was written.
fn as_grouped<M>(value: &FluentValue<'_>, _: &M) -> Option<String> {
    match value {
        FluentValue::Number(number) => number.as_string().parse().ok().map(grouped),
        _ => None,
    }
}

/// One language's messages and ways to write quantities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Locale {
    pub(super) language: Language,
}

impl Locale {
    /// The message of this name.
    pub(super) fn t(self, name: &str) -> String {
        self.with(name, &[])
    }

    /// The message of this name, with values in their places.
    pub(super) fn with(self, name: &str, values: &[(&str, String)]) -> String {
        let Some(bundle) = BUNDLES.get(self.language.code()) else { return name.to_owned() };
        let Some(pattern) = bundle.get_message(name).and_then(|message| message.value()) else {
            debug_assert!(false, "no words are named {name:?}");
            return name.to_owned();
        };
        let mut arguments = FluentArgs::new();
        for (place, value) in values {
            arguments.set(*place, count(value).map_or_else(|| value.clone().into(), FluentValue::from));
        }
        bundle.format_pattern(pattern, Some(&arguments), &mut Vec::new()).into_owned()
    }

    /// The words for one of a closed set, such as a state; the bare name when there are none.
    pub(super) fn of(self, family: &str, member: &str) -> String {
        let name = format!("{family}-{member}");
        match BUNDLES.get(self.language.code()) {
            Some(bundle) if bundle.has_message(&name) => self.t(&name),
            _ => member.to_owned(),
        }
    }

    /// A weight: kilograms, and in Chinese also jin (斤, 500 g).
    pub(super) fn weight(self, grams: i64) -> String {
        match self.language {
            Language::English => format!("{} kg", decimal(grams, 1000)),
            Language::Chinese => format!("{} 公斤（{} 斤）", decimal(grams, 1000), decimal(grams, 500)),
        }
    }

    /// A weight in few letters, for tables.
    pub(super) fn kilograms(self, grams: i64) -> String {
        match self.language {
            Language::English => format!("{} kg", decimal(grams, 1000)),
            Language::Chinese => format!("{} 公斤", decimal(grams, 1000)),
        }
    }

    /// A field's value, formatted for people.
    pub(super) fn value(self, field: &str, value: &str) -> String {
        match (field, value.parse::<i64>()) {
            ("grams", Ok(grams)) => self.weight(grams),
            ("moisture", Ok(permille)) => format!("{} %", decimal(permille, 10)),
            _ if value.is_empty() => "—".to_owned(),
            _ => value.to_owned(),
        }
    }

    /// A note: one that a rule wrote is shown in the reader's language.
    pub(super) fn note(self, note: &str) -> String {
        match note {
            "rule-latest" | "rule-older" | "rule-warehouse" => self.t(note),
            other => other.to_owned(),
        }
    }

    /// A moment, in China's time (UTC+8).
    pub(super) fn moment(self, at: Instant) -> String {
        at.in_china()
    }
}

/// An amount of money in fen.
pub(super) fn money(fen: i64) -> String {
    let sign = if fen < 0 { "-" } else { "" };
    let fen = fen.unsigned_abs();
    format!("{sign}¥{}.{:02}", grouped(fen / 100), fen % 100)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const ENGLISH: &str = include_str!("en.ftl");
    const CHINESE: &str = include_str!("zh.ftl");

    fn names(text: &str) -> Vec<&str> {
        text.lines()
            .filter(|line| !line.starts_with([' ', '#']))
            .filter_map(|line| line.split_once(" ="))
            .map(|(name, _)| name)
            .collect()
    }

    #[test]
    fn languages_have_same_messages_once() {
        let (english, chinese) = (names(ENGLISH), names(CHINESE));
        let (en, zh): (BTreeSet<_>, BTreeSet<_>) = (english.iter().collect(), chinese.iter().collect());
        assert_eq!(en, zh);
        assert_eq!((english.len(), chinese.len()), (en.len(), zh.len()), "a name stands twice");
    }

    #[test]
    fn every_used_message_exists() {
        let known: BTreeSet<&str> = names(ENGLISH).into_iter().collect();
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/console");
        let folders = ["import", "catalogue", "activity"].map(|within| folder.join(within));
        let files = [folder].into_iter().chain(folders).map(|folder| std::fs::read_dir(folder).unwrap());
        for file in files.flatten() {
            let path = file.unwrap().path();
            let Ok(source) = std::fs::read_to_string(&path) else { continue };
            for call in [
                ".t(\"",
                ".with(\"",
                "refused(locale, 400, \"",
                "refused(locale, 409, \"",
                "refused(locale, 413, \"",
                "refused(signed.locale, 400, \"",
                "refused(signed.locale, 409, \"",
                "wrong(locale, \"",
            ] {
                for piece in source.split(call).skip(1) {
                    let name = piece.split('"').next().unwrap();
                    assert!(known.contains(name), "{}: {name}", path.display());
                }
            }
        }
    }

    // `of` shows the bare name where there are no words: an English word in a Chinese page.
    #[test]
    fn closed_sets_have_words() {
        let known: BTreeSet<&str> = names(ENGLISH).into_iter().collect();
        let sets = [
            ("deed", include_str!("../../access/audit.rs")),
            ("history", include_str!("../../../../client-core/src/schema/lot_history.rs")),
            ("invitation-state", include_str!("../../access/invitation.rs")),
        ];
        for (family, source) in sets {
            let members = source.lines().filter(|line| line.trim().starts_with("Self::"));
            let members: Vec<&str> = members.filter_map(|line| line.split("=> \"").nth(1)?.split('"').next()).collect();
            assert!(members.len() > 3, "{family}");
            for member in members {
                assert!(known.contains(format!("{family}-{member}").as_str()), "{family}-{member}");
            }
        }
        for (family, members) in [
            ("document", vec!["cooperative", "catalogue", "household", "harvest", "receipts", "order", "cases"]),
            ("decision", vec!["settled", "left", "undone"]),
            ("rule", vec!["latest", "older", "warehouse"]),
        ] {
            for member in members {
                assert!(known.contains(format!("{family}-{member}").as_str()), "{family}-{member}");
            }
        }
    }

    #[test]
    fn nouns_follow_their_numbers() {
        let (zh, en) = (Locale { language: Language::Chinese }, Locale { language: Language::English });
        let orders = |locale: Locale, count: &str| locale.with("orders-found", &[("count", count.to_owned())]);
        assert_eq!(["0", "1", "1,234"].map(|count| orders(en, count)), ["0 orders", "1 order", "1,234 orders"]);
        assert_eq!(orders(zh, "1,234"), "共 1,234 单");
        // What only looks like a number stays as it is.
        let wrong = |text: &str| en.with("import-no-lot", &[("lot", text.to_owned())]);
        assert_eq!(
            ["007", "2026", "1,23"].map(wrong),
            ["007", "2026", "1,23"].map(|lot| format!("there is no lot {lot}"))
        );
    }

    // "1 rows" stood on many pages.
    #[test]
    fn no_english_message_says_one_of_many() {
        let en = Locale { language: Language::English };
        let places: BTreeSet<&str> = ENGLISH
            .split('$')
            .skip(1)
            .filter_map(|rest| rest.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-').next())
            .collect();
        let one: Vec<(&str, String)> = places.into_iter().map(|place| (place, "1".to_owned())).collect();
        // A lot's number stands before a verb.
        for name in names(ENGLISH).into_iter().filter(|name| *name != "left-since") {
            let text = en.with(name, &one);
            let words: Vec<&str> = text.split_whitespace().collect();
            for pair in words.windows(2).filter(|pair| pair[0] == "1") {
                let word = pair[1].trim_matches(|letter: char| !letter.is_alphanumeric());
                let is_many = ["are", "were", "have"].contains(&word)
                    || (word.len() > 1 && word.ends_with('s') && !["is", "was", "has", "as"].contains(&word));
                assert!(!is_many, "{name}: {text}");
            }
        }
    }

    #[test]
    fn locale_formats_quantities() {
        let (zh, en) = (Locale { language: Language::Chinese }, Locale { language: Language::English });
        assert_eq!(en.weight(1_234_500), "1,234.5 kg");
        assert_eq!(zh.weight(12_500), "12.5 公斤（25 斤）");
        assert_eq!(money(1_234_567), "¥12,345.67");
        assert_eq!(money(5), "¥0.05");
        assert_eq!(en.value("moisture", "135"), "13.5 %");
    }

    #[test]
    fn locale_follows_accept_language() {
        assert_eq!(accepted("en-GB,en;q=0.9,zh;q=0.8"), Language::English);
        assert_eq!(accepted("fr,zh-CN;q=0.7,en;q=0.3"), Language::Chinese);
        assert_eq!(accepted(""), Language::Chinese);
    }
}
