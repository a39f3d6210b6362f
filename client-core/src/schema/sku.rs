//! What a shop sells: packs of a product, with the codes and names under which shops write of them.
//!
//! A SKU's fields are entries of the catalogue's root (`sku/XM-05/grams`, `sku/XM-05/name/黄小米5斤`), so that two coordinators who
//! add one at once, or each map a name to it, write the same fields and both are kept. Nothing is deleted: what is taken away is
//! written as false.

use std::collections::{BTreeMap, BTreeSet};

use automerge::transaction::Transactable;
use automerge::{AutoCommit, ROOT, ReadDoc, ScalarValue};

use super::catalogue::{Catalogue, FieldValues, ScalarOrText};
use crate::crdt::DocumentFault;
use crate::quantities::{Grams, QuantityFault, TextField, checked_text, optional_text};
use crate::words::Phrase;

/// Where the root of a catalogue's document has SKUs.
pub(super) const PREFIX: &str = "sku/";
/// The longest shelf life, in days: thirty years.
const SHELF_DAYS_MAX: i64 = 10_957;

/// Whether goods go with a certificate (承诺达标合格证).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Certificate {
    /// They must have one, as fresh vegetables.
    Yes,
    /// They may have one, as grain.
    #[default]
    No,
    /// They can't be given one, as noodles and sauces.
    Never,
}

impl Certificate {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Yes, Self::No, Self::Never];

    /// Its name in documents and forms.
    pub fn name(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Never => "never",
        }
    }

    /// The one of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }
}

/// What a shop sells, as the catalogue has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sku {
    /// Its code, such as `XM-05`: 1 to 32 visible characters without blanks and slashes.
    pub code: String,
    /// The code of the product that is in it.
    pub product: String,
    /// The grade; empty for a product without grades.
    pub grade: String,
    /// How much is in a pack.
    pub grams: Grams,
    /// Other codes that shops use for it, in their order.
    pub codes: Vec<String>,
    /// Names as shops write them, in their order.
    pub names: Vec<String>,
    /// For how many days it keeps; none where that is not told.
    pub shelf_days: Option<u16>,
    /// Whether it goes with a certificate.
    pub certificate: Certificate,
    /// True where it is not sold any more. Orders of it still find it.
    pub ended: bool,
}

impl Sku {
    /// A SKU with what it must have, and nothing else.
    pub fn new(code: &str, product: &str, grade: &str, grams: Grams) -> Self {
        Self {
            code: code.to_owned(),
            product: product.to_owned(),
            grade: grade.to_owned(),
            grams,
            codes: Vec::new(),
            names: Vec::new(),
            shelf_days: None,
            certificate: Certificate::default(),
            ended: false,
        }
    }

    /// The weight of this many packs, in grams.
    pub fn grams_of(&self, packs: u32) -> i64 {
        self.grams.get().saturating_mul(i64::from(packs))
    }
}

/// Checks a SKU's code: 1 to 32 visible characters without blanks and slashes.
pub fn checked_code(code: &str) -> Result<String, DocumentFault> {
    let code = checked_text(TextField::SkuCode, code)?;
    if code.chars().any(char::is_whitespace) {
        return Err(QuantityFault::TextUnreadable(TextField::SkuCode).into());
    }
    if code.contains('/') {
        return Err(DocumentFault::NotNow(super::catalogue::SLASH_IN_CODE));
    }
    Ok(code)
}

/// Adds a SKU to the catalogue, or gives it this product, grade, weight, shelf life and certificate. Its codes and names are added to
/// those that it has ([`unmap_code`] and [`unmap_name`] take one away); whether it is ended stays ([`end_sku`]).
pub fn set_sku(automerge: &mut AutoCommit, sku: &Sku) -> Result<(), DocumentFault> {
    let code = checked_code(&sku.code)?;
    let shelf_days = match sku.shelf_days.map(i64::from) {
        Some(days) if (1..=SHELF_DAYS_MAX).contains(&days) => ScalarValue::Int(days),
        Some(_) => return Err(DocumentFault::NotNow(SHELF_DAYS)),
        None => "".into(),
    };
    let fields: [(&str, ScalarValue); 5] = [
        ("product", checked_text(TextField::ProductCode, &sku.product)?.into()),
        ("grade", optional_text(TextField::PriceGrade, &sku.grade)?.into()),
        ("grams", sku.grams.get().into()),
        ("shelf", shelf_days),
        ("certificate", sku.certificate.name().into()),
    ];
    for (field, value) in fields {
        put(automerge, &code, field, value)?;
    }
    for other in &sku.codes {
        map_code(automerge, &code, other)?;
    }
    for name in &sku.names {
        map_name(automerge, &code, name)?;
    }
    Ok(())
}

