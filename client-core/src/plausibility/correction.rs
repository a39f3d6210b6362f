//! What would be unusual about a lot after a correction: only what the correction changes. One rule for phones and forms.

use super::sentences::Unusual;
use super::{Facts, Usual, unusual};
use crate::schema::Season;
use crate::schema::harvest::LotEdit;

/// A lot as a correction leaves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correction<'a> {
    /// Afterwards.
    facts: Facts<'a>,
    /// The fields of which something is said anew, as [`Unusual::field`] names them.
    fields: Vec<&'static str>,
}

impl<'a> Correction<'a> {
    /// The lot that was `before`, after these edits.
    pub fn of(before: Facts<'a>, edits: &'a [LotEdit]) -> Self {
        let (mut facts, mut fields) = (before, Vec::new());
        for edit in edits {
            match edit {
                // The grade and the weight are those of a product.
                LotEdit::Product(value) => {
                    facts.product = value;
                    fields.extend(["product", "grade", "grams"]);
                }
                LotEdit::Quantity(value) => (facts.quantity, fields) = (Some(*value), [fields, vec!["grams"]].concat()),
                LotEdit::Grade(value) => (facts.grade, fields) = (value.trim(), [fields, vec!["grade"]].concat()),
                LotEdit::Day(value) => (facts.day, fields) = (Some(*value), [fields, vec!["day"]].concat()),
                LotEdit::Place(value) => (facts.place, fields) = (value.trim(), [fields, vec!["place"]].concat()),
                LotEdit::Moisture(_) | LotEdit::Note(_) => {}
            }
        }
        Self { facts, fields }
    }

    /// The lot afterwards, by whose product and place [`super::Earlier::of`] tells what is usual.
    pub fn facts(&self) -> &Facts<'a> {
        &self.facts
    }

    /// All that is unusual in the fields that it changes. `season` is the lot's.
    pub fn unusual(&self, season: Option<Season>, usual: &Usual<'_>) -> Vec<Unusual> {
        let mut found = unusual(&self.facts, &Usual { season, ..*usual });
        found.retain(|unusual| self.fields.contains(&unusual.field()));
        found
    }
}
