//! What a running server does by itself, each at its interval: renews its certificate, writes notes, drops what is due, and follows
//! trade.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::engine::Granary;
use crate::http::Transfers;
use crate::log::check::{read_marks, write_marks};
use crate::tls;

/// Ends tasks; none of them holds anything any more when it returns.
pub(super) async fn end_all(tasks: Vec<tokio::task::JoinHandle<()>>) {
    tasks.iter().for_each(tokio::task::JoinHandle::abort);
    for task in tasks {
        let _ = task.await;
    }
}

pub(super) async fn renew(certificates: Arc<tls::Certificates>) {
    loop {
        tokio::time::sleep(tls::RENEW_EVERY).await;
        if let Err(error) = certificates.renew(crate::environment::now()) {
            tracing::warn!(%error, "no new certificate could be made; the present one goes on");
        }
    }
}

/// The interval at which last-seen rows and high-water marks are written, and old parts of exchanges forgotten.
const NOTE_EVERY: Duration = Duration::from_secs(20);

pub(super) async fn note(granary: Arc<Granary>, transfers: Arc<Transfers>, high_water: PathBuf, audit_days: u32) {
    loop {
        tokio::time::sleep(NOTE_EVERY).await;
        transfers.forget_old(crate::environment::now());
        write_notes(Arc::clone(&granary), high_water.clone()).await;
        let granary = Arc::clone(&granary);
        let dropped = move || granary.drop_old_audit_lines(crate::environment::now(), audit_days);
        if let Ok(Err(error)) = tokio::task::spawn_blocking(dropped).await {
            tracing::warn!(%error, "old lines of the audit could not be dropped");
        }
    }
}

/// The interval at which what is kept for a time only, and the balances of months, are looked at.
const DROP_EVERY: Duration = Duration::from_secs(3600);

/// The interval at which receivers of orders are looked at whose time may be over.
const FORGET_EVERY: Duration = Duration::from_secs(24 * 3600);

pub(super) async fn drop_what_is_due(granary: Arc<Granary>) {
    let mut days: Option<tokio::time::Instant> = None;
    loop {
        let granary = Arc::clone(&granary);
        let books = Arc::clone(&granary);
        let is_new_day = days.is_none_or(|last| tokio::time::Instant::now().duration_since(last) >= FORGET_EVERY);
        if is_new_day {
            days = Some(tokio::time::Instant::now());
        }
        let dropped = tokio::task::spawn_blocking(move || {
            let now = crate::environment::now();
            if is_new_day {
                granary.forget_due_receivers(now)?;
            }
            granary.drop_old_answers(now)?;
            granary.drop_what_is_due(now)
        });
        if let Ok(Err(error)) = dropped.await {
            tracing::warn!(%error, "what is kept for a time only could not be looked at");
        }
        let opened = move || books.keep_openings(crate::environment::now());
        if let Ok(Err(error)) = tokio::task::spawn_blocking(opened).await {
            tracing::warn!(%error, "the balances at the beginning of the month could not be written");
        }
        tokio::time::sleep(DROP_EVERY).await;
    }
}

/// Between two looks at what pages are to hear of pools, and at what is over.
const TRADE_EVERY: Duration = Duration::from_secs(1);

/// Follows what was admitted about trade, as it comes.
pub(super) async fn trade(granary: Arc<Granary>) {
    let mut ticks = tokio::time::interval(TRADE_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let is_tick = tokio::select! {
            _ = ticks.tick() => true,
            () = granary.trading().woken() => false,
        };
        let granary = Arc::clone(&granary);
        let round = tokio::task::spawn_blocking(move || granary.trade_round(is_tick, crate::environment::now()));
        if let Ok(Err(error)) = round.await {
            tracing::warn!(%error, "trade could not be followed; it is tried again");
            tokio::time::sleep(TRADE_EVERY).await;
        }
    }
}

pub(super) async fn write_notes(granary: Arc<Granary>, high_water: PathBuf) {
    let written = tokio::task::spawn_blocking(move || {
        granary.write_last_seen()?;
        let marks = granary.marks();
        if read_marks(&high_water) == marks { Ok(()) } else { write_marks(&high_water, &marks) }
    });
    if let Ok(Err(error)) = written.await {
        tracing::warn!(%error, "notes could not be written down");
    }
}
