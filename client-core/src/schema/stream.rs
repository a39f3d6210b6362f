//! A live-stream: who hosts it and when, which SKUs it offers, and what the server granted and counted.
//!
//! Offers are entries of one flat map (`XM-05/fen`), so that two coordinators who plan at once are both kept. What the server says of a
//! SKU is one text, since its numbers belong together.

mod ready;

use std::collections::BTreeMap;

use automerge::transaction::Transactable;
use automerge::{AutoCommit, ObjType, ROOT, ReadDoc, ScalarValue};

use super::key::{Document, DocumentKey};
use super::lot_id::LotId;
use super::order::PACKS_MAX;
use super::server_only::{Trespass, server_values};
use super::sku::checked_code;
use super::trade_keys::StreamCode;
use super::view::{Fields, part};
use crate::crdt::DocumentFault;
use crate::ids::DeviceId;
use crate::quantities::{Fen, Instant, Permille, TextField, checked_text, optional_text};
use crate::words::Phrase;

pub use ready::{HANDS_MAX, Ready, set_ready};

/// The most SKUs that a live-stream offers.
pub const OFFERS_MAX: usize = 200;
/// The most minutes that are kept: twelve hours.
pub const MINUTES_MAX: usize = 720;
/// What is held back of granted packs where nobody says otherwise, since platforms are slow to hear what is left: 2 %.
pub const USUAL_MARGIN: i64 = 20;
/// The most lots that an offer names.
const LOTS_MAX: usize = 50;

/// What a live-stream offers of one SKU.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The price of a pack; 0 for a gift.
    pub fen: Fen,
    /// The most packs that one buyer gets; none without a limit.
    pub limit: Option<u32>,
    /// How many packs the coordinators want for it.
    pub wanted: u32,
    /// How much of what is granted is held back, in thousandths.
    pub margin: Permille,
    /// The lots that it is served from, where the host names them.
    pub lots: Vec<LotId>,
    /// From when on, where it is not the whole stream.
    pub begins_at: Option<Instant>,
    /// Until when, where it is not the whole stream.
    pub ends_at: Option<Instant>,
    /// True once it was taken back.
    pub ended: bool,
}

impl Offer {
    /// An offer at this price of this many packs, with what is usual else.
    pub fn new(fen: Fen, wanted: u32) -> Self {
        let margin = Permille::new(USUAL_MARGIN).unwrap_or(Permille::NONE);
        Self { fen, limit: None, wanted, margin, lots: Vec::new(), begins_at: None, ends_at: None, ended: false }
    }

    /// How many of the granted packs are held back: the margin, rounded up, so at least one pack unless it is 0; never more than
    /// were granted.
    pub fn held_back(&self, granted: u32) -> u32 {
        let share = u64::from(granted).saturating_mul(self.margin.get().unsigned_abs()).div_ceil(1_000);
        u32::try_from(share).unwrap_or(u32::MAX).min(granted)
    }

    /// True while it can be bought at this moment, by its own times.
    pub fn is_open_at(&self, now: Instant) -> bool {
        !self.ended && self.begins_at.is_none_or(|at| at <= now) && self.ends_at.is_none_or(|at| now < at)
    }
}

/// What the server granted and counted of one SKU. All but the time are packs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Served {
    /// Set aside for the stream.
    pub granted: u32,
    /// Sold, with those above what was granted.
    pub accepted: u32,
    /// Sold above what was granted.
    pub over: u32,
    /// Left to sell, as shops are told: without what is held back.
    pub left: u32,
    /// When this was so.
    pub as_of: Instant,
}

/// A live-stream as it is read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stream {
    /// Who hosts it.
    pub host: Option<String>,
    /// The platform that it is streamed on.
    pub platform: Option<String>,
    /// The shop there; empty where the co-operative has but one.
    pub shop: String,
    /// When it begins.
    pub starts_at: Option<Instant>,
    /// When it is to end.
    pub ends_at: Option<Instant>,
    /// What it offers, by SKU.
    pub offers: BTreeMap<String, Offer>,
    /// What was made ready for it.
    pub ready: Ready,
    /// What the server granted and counted, by SKU.
    pub served: BTreeMap<String, Served>,
    /// The packs that were sold in each minute from its start on, as orders were placed; empty until it is over.
    pub minutes: Vec<u32>,
    /// When it was ended: unused packs are free again.
    pub ended_at: Option<Instant>,
    /// What only the server may write and somebody else wrote: it counts for nothing.
    pub trespasses: Vec<Trespass>,
    /// The fields that can't be read.
    pub damaged: Vec<&'static str>,
}

