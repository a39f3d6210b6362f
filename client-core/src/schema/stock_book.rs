//! The stock book: what happened to the goods of a warehouse in a month beside receipts, orders and batches. Entries are elements
//! of a list, named by their object ids. An entry is never changed; one that was a mistake is withdrawn, and stays to be read.

use std::collections::BTreeMap;

use automerge::transaction::Transactable;
use automerge::{AutoCommit, ObjId, ObjType, ReadDoc, Value};
use serde::{Deserialize, Serialize};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};

use super::holding::{EntryId, HoldingId};
use super::key::Document;
use super::lot_key::LotKey;
use super::view::{Fields, maps_in_list, part, texts_in_list};
use crate::crdt::DocumentFault;
use crate::ids::{ActorId, DeviceId};
use crate::quantities::{Day, Grams, GramsDelta, Instant, QuantityFault, TextField, checked_text, optional_text};
use crate::words::Phrase;

/// What a name did not name.
pub(crate) const ENTRY: Phrase = Phrase::new("stock-entry", "entry", "库存记录");
/// The earlier counts that a count says it knew of, at most. More were never written apart and unsettled.
const KNEW_MAX: usize = 16;
/// The longest balance of one holding in an opening, in bytes.
const BALANCE_BYTES_MAX: usize = 4_000;

/// Goods that were bought in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoodsIn {
    /// The product's code.
    pub product: String,
    /// The grade; empty for none.
    pub grade: String,
    /// How much.
    pub quantity: Grams,
    /// When they came in.
    pub day: Day,
    /// The last day on which they are good; none for goods that keep.
    pub expiry: Option<Day>,
    /// Whom they were bought from; empty for nobody in particular.
    pub from: String,
    /// The bin that they were put into; empty for none.
    pub bin: String,
}

/// What an entry says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Deed {
    /// Goods were bought in. They are a holding of their own, named by the entry.
    In(GoodsIn),
    /// Some of a holding is gone.
    Loss {
        /// Of which holding.
        holding: HoldingId,
        /// How much.
        quantity: Grams,
        /// Why.
        reason: String,
        /// From which bin; empty where nobody said.
        bin: String,
    },
    /// A holding was counted.
    Count(Count),
    /// Some of a holding lies elsewhere now.
    Move {
        /// Of which holding.
        holding: HoldingId,
        /// How much.
        quantity: Grams,
        /// From which bin; empty for what lay in none.
        from: String,
        /// Into which bin.
        to: String,
    },
    /// A holding is not sold any more.
    Recall {
        /// Which.
        holding: HoldingId,
        /// Why.
        reason: String,
    },
}

/// A count of a holding: what lay there, and what should have lain there as far as the phone knew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// Of which holding.
    pub holding: HoldingId,
    /// What was counted: all that lies there, whether or not it is planned for an order. Never negative.
    pub counted: GramsDelta,
    /// What should lie there, as the phone computed it when it counted.
    pub computed: GramsDelta,
    /// The counts of this holding that its author knew of and that no other of them followed.
    pub knew: Vec<EntryId>,
}

impl Count {
    /// What the count adds to the holding.
    pub fn delta(&self) -> i64 {
        self.counted.get().saturating_sub(self.computed.get())
    }
}

impl Deed {
    /// The holding that it is about; none for goods that came in, which are one of their own.
    pub fn holding(&self) -> Option<&HoldingId> {
        match self {
            Self::In(_) => None,
            Self::Count(count) => Some(&count.holding),
            Self::Loss { holding, .. } | Self::Move { holding, .. } | Self::Recall { holding, .. } => Some(holding),
        }
    }

    /// Its name in documents.
    pub fn name(&self) -> &'static str {
        match self {
            Self::In(_) => "in",
            Self::Loss { .. } => "loss",
            Self::Count(_) => "count",
            Self::Move { .. } => "move",
            Self::Recall { .. } => "recall",
        }
    }
}

/// An entry as it is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When it was written, by its author's clock.
    pub at: Instant,
    /// What it says; none when it can't be read.
    pub deed: Option<Deed>,
    /// True once somebody took it back. It does not count then.
    pub is_withdrawn: bool,
    /// The fields that can't be read.
    pub damaged: Vec<String>,
}