/// Ends a SKU: it is not sold any more; or takes it up again.
pub fn end_sku(automerge: &mut AutoCommit, code: &str, ended: bool) -> Result<(), DocumentFault> {
    put(automerge, &checked_code(code)?, "ended", ended)
}

/// Says that shops write this code for a SKU.
pub fn map_code(automerge: &mut AutoCommit, sku: &str, code: &str) -> Result<(), DocumentFault> {
    map(automerge, sku, "code", code, true)
}

/// Takes back that shops write this code for a SKU.
pub fn unmap_code(automerge: &mut AutoCommit, sku: &str, code: &str) -> Result<(), DocumentFault> {
    map(automerge, sku, "code", code, false)
}

/// Says that shops write this name for a SKU.
pub fn map_name(automerge: &mut AutoCommit, sku: &str, name: &str) -> Result<(), DocumentFault> {
    map(automerge, sku, "name", name, true)
}

/// Takes back that shops write this name for a SKU.
pub fn unmap_name(automerge: &mut AutoCommit, sku: &str, name: &str) -> Result<(), DocumentFault> {
    map(automerge, sku, "name", name, false)
}

fn map(automerge: &mut AutoCommit, sku: &str, kind: &str, text: &str, holds: bool) -> Result<(), DocumentFault> {
    let (sku, text) = (checked_code(sku)?, checked_text(TextField::ShopText, text)?);
    put(automerge, &sku, &format!("{kind}/{text}"), holds)
}

/// Writes a field, unless it has this value.
fn put(
    automerge: &mut AutoCommit,
    code: &str,
    field: &str,
    value: impl Into<ScalarValue>,
) -> Result<(), DocumentFault> {
    let (key, value) = (format!("{PREFIX}{code}/{field}"), value.into());
    let known = automerge.get_all(ROOT, key.as_str())?;
    if known.len() != 1 || known.first().and_then(|(known, _)| known.as_scalar()) != Some(&value) {
        automerge.put(ROOT, key, value)?;
    }
    Ok(())
}

const SHELF_DAYS: Phrase = Phrase::new(
    "shelf-days-out-of-range",
    "a shelf life has between 1 and 10,957 days",
    "保质期必须在 1 到 10,957 天之间",
);
const UNKNOWN_PRODUCT: Phrase =
    Phrase::new("product-unknown", "the catalogue has no such product", "产品目录里没有这个产品");
const TAKEN: Phrase =
    Phrase::new("sku-text-taken", "another SKU has this code or name", "别的商品已经用了这个编码或名称");

/// Reads the SKUs of which the parts of the catalogue say this; with the codes of those of which something can't be read.
pub(super) fn skus(codes: BTreeMap<String, FieldValues>) -> (BTreeMap<String, Sku>, Vec<String>) {
    let (mut read, mut damaged) = (BTreeMap::new(), Vec::new());
    for (code, fields) in codes {
        match sku(&code, &fields) {
            Some(sku) => drop(read.insert(code, sku)),
            None => damaged.push(code),
        }
    }
    (read, damaged)
}

fn sku(code: &str, fields: &FieldValues) -> Option<Sku> {
    let shown = |field: &str| fields.get(field).and_then(|values| values.last());
    let text = |field: &str, kind: TextField| match shown(field) {
        Some(ScalarOrText::Text(text)) => optional_text(kind, text).ok(),
        _ => None,
    };
    let mapped = |kind: &str| {
        let held = fields.iter().filter(|(_, values)| values.last() == Some(&ScalarOrText::Truth(true)));
        let texts = held.filter_map(|(field, _)| field.strip_prefix(kind)?.strip_prefix('/'));
        let read = texts.filter(|text| checked_text(TextField::ShopText, text).as_deref() == Ok(*text));
        read.map(str::to_owned).collect::<Vec<_>>()
    };
    let shelf_days = match shown("shelf") {
        None => None,
        Some(ScalarOrText::Text(text)) if text.is_empty() => None,
        Some(ScalarOrText::Integer(days)) if (1..=SHELF_DAYS_MAX).contains(days) => Some(u16::try_from(*days).ok()?),
        Some(_) => return None,
    };
    Some(Sku {
        code: checked_code(code).ok().filter(|read| read == code)?,
        product: text("product", TextField::ProductCode).filter(|product| !product.is_empty())?,
        grade: text("grade", TextField::PriceGrade)?,
        grams: match shown("grams") {
            Some(ScalarOrText::Integer(grams)) => Grams::new(*grams).ok()?,
            _ => return None,
        },
        codes: mapped("code"),
        names: mapped("name"),
        shelf_days,
        certificate: match shown("certificate") {
            None => Certificate::default(),
            Some(ScalarOrText::Text(name)) => Certificate::from_name(name)?,
            Some(_) => return None,
        },
        ended: shown("ended") == Some(&ScalarOrText::Truth(true)),
    })
}