/// Who hosts a live-stream, where and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamPlan {
    /// Who hosts it.
    pub host: String,
    /// The platform, such as `douyin`.
    pub platform: String,
    /// The shop there; empty where the co-operative has but one.
    pub shop: String,
    /// When it begins.
    pub starts_at: Instant,
    /// When it is to end, after it begins.
    pub ends_at: Option<Instant>,
}

const TIMES: Phrase =
    Phrase::new("stream-times", "a live-stream ends after it begins", "直播的结束时间必须晚于开始时间");
const PACKS: Phrase = Phrase::new(
    "quantity-bad",
    "an offer has 0 to 999,999 packs and a limit of 1 to 999,999",
    "数量必须在 0 到 999,999 之间，限购必须在 1 到 999,999 之间",
);
const OFFERS_TOO_MANY: Phrase =
    Phrase::new("offers-too-many", "a live-stream offers at most 200 SKUs", "一场直播最多 200 个商品");
const LOTS_TOO_MANY: Phrase =
    Phrase::new("lots-too-many", "an offer names at most 50 lots", "一个商品最多指定 50 个批次");

/// Plans a live-stream, or changes its plan.
pub fn plan(automerge: &mut AutoCommit, plan: &StreamPlan) -> Result<(), DocumentFault> {
    let told = |at: Instant| Instant::told(at.0).ok_or(DocumentFault::NotNow(TIMES));
    if plan.ends_at.is_some_and(|ends| ends <= plan.starts_at) {
        return Err(DocumentFault::NotNow(TIMES));
    }
    let ends: ScalarValue = match plan.ends_at {
        Some(at) => told(at)?.0.into(),
        None => "".into(),
    };
    let fields: [(&str, ScalarValue); 5] = [
        ("host", checked_text(TextField::Host, &plan.host)?.into()),
        ("platform", checked_text(TextField::Pool, &plan.platform)?.into()),
        ("shop", optional_text(TextField::Pool, &plan.shop)?.into()),
        ("starts", told(plan.starts_at)?.0.into()),
        ("ends", ends),
    ];
    for (field, value) in fields {
        put(automerge, &ROOT, field, value)?;
    }
    Ok(())
}

/// Offers a SKU, or changes its offer.
pub fn offer(automerge: &mut AutoCommit, sku: &str, offer: &Offer) -> Result<(), DocumentFault> {
    let sku = checked_code(sku)?;
    if offer.wanted > PACKS_MAX || offer.limit.is_some_and(|limit| !(1..=PACKS_MAX).contains(&limit)) {
        return Err(DocumentFault::NotNow(PACKS));
    }
    if offer.lots.len() > LOTS_MAX {
        return Err(DocumentFault::NotNow(LOTS_TOO_MANY));
    }
    let times = [offer.begins_at, offer.ends_at];
    if times.iter().flatten().any(|at| Instant::told(at.0).is_none()) {
        return Err(DocumentFault::NotNow(TIMES));
    }
    let map = part(automerge, "offers", ObjType::Map).ok_or(DocumentFault::Damaged("offers"))?;
    let known = automerge.keys(&map).filter_map(|key| Some(key.split_once('/')?.0.to_owned()));
    let known: std::collections::BTreeSet<String> = known.collect();
    if known.len() >= OFFERS_MAX && !known.contains(&sku) {
        return Err(DocumentFault::NotNow(OFFERS_TOO_MANY));
    }
    let or_empty = |at: Option<Instant>| at.map_or_else(|| "".into(), |at| ScalarValue::Int(at.0));
    let lots: Vec<String> = offer.lots.iter().map(LotId::in_full).collect();
    let fields: [(&str, ScalarValue); 8] = [
        ("fen", offer.fen.get().into()),
        ("limit", offer.limit.map_or_else(|| "".into(), |limit| ScalarValue::Int(i64::from(limit)))),
        ("wanted", i64::from(offer.wanted).into()),
        ("margin", offer.margin.get().into()),
        ("lots", lots.join(" ").into()),
        ("begins", or_empty(offer.begins_at)),
        ("ends", or_empty(offer.ends_at)),
        ("ended", offer.ended.into()),
    ];
    for (field, value) in fields {
        put(automerge, &map, &format!("{sku}/{field}"), value)?;
    }
    Ok(())
}

