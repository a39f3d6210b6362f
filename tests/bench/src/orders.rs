//! Orders accepted durably: in one process with the store on disk, by feeders that each wait for their answer. A call holds one order
//! or many, as a shop's till or a platform's bridge sends them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant as Clock};

use granary_client_core::quantities::{Fen, Grams, Instant};
use granary_client_core::schema::order::{AfterSale, TakenLine, TakenOrder, ToldStatus};
use granary_client_core::schema::receiver::Receiver;
use granary_client_core::schema::sku::{Sku, set_sku};
use granary_client_core::schema::{DocumentKey, OrderName, Part};
use granary_server::Granary;
use granary_server::log::CooperativeNumber;
use granary_server::store::SledStore;
use granary_server::trade::{Mode, ToldOrder, Verdict};
use serde_json::json;

/// How many orders each line measures.
const ORDERS: u64 = 12_000;

fn now() -> Instant {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Instant(i64::try_from(since.as_millis()).unwrap())
}

pub(crate) fn order(id: u64, now: Instant) -> ToldOrder {
    let line = |line: u64, sku: &str| TakenLine {
        line_id: format!("{id}{line}"),
        sku: Some(sku.into()),
        code: Some(sku.into()),
        title: Some("沁州黄小米 2.5kg 真空装".into()),
        packs: 1 + u32::try_from(id % 3).unwrap(),
        fen: Fen::new(3_990).unwrap(),
        is_gift: false,
        after_sale: AfterSale::None,
        after_sale_at: None,
    };
    let mut lines = vec![line(1, "XM-05")];
    if id.is_multiple_of(4) {
        lines.push(line(2, "XM-10"));
    }
    ToldOrder {
        name: OrderName { shop: "main".into(), ..OrderName::of("douyin", &format!("69{id:016}")) },
        mode: Mode::Tell,
        order: TakenOrder {
            placed_at: now,
            paid_at: Some(now),
            promised_at: Some(Instant(now.0 + 172_800_000)),
            told_at: now,
            told: ToldStatus::ToShip,
            total_fen: Some(Fen::new(3_990).unwrap()),
            freight_fen: None,
            pool: "live".into(),
            stream: None,
            lines,
        },
        receiver: Some(Receiver {
            name: Some("张**".into()),
            phone: Some("138****0001".into()),
            address: Some("山西省 太原市 小店区 某某街道某某小区 1 号楼 2 单元 301".into()),
            ..Receiver::default()
        }),
        buyer_token: None,
    }
}

fn open(folder: &std::path::Path) -> (Arc<Granary>, CooperativeNumber) {
    let store = Arc::new(SledStore::open(&folder.join("store")).unwrap());
    let granary = Granary::open(store, folder, Some(&folder.join("lists")), |fault| panic!("{fault}")).unwrap();
    let coop = granary.create_cooperative("Linxian", now()).unwrap();
    let key = DocumentKey::Catalogue(Part::FIRST);
    granary
        .edit(coop, &key, now(), |doc| {
            for (code, grams) in [("XM-05", 2_500), ("XM-10", 5_000)] {
                set_sku(doc, &Sku::new(code, "millet", "A", Grams::new(grams)?))?;
            }
            Ok(())
        })
        .unwrap();
    (Arc::new(granary), coop)
}

pub(crate) fn run(only: &[String], json: bool) {
    if !json {
        head();
    }
    let usual = ["1x1", "16x1", "64x1", "200x1", "8x16", "8x64", "4x500"].map(str::to_owned);
    for what in if only.is_empty() { &usual } else { only } {
        let (feeders, each) = what.split_once('x').unwrap();
        measure(feeders.parse().unwrap(), each.parse().unwrap(), json);
    }
}

fn head() {
    println!(
        "{:<44} {:>8} {:>9} {:>8} {:>8} {:>8} {:>11} {:>8} {:>8} {:>12} {:>11}",
        "orders accepted durably",
        "orders",
        "a second",
        "p50 ms",
        "p99 ms",
        "worst",
        "processor us",
        "a flush",
        "ms each",
        "in lists s",
        "us in all"
    );
}

fn measure(feeders: u64, each: u64, json: bool) {
    let folder = tempfile::tempdir().unwrap();
    let (granary, coop) = open(folder.path());
    let orders = if feeders == 1 { ORDERS / 6 } else { ORDERS };
    let next = AtomicU64::new(0);
    let (began, processor, before) = (Clock::now(), processor_seconds(), granary.flush_totals());
    let mut took: Vec<Duration> = std::thread::scope(|scope| {
        let feeder = || {
            let mut took = Vec::new();
            loop {
                let first = next.fetch_add(each, Ordering::Relaxed);
                if first >= orders {
                    return took;
                }
                let now = now();
                let some: Vec<ToldOrder> = (first..first + each).map(|id| order(id, now)).collect();
                let began = Clock::now();
                let answers = granary.take_orders(coop, some, now).unwrap();
                took.push(began.elapsed());
                assert!(answers.iter().all(|answer| answer.verdict == Verdict::Accepted), "{answers:?}");
            }
        };
        let feeders: Vec<_> = (0..feeders).map(|_| scope.spawn(feeder)).collect();
        feeders.into_iter().flat_map(|feeder| feeder.join().unwrap()).collect()
    });
    let seconds = began.elapsed().as_secs_f64();
    let done = next.load(Ordering::Relaxed).min(orders.div_ceil(each) * each);
    let micros = (processor_seconds() - processor) / done as f64 * 1e6;
    let flushed = granary.flush_totals();
    let flushes = (flushed.flushes - before.flushes).max(1) as f64;
    took.sort_unstable();
    let at = |share: f64| took[((took.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    let accepted: u64 = granary.pools(coop).unwrap().iter().map(|pool| pool.accepted).sum();
    assert!(accepted > 0);
    let began = Clock::now();
    granary.settle(&granary.cooperative(coop).unwrap());
    while granary.read_models_behind(coop).unwrap() > 0 {
        std::thread::sleep(Duration::from_millis(20));
    }
    let settled = began.elapsed().as_secs_f64();
    let in_all = (processor_seconds() - processor) / done as f64 * 1e6;
    let (a_second, a_flush) = (done as f64 / seconds, done as f64 / flushes);
    let flush_ms = (flushed.micros - before.micros) as f64 / flushes / 1e3;
    if json {
        let row = json!({
            "feeders": feeders, "in_a_call": each, "orders": done, "a_second": a_second, "p50_ms": at(0.5), "p99_ms": at(0.99),
            "worst_ms": at(1.0), "processor_us": micros, "orders_a_flush": a_flush, "flush_ms": flush_ms,
            "in_lists_seconds": settled, "processor_us_with_what_follows": in_all,
        });
        println!("{row}");
        return;
    }
    println!(
        "{:<44} {done:>8} {a_second:>9.0} {:>8.1} {:>8.1} {:>8.1} {micros:>11.0} {a_flush:>8.1} {flush_ms:>8.1} {settled:>12.1} {in_all:>11.0}",
        format!("{feeders} feeders, {each} in a call"),
        at(0.5),
        at(0.99),
        at(1.0),
    );
}

pub(crate) fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    ticks as f64 / 100.0
}
