//! Names as people type them: as they are written, by their pinyin, by its initials.

use granary_client_core::ids::HouseholdId;
use pinyin::ToPinyin;

use super::names::Names;
use super::refusal::Refused;
use super::signed_in::SignedIn;

/// A name in every way in which somebody types it.
#[derive(Debug)]
pub(super) struct Spelled {
    name: String,
    full: String,
    initials: String,
}

impl Spelled {
    pub(super) fn of(name: &str) -> Self {
        let (mut full, mut initials) = (String::new(), String::new());
        for letter in name.chars() {
            match letter.to_pinyin() {
                Some(sound) => {
                    full.push_str(sound.plain());
                    initials.push_str(sound.first_letter());
                }
                None if letter.is_alphanumeric() => {
                    full.extend(letter.to_lowercase());
                    initials.extend(letter.to_lowercase());
                }
                None => {}
            }
        }
        Self { name: name.to_lowercase(), full, initials }
    }

    /// True where the name's sound or its initials begin so.
    fn sounds(&self, word: &str) -> bool {
        self.full.starts_with(word) || self.initials.starts_with(word)
    }

    /// True where the word is a piece of the name, or the beginning of its sound or of its initials.
    pub(super) fn fits(&self, word: &str) -> bool {
        self.name.contains(word) || self.sounds(word)
    }
}

/// What sounds as it was typed in a list's own search; nothing where letters were typed that no pinyin has.
#[derive(Debug, Default)]
pub(super) struct Sounding {
    pub(super) households: Vec<HouseholdId>,
    pub(super) products: Vec<String>,
}

impl Sounding {
    /// Of all households, whose names must be here ([`Names::with_households`]), and products.
    pub(super) fn of(names: &Names, typed: &str) -> Self {
        let Some(word) = sound(typed) else { return Self::default() };
        let households = names.households().into_iter().filter(|(_, name, _)| Spelled::of(name).sounds(&word));
        let products = names.catalogue.products.iter().filter(|product| {
            // In both languages, whichever the page is in.
            let mut called = [&product.name_zh, &product.name_en].into_iter().flatten();
            called.any(|name| Spelled::of(name).sounds(&word))
        });
        Self {
            households: households.map(|(id, ..)| id).collect(),
            products: products.map(|product| product.code.clone()).collect(),
        }
    }
}

/// The households that have a member whose name sounds as it was typed.
pub(super) async fn households_of_members(signed: &SignedIn, typed: &str) -> Result<Vec<HouseholdId>, Refused> {
    let Some(word) = sound(typed) else { return Ok(Vec::new()) };
    let all = signed.read(|models| models.household_members()).await?;
    let has = |names: &str| members_of(names).any(|name| Spelled::of(name).sounds(&word));
    Ok(all.into_iter().filter(|(_, names)| has(names)).map(|(id, _)| id).collect())
}

/// The names in a list with commas between.
pub(super) fn members_of(names: &str) -> impl Iterator<Item = &str> {
    names.split(", ").filter(|name| !name.is_empty())
}

/// What was typed, as pinyin is compared: small letters without blanks; none for what is no pinyin.
pub(super) fn sound(typed: &str) -> Option<String> {
    let word: String = typed.chars().filter(|letter| !letter.is_whitespace()).flat_map(char::to_lowercase).collect();
    (word.len() > 1 && word.bytes().all(|letter| letter.is_ascii_lowercase())).then_some(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_as_people_type_them() {
        let name = Spelled::of("樊秀英");
        for word in ["樊秀英", "秀英", "fanxiuying", "fanxiu", "fxy", "fx"] {
            assert!(name.fits(word), "{word}");
        }
        for word in ["李", "xiuying-li", "xy", "fanli"] {
            assert!(!name.fits(word), "{word}");
        }
        assert!(Spelled::of("Li Wei").fits("liw"));
    }

    #[test]
    fn only_pinyin_is_compared_as_pinyin() {
        assert_eq!(sound(" Fan Xiuying "), Some("fanxiuying".into()));
        for typed in ["", "f", "樊", "7KQ2", "li-1"] {
            assert_eq!(sound(typed), None, "{typed}");
        }
    }
}