/// Says how many packs of a SKU that is offered are wanted.
pub fn want(automerge: &mut AutoCommit, sku: &str, packs: u32) -> Result<(), DocumentFault> {
    if packs > PACKS_MAX {
        return Err(DocumentFault::NotNow(PACKS));
    }
    put_offered(automerge, sku, "wanted", i64::from(packs).into())
}

/// Takes an offer back, or makes it again.
pub fn end_offer(automerge: &mut AutoCommit, sku: &str, ended: bool) -> Result<(), DocumentFault> {
    put_offered(automerge, sku, "ended", ended.into())
}

fn put_offered(automerge: &mut AutoCommit, sku: &str, field: &str, value: ScalarValue) -> Result<(), DocumentFault> {
    let map = part(automerge, "offers", ObjType::Map).ok_or(DocumentFault::Damaged("offers"))?;
    if automerge.get(&map, format!("{sku}/fen"))?.is_none() {
        let what = Phrase::new("offer", "offer", "商品");
        return Err(DocumentFault::NotFound { what, name: sku.chars().take(64).collect() });
    }
    put(automerge, &map, &format!("{sku}/{field}"), value)
}

/// Ends a live-stream at this moment. One that was ended stays as it is.
pub fn end(automerge: &mut AutoCommit, at: Instant) -> Result<(), DocumentFault> {
    if automerge.get(ROOT, "ended")?.is_none() {
        automerge.put(ROOT, "ended", Instant::told(at.0).ok_or(DocumentFault::NotNow(TIMES))?.0)?;
    }
    Ok(())
}

/// Says what was granted and counted of a SKU. Only what the server writes counts.
pub fn serve(automerge: &mut AutoCommit, sku: &str, served: &Served) -> Result<(), DocumentFault> {
    let map = part(automerge, "served", ObjType::Map).ok_or(DocumentFault::Damaged("served"))?;
    let Served { granted, accepted, over, left, as_of } = served;
    put(automerge, &map, &checked_code(sku)?, format!("{granted} {accepted} {over} {left} {}", as_of.0).into())
}

/// Writes how many packs were sold in each minute, once the stream is over; of more than [`MINUTES_MAX`] the first ones. Only what the
/// server writes counts, and what stands there is not written again. Gives whether it was written.
pub fn keep_minutes(automerge: &mut AutoCommit, minutes: &[u32]) -> Result<bool, DocumentFault> {
    if automerge.get(ROOT, "minutes")?.is_some() {
        return Ok(false);
    }
    let texts: Vec<String> = minutes.iter().take(MINUTES_MAX).map(u32::to_string).collect();
    automerge.put(ROOT, "minutes", texts.join(" "))?;
    Ok(true)
}

/// Writes a field, unless it has this value.
fn put(
    automerge: &mut AutoCommit,
    object: &automerge::ObjId,
    field: &str,
    value: ScalarValue,
) -> Result<(), DocumentFault> {
    let known = automerge.get_all(object, field)?;
    if known.len() != 1 || known.first().and_then(|(known, _)| known.as_scalar()) != Some(&value) {
        automerge.put(object, field, value)?;
    }
    Ok(())
}

/// The code of a live-stream's document.
pub fn code_of(document: &Document) -> Option<&StreamCode> {
    match document.key() {
        DocumentKey::Stream(code) => Some(code),
        _ => None,
    }
}

/// Reads a live-stream. What only the server decides counts where `server` wrote it, the server's own device
/// ([`crate::ids::CooperativeId::server_device`]).
pub fn read(document: &Document, server: DeviceId) -> Stream {
    let automerge = document.automerge();
    let mut fields = Fields::new(automerge, ROOT);
    let name = |kind| move |text: &str| checked_text(kind, text).ok();
    let mut stream = Stream {
        host: fields.parsed("host", name(TextField::Host)),
        platform: fields.parsed("platform", name(TextField::Pool)),
        shop: fields.optional_parsed("shop", |text| optional_text(TextField::Pool, text).ok()).unwrap_or_default(),
        starts_at: fields.integer("starts", Instant::told),
        ends_at: fields.unless_empty("ends", Instant::told),
        ended_at: fields.optional_integer("ended", Instant::told),
        ready: ready::read(&mut fields),
        ..Stream::default()
    };
    stream.damaged = fields.damaged();
    read_offers(automerge, &mut stream);
    read_served(automerge, server, &mut stream);
    stream
}