/// Finds SKUs by what shops write, quickly: for files with many rows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SkuIndex {
    codes: BTreeMap<String, Found>,
    names: BTreeMap<String, Found>,
}

/// Those that list a text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Found {
    sold: BTreeSet<String>,
    ended: BTreeSet<String>,
}

impl Found {
    /// The ones that count: those that are sold, else those that are ended.
    fn counting(&self) -> &BTreeSet<String> {
        if self.sold.is_empty() { &self.ended } else { &self.sold }
    }
}

impl SkuIndex {
    /// An index of these SKUs.
    pub fn of<'s>(skus: impl IntoIterator<Item = &'s Sku>) -> Self {
        let mut index = Self::default();
        let add = |found: &mut Found, sku: &Sku| {
            let set = if sku.ended { &mut found.ended } else { &mut found.sold };
            set.insert(sku.code.clone());
        };
        for sku in skus {
            for code in std::iter::once(&sku.code).chain(&sku.codes) {
                add(index.codes.entry(code.clone()).or_default(), sku);
            }
            for name in &sku.names {
                add(index.names.entry(name.clone()).or_default(), sku);
            }
        }
        index
    }

    /// The SKU of this code, which is its own or one that shops use; none where no SKU has it, or more than one.
    pub fn of_code(&self, code: &str) -> Option<&str> {
        Self::only(&self.codes, code)
    }

    /// The SKU that lists this name; none where no SKU does, or more than one.
    pub fn of_name(&self, name: &str) -> Option<&str> {
        Self::only(&self.names, name)
    }

    fn only<'i>(texts: &'i BTreeMap<String, Found>, text: &str) -> Option<&'i str> {
        let text = checked_text(TextField::ShopText, text).ok()?;
        let found = texts.get(&text)?.counting();
        found.iter().next().filter(|_| found.len() == 1).map(String::as_str)
    }

    /// The codes and names that more than one SKU lists, with these SKUs: none of them is found by it.
    pub fn doubled(&self) -> Vec<(&str, Vec<&str>)> {
        let all = self.codes.iter().chain(&self.names);
        let doubled = all.filter(|(_, found)| found.counting().len() > 1);
        doubled.map(|(text, found)| (text.as_str(), found.counting().iter().map(String::as_str).collect())).collect()
    }
}

impl Catalogue {
    /// The SKU of this code, its own or one that shops use; none where no SKU has it, or more than one. For many look-ups make a
    /// [`SkuIndex`].
    pub fn sku_of_code(&self, code: &str) -> Option<&Sku> {
        self.skus.get(self.sku_index().of_code(code)?)
    }

    /// The SKU that lists this name; none where no SKU does, or more than one. For many look-ups make a [`SkuIndex`].
    pub fn sku_of_name(&self, name: &str) -> Option<&Sku> {
        self.skus.get(self.sku_index().of_name(name)?)
    }

    /// An index of its SKUs by what shops write.
    pub fn sku_index(&self) -> SkuIndex {
        SkuIndex::of(self.skus.values())
    }

    /// Checks a SKU that somebody typed against what is here: its product must be in the catalogue, and no other SKU that is sold may
    /// have its code, or one of its codes or names.
    pub fn check_sku(&self, sku: &Sku) -> Result<(), DocumentFault> {
        if !self.products.iter().any(|product| product.code == sku.product) {
            return Err(DocumentFault::NotNow(UNKNOWN_PRODUCT));
        }
        let others: Vec<&Sku> = self.skus.values().filter(|other| other.code != sku.code && !other.ended).collect();
        let codes = |code: &String| others.iter().any(|other| other.code == *code || other.codes.contains(code));
        let names = |name: &String| others.iter().any(|other| other.names.contains(name));
        let is_taken = codes(&sku.code) || sku.codes.iter().any(codes) || sku.names.iter().any(names);
        if is_taken { Err(DocumentFault::NotNow(TAKEN)) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests;