/// A holding at the beginning of a month, without what orders, parcels, batches and returns did to it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct Balance {
    /// False for one that was only spoken of: nothing says that it came in.
    pub is_known: bool,
    /// The product's code; empty where nothing says it.
    pub product: String,
    /// The grade; empty for none.
    pub grade: String,
    /// When it came in.
    pub received_on: Option<Day>,
    /// The last day on which it is good.
    pub expiry: Option<Day>,
    /// True for one that is not sold any more.
    pub is_recalled: bool,
    /// How much.
    pub grams: i64,
    /// What was put into which bin.
    pub by_bin: BTreeMap<String, i64>,
}

/// What stands in a stock book.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockBook {
    /// The entries.
    pub entries: BTreeMap<EntryId, Entry>,
    /// The balances at the beginning of the month, as the server wrote them.
    pub opening: BTreeMap<HoldingId, Balance>,
    /// Holdings whose balance somebody else than the server wrote: those do not count.
    pub foreign: Vec<String>,
    /// Balances that can't be read.
    pub damaged: Vec<String>,
}

fn begin(automerge: &mut AutoCommit, name: &str, at: Instant) -> Result<ObjId, DocumentFault> {
    let list = part(automerge, "entries", ObjType::List).ok_or(DocumentFault::Damaged("entries"))?;
    let entry = automerge.insert_object(&list, automerge.length(&list), ObjType::Map)?;
    automerge.put(&entry, "what", name)?;
    automerge.put(&entry, "at", at.seconds())?;
    Ok(entry)
}

/// Writes an entry and returns its key. Texts are checked before anything is written.
pub fn write(automerge: &mut AutoCommit, deed: &Deed, at: Instant) -> Result<LotKey, DocumentFault> {
    let deed = checked(deed)?;
    let entry = begin(automerge, deed.name(), at)?;
    if let Some(holding) = deed.holding() {
        automerge.put(&entry, "holding", holding.to_string())?;
    }
    let mut texts: Vec<(&str, &str)> = Vec::new();
    match &deed {
        Deed::In(GoodsIn { product, grade, quantity, day, expiry, from, bin }) => {
            automerge.put(&entry, "product", product.as_str())?;
            automerge.put(&entry, "grams", quantity.get())?;
            automerge.put(&entry, "day", day.to_string())?;
            if let Some(expiry) = expiry {
                automerge.put(&entry, "expiry", expiry.to_string())?;
            }
            texts.extend([("grade", grade.as_str()), ("from", from), ("bin", bin)]);
        }
        Deed::Loss { quantity, reason, bin, .. } => {
            automerge.put(&entry, "grams", quantity.get())?;
            texts.extend([("reason", reason.as_str()), ("bin", bin)]);
        }
        Deed::Count(count) => {
            automerge.put(&entry, "counted", count.counted.get())?;
            automerge.put(&entry, "computed", count.computed.get())?;
            if !count.knew.is_empty() {
                let knew = automerge.put_object(&entry, "knew", ObjType::List)?;
                for (place, known) in count.knew.iter().take(KNEW_MAX).enumerate() {
                    automerge.insert(&knew, place, known.to_string())?;
                }
            }
        }
        Deed::Move { quantity, from, to, .. } => {
            automerge.put(&entry, "grams", quantity.get())?;
            texts.extend([("from", from.as_str()), ("to", to)]);
        }
        Deed::Recall { reason, .. } => texts.push(("reason", reason)),
    }
    for (field, text) in texts.into_iter().filter(|(_, text)| !text.is_empty()) {
        automerge.put(&entry, field, text)?;
    }
    Ok(LotKey::of_object(&entry))
}