fn read_offers(automerge: &AutoCommit, stream: &mut Stream) {
    let Some(map) = part(automerge, "offers", ObjType::Map) else { return stream.damaged.push("offers") };
    let skus = automerge.keys(&map).filter_map(|key| Some(key.split_once('/')?.0.to_owned()));
    let skus: std::collections::BTreeSet<String> = skus.collect();
    if skus.len() > OFFERS_MAX {
        stream.damaged.push("offers");
    }
    for sku in skus.into_iter().take(OFFERS_MAX) {
        let mut fields = Fields::new(automerge, map.clone());
        let packs = |packs: i64| u32::try_from(packs).ok().filter(|packs| *packs <= PACKS_MAX);
        let at = |field: &str| format!("{sku}/{field}");
        let (fen, wanted, margin) = (
            fields.integer_at("offers", &at("fen"), |fen| Fen::new(fen).ok()),
            fields.integer_at("offers", &at("wanted"), packs),
            fields.integer_at("offers", &at("margin"), |share| Permille::new(share).ok()),
        );
        let limit = fields.unless_empty_at("offers", &at("limit"), |limit| packs(limit).filter(|limit| *limit > 0));
        let begins_at = fields.unless_empty_at("offers", &at("begins"), Instant::told);
        let ends_at = fields.unless_empty_at("offers", &at("ends"), Instant::told);
        let lots = lots_of(super::view::text_at(automerge, &map, &at("lots")).unwrap_or_default().as_str());
        let ended = fields.truth_at("offers", &at("ended"));
        let is_whole = fields.damaged().is_empty() && checked_code(&sku).as_deref() == Ok(sku.as_str());
        match (fen, wanted, margin, lots) {
            (Some(fen), Some(wanted), Some(margin), Some(lots)) if is_whole => {
                let offer = Offer { fen, limit, wanted, margin, lots, begins_at, ends_at, ended };
                stream.offers.insert(sku, offer);
            }
            _ if stream.damaged.contains(&"offers") => {}
            _ => stream.damaged.push("offers"),
        }
    }
}

fn lots_of(text: &str) -> Option<Vec<LotId>> {
    let lots: Option<Vec<LotId>> = text.split(' ').filter(|lot| !lot.is_empty()).map(LotId::from_full).collect();
    lots.filter(|lots| lots.len() <= LOTS_MAX)
}

fn read_served(automerge: &AutoCommit, server: DeviceId, stream: &mut Stream) {
    if let Some(map) = part(automerge, "served", ObjType::Map) {
        for sku in automerge.keys(&map) {
            let values = server_values(automerge, &map, ("served", &sku), server, &mut stream.trespasses);
            // Where two of the server's own values stand beside each other, the later one is right.
            let served = values.iter().map(|value| served_of(value.as_str()?)).collect::<Option<Vec<_>>>();
            match served.map(|served| served.into_iter().max_by_key(|served| (served.as_of, served.accepted))) {
                Some(Some(served)) if checked_code(&sku).is_ok() && stream.served.len() < OFFERS_MAX => {
                    stream.served.insert(sku, served);
                }
                Some(None) => {}
                _ if stream.damaged.contains(&"served") => {}
                _ => stream.damaged.push("served"),
            }
        }
    }
    let minutes = server_values(automerge, &ROOT, ("minutes", "minutes"), server, &mut stream.trespasses);
    let Some(minutes) = minutes.last() else { return };
    match minutes.as_str().and_then(minutes_of) {
        Some(minutes) => stream.minutes = minutes,
        None => stream.damaged.push("minutes"),
    }
}

fn served_of(text: &str) -> Option<Served> {
    let mut parts = text.split(' ');
    let mut packs = || parts.next()?.parse::<u32>().ok();
    let (granted, accepted, over, left) = (packs()?, packs()?, packs()?, packs()?);
    let as_of = Instant::told(parts.next()?.parse().ok()?)?;
    parts.next().is_none().then_some(Served { granted, accepted, over, left, as_of })
}

fn minutes_of(text: &str) -> Option<Vec<u32>> {
    let minutes = text.split(' ').filter(|minute| !minute.is_empty()).map(|minute| minute.parse().ok());
    let minutes: Vec<u32> = minutes.take(MINUTES_MAX.saturating_add(1)).collect::<Option<_>>()?;
    (minutes.len() <= MINUTES_MAX).then_some(minutes)
}

#[cfg(test)]
mod tests;
