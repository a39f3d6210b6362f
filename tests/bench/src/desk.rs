//! A live-stream's desk on many pages, each of which asks for it anew every second while orders come in. Server and pages are in one
//! process; what the orders alone cost is measured before and taken off.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant as Clock};

use granary_client_core::quantities::{Day, Fen, Grams, Instant};
use granary_client_core::schema::sku::{Sku, set_sku};
use granary_client_core::schema::stock_book::{self, Deed, GoodsIn};
use granary_client_core::schema::stream::{self, Offer, StreamPlan};
use granary_client_core::schema::{DocumentKey, MAIN_WAREHOUSE, Part, StockMonth};
use serde_json::json;

use crate::console::{connect, get, redeem};
use crate::line::LOOPBACK;
use crate::orders::{order, processor_seconds};
use crate::world::{World, now};

const PAGES: usize = 100;
const SECONDS: u32 = 20;
const ORDERS_A_SECOND: u64 = 20;

fn fill(world: &World) {
    let (granary, coop, now) = (world.granary(), world.coop, now());
    let day = Day::in_china(now);
    granary
        .edit(coop, &DocumentKey::Catalogue(Part::FIRST), now, |doc| {
            for (code, grams) in [("XM-05", 2_500), ("XM-10", 5_000)] {
                set_sku(doc, &Sku::new(code, "millet", "A", Grams::new(grams)?))?;
            }
            Ok(())
        })
        .unwrap();
    let goods = GoodsIn {
        product: "millet".into(),
        grade: "A".into(),
        quantity: Grams::new(100_000_000).unwrap(),
        day,
        expiry: None,
        from: String::new(),
        bin: String::new(),
    };
    let book = DocumentKey::StockBook(StockMonth::of(MAIN_WAREHOUSE, day).unwrap());
    granary.edit(coop, &book, now, move |doc| stock_book::write(doc, &Deed::In(goods), now).map(drop)).unwrap();
    granary
        .edit(coop, &DocumentKey::Stream("live".parse().unwrap()), now, move |doc| {
            let plan = StreamPlan {
                host: "李".into(),
                platform: "douyin".into(),
                shop: "main".into(),
                starts_at: Instant(now.0 - 1_800_000),
                ends_at: None,
            };
            stream::plan(doc, &plan)?;
            stream::offer(doc, "XM-05", &Offer::new(Fen::new(1_990)?, 5_000))?;
            stream::offer(doc, "XM-10", &Offer::new(Fen::new(3_990)?, 3_000))
        })
        .unwrap();
}

/// Tells orders at an even pace until it is said to end.
fn feed(world: &World, first: u64, is_over: &AtomicBool) -> u64 {
    let began = Clock::now();
    let mut told = 0;
    while !is_over.load(Ordering::Relaxed) {
        let some = (0..ORDERS_A_SECOND / 5).map(|place| order(first + told + place, now())).collect();
        world.granary().take_orders(world.coop, some, now()).unwrap();
        told += ORDERS_A_SECOND / 5;
        let next = Duration::from_millis(told * 1_000 / ORDERS_A_SECOND);
        std::thread::sleep(next.saturating_sub(began.elapsed()));
    }
    told
}

pub(crate) fn run(json: bool) {
    let world = World::new(LOOPBACK);
    fill(&world);
    world.granary().set_coordinator(world.coop, "bench", "Bench", "correct horse battery", now()).unwrap();
    let token = world.granary().sign_in_once(world.coop, "bench", now()).unwrap();
    while world.granary().pools(world.coop).unwrap().iter().all(|pool| pool.granted.unwrap_or(0) == 0) {
        std::thread::sleep(Duration::from_millis(100));
    }
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| feed(&world, 0, &is_over));
        // The orders alone, with what follows them.
        std::thread::sleep(Duration::from_secs(3));
        let before = processor_seconds();
        std::thread::sleep(Duration::from_secs(u64::from(SECONDS)));
        let alone = processor_seconds() - before;
        let (mut times, bytes, spent) = world.on_runtime(visit(&world, &token));
        is_over.store(true, Ordering::Relaxed);
        times.sort_unstable();
        let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
        let (alone, spent) = (alone / f64::from(SECONDS), spent / f64::from(SECONDS));
        let each = (spent - alone) / times.len() as f64 * f64::from(SECONDS) * 1e6;
        let row = json!({
            "pages": PAGES, "refreshes": times.len(), "orders_a_second": ORDERS_A_SECOND, "median_ms": at(0.5), "p99_ms": at(0.99),
            "bytes_gzip": bytes, "processor_percent_without_pages": alone * 1e2, "processor_percent": spent * 1e2,
            "processor_us_a_refresh": each,
        });
        if json {
            println!("{row}");
            return;
        }
        println!("{PAGES} pages of one desk, each anew every second, {ORDERS_A_SECOND} orders a second");
        println!(
            "  a refresh: median {:.1} ms, p99 {:.1} ms, {bytes} bytes gzip, {each:.0} us of processor",
            at(0.5),
            at(0.99)
        );
        println!("  processor: {:.0} % of one core, {:.0} % without pages", spent * 1e2, alone * 1e2);
    });
}

/// Has the pages ask every second; gives how long each answer took, the bytes of one, and the processor's seconds.
async fn visit(world: &World, token: &str) -> (Vec<Duration>, usize, f64) {
    let mut first = connect(world).await;
    let cookie = redeem(&mut first, token).await.unwrap().split(';').next().unwrap().to_owned();
    let mut lines = vec![first];
    while lines.len() < PAGES {
        lines.push(connect(world).await);
    }
    let before = processor_seconds();
    let began = tokio::time::Instant::now();
    let pages = lines.into_iter().enumerate().map(|(page, mut line)| {
        let cookie = cookie.clone();
        tokio::spawn(async move {
            let (mut times, mut bytes) = (Vec::new(), 0);
            for second in 0..SECONDS {
                // Spread over the second, as pages that were opened at any moment are.
                let apart = Duration::from_millis(page as u64 * 1_000 / PAGES as u64);
                tokio::time::sleep_until(began + Duration::from_secs(u64::from(second)) + apart).await;
                let asked = Clock::now();
                let (status, _, body) = get(&mut line, "/console/streams/live", &cookie).await;
                assert_eq!(status, 200);
                times.push(asked.elapsed());
                bytes = body.len();
            }
            (times, bytes)
        })
    });
    let pages: Vec<_> = pages.collect();
    let (mut times, mut bytes) = (Vec::new(), 0);
    for page in pages {
        let (of_page, last) = page.await.unwrap();
        times.extend(of_page);
        bytes = last;
    }
    (times, bytes, processor_seconds() - before)
}