fn checked(deed: &Deed) -> Result<Deed, DocumentFault> {
    Ok(match deed.clone() {
        Deed::In(goods) => Deed::In(GoodsIn {
            product: checked_text(TextField::ProductCode, &goods.product)?,
            grade: optional_text(TextField::Grade, &goods.grade)?,
            from: optional_text(TextField::Supplier, &goods.from)?,
            bin: optional_text(TextField::Bin, &goods.bin)?,
            ..goods
        }),
        Deed::Loss { holding, quantity, reason, bin } => Deed::Loss {
            holding,
            quantity,
            reason: checked_text(TextField::Reason, &reason)?,
            bin: optional_text(TextField::Bin, &bin)?,
        },
        Deed::Count(count) if count.counted.get() < 0 => return Err(QuantityFault::Grams(count.counted.get()).into()),
        Deed::Count(count) => Deed::Count(count),
        Deed::Move { holding, quantity, from, to } => {
            let (from, to) = (optional_text(TextField::Bin, &from)?, checked_text(TextField::Bin, &to)?);
            if from == to {
                return Err(DocumentFault::NotNow(SAME_BIN));
            }
            Deed::Move { holding, quantity, from, to }
        }
        Deed::Recall { holding, reason } => Deed::Recall { holding, reason: checked_text(TextField::Reason, &reason)? },
    })
}

const SAME_BIN: Phrase =
    Phrase::new("same-bin", "the goods lie in that bin already: give another one", "货物已经在这个库位：请写另一个");

/// Takes an entry back, which stays to be read. One that was taken back already stays so.
pub fn withdraw(automerge: &mut AutoCommit, entry: &LotKey) -> Result<(), DocumentFault> {
    let list = part(automerge, "entries", ObjType::List).ok_or(DocumentFault::Damaged("entries"))?;
    let object = maps_in_list(automerge, &list).into_iter().find(|object| LotKey::of_object(object) == *entry);
    let object = object.ok_or_else(|| DocumentFault::NotFound { what: ENTRY, name: entry.to_string() })?;
    if automerge.get(&object, "withdrawn")?.is_none() {
        automerge.put(&object, "withdrawn", true)?;
    }
    Ok(())
}

/// Writes the balances of a part of the month's holdings, those that differ from what stands there; for the server alone. Those
/// that are not given any more are taken out.
pub fn open(automerge: &mut AutoCommit, balances: &BTreeMap<HoldingId, Balance>) -> Result<(), DocumentFault> {
    let map = part(automerge, "opening", ObjType::Map).ok_or(DocumentFault::Damaged("opening"))?;
    let known: Vec<String> = automerge.keys(&map).collect();
    for name in known {
        if name.parse::<HoldingId>().is_ok_and(|holding| !balances.contains_key(&holding)) {
            automerge.delete(&map, name)?;
        }
    }
    for (holding, balance) in balances {
        let (name, text) = (holding.to_string(), serde_json::to_string(balance).unwrap_or_default());
        let stands = automerge.get(&map, name.as_str())?.and_then(|(value, _)| value.into_string().ok());
        if stands.as_deref() != Some(text.as_str()) {
            automerge.put(&map, name, text)?;
        }
    }
    Ok(())
}

/// Reads a stock book. Of the opening only what `server` wrote counts, the server's own device
/// ([`crate::ids::CooperativeId::server_device`]).
pub fn read(document: &Document, server: DeviceId) -> StockBook {
    let automerge = document.automerge();
    let mut book = StockBook::default();
    let list = part(automerge, "entries", ObjType::List);
    for object in list.map(|list| maps_in_list(automerge, &list)).unwrap_or_default() {
        if let Some(id) = EntryId::in_book(document.key(), LotKey::of_object(&object)) {
            book.entries.insert(id, read_entry(automerge, object));
        }
    }
    if let Some(map) = part(automerge, "opening", ObjType::Map) {
        for name in automerge.keys(&map) {
            read_balance(automerge, &map, name, server, &mut book);
        }
    }
    book
}

fn read_balance(automerge: &AutoCommit, map: &ObjId, name: String, server: DeviceId, book: &mut StockBook) {
    let shown: String = name.chars().take(160).collect();
    let Ok(values) = automerge.get_all(map, name.as_str()) else { return };
    let by_server = |id: &ObjId| match id {
        ObjId::Id(_, actor, _) => {
            ActorId::from_bytes(actor.to_bytes()).and_then(|actor| actor.device()) == Some(server)
        }
        ObjId::Root => false,
    };
    if values.iter().any(|(_, id)| !by_server(id)) {
        book.foreign.push(shown.clone());
    }
    // Of several values of the server the last is shown, as everywhere.
    let Some((value, _)) = values.into_iter().rfind(|(_, id)| by_server(id)) else { return };
    let text = match value {
        Value::Scalar(scalar) => scalar.as_str().filter(|text| text.len() <= BALANCE_BYTES_MAX).map(str::to_owned),
        Value::Object(_) => None,
    };
    let balance = text.and_then(|text| serde_json::from_str::<Balance>(&text).ok());
    let in_range = |balance: &Balance| {
        let sums = std::iter::once(&balance.grams).chain(balance.by_bin.values());
        sums.into_iter().all(|grams| GramsDelta::new(*grams).is_ok())
    };
    match (name.parse(), balance.filter(in_range)) {
        (Ok(holding), Some(balance)) => drop(book.opening.insert(holding, balance)),
        _ => book.damaged.push(shown),
    }
}

fn read_entry(automerge: &AutoCommit, object: ObjId) -> Entry {
    let knew = match automerge.get(&object, "knew") {
        Ok(Some((Value::Object(ObjType::List), list))) => texts_in_list(automerge, &list, KNEW_MAX),
        _ => Vec::new(),
    };
    let is_withdrawn = matches!(automerge.get(&object, "withdrawn"), Ok(Some(_)));
    let mut fields = Fields::new(automerge, object);
    let at = Instant::from_seconds(fields.integer("at", Some).unwrap_or(0));
    let holding = |fields: &mut Fields<'_>| fields.parsed("holding", |text| text.parse().ok());
    let grams = |fields: &mut Fields<'_>| fields.integer("grams", |grams| Grams::new(grams).ok());
    let text = |fields: &mut Fields<'_>, name| fields.optional_text(name).unwrap_or_default();
    // A closure for `?`: what is missing is named in the damaged fields.
    let mut deed = || {
        let what = fields.text("what")?;
        Some(match what.as_str() {
            "in" => {
                let (product, quantity) = (fields.text("product"), grams(&mut fields));
                let day = fields.parsed("day", |day| day.parse().ok());
                let expiry = fields.optional_text("expiry").map(|day| day.parse());
                let expiry = match expiry.transpose() {
                    Ok(expiry) => expiry,
                    Err(_) => {
                        fields.damage("expiry");
                        return None;
                    }
                };
                let (grade, from, bin) =
                    (text(&mut fields, "grade"), text(&mut fields, "from"), text(&mut fields, "bin"));
                Deed::In(GoodsIn { product: product?, grade, quantity: quantity?, day: day?, expiry, from, bin })
            }
            "loss" => {
                let (holding, quantity) = (holding(&mut fields), grams(&mut fields));
                let (reason, bin) = (text(&mut fields, "reason"), text(&mut fields, "bin"));
                Deed::Loss { holding: holding?, quantity: quantity?, reason, bin }
            }
            "count" => {
                let holding = holding(&mut fields);
                let counted = fields.integer("counted", |grams| GramsDelta::new(grams).ok().filter(|_| grams >= 0));
                let computed = fields.integer("computed", |grams| GramsDelta::new(grams).ok());
                let knew = knew.iter().filter_map(|text| text.parse().ok()).collect();
                Deed::Count(Count { holding: holding?, counted: counted?, computed: computed?, knew })
            }
            "move" => {
                let (holding, quantity) = (holding(&mut fields), grams(&mut fields));
                let (from, to) = (text(&mut fields, "from"), fields.text("to"));
                Deed::Move { holding: holding?, quantity: quantity?, from, to: to? }
            }
            "recall" => Deed::Recall { holding: holding(&mut fields)?, reason: text(&mut fields, "reason") },
            _ => {
                fields.damage("what");
                return None;
            }
        })
    };
    let deed = deed();
    Entry { at, deed, is_withdrawn, damaged: fields.damaged().into_iter().map(str::to_owned).collect() }
}
