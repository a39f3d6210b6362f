//! Taking a file: its orders come in as if they were told, page by page.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use granary_client_core::quantities::Instant;

use super::fault::ImportFault;
use super::taken::{TakenFile, remember};
use super::waiting::{FileId, Waiting};
use crate::access::{AuditAction, By};
use crate::engine::Granary;
use crate::engine::audit::put_line;
use crate::error::Error;
use crate::imports::Preview;
use crate::log::CooperativeNumber;
use crate::trade::ORDERS_MAX;

/// A file that nobody else takes now.
struct Taking<'a>(&'a Waiting);

impl<'a> Taking<'a> {
    fn begin(file: &'a Waiting) -> Result<Self, ImportFault> {
        let is_taken = file.is_being_taken.swap(true, Ordering::SeqCst);
        if is_taken { Err(ImportFault::BeingTaken) } else { Ok(Self(file)) }
    }
}

impl Drop for Taking<'_> {
    fn drop(&mut self) {
        self.0.is_being_taken.store(false, Ordering::SeqCst);
    }
}

impl Granary {
    /// Takes a file's orders, which are durable when this returns. It can be called again after a failure: what was taken is known
    /// then. An order never goes back to an older told time.
    pub(crate) fn take_import(
        &self,
        by: &By,
        number: CooperativeNumber,
        id: &str,
        now: Instant,
    ) -> Result<TakenFile, Error> {
        let cooperative = self.cooperative(number)?;
        by.must_act(&cooperative)?;
        let file = FileId::from_text(id).and_then(|id| self.order_files.shelf.get(by, number, id, now));
        let file = &file.ok_or(ImportFault::Gone)?;
        // From here on its page says that it is being taken: a large one is read for a while before its first order is.
        let _taking = Taking::begin(file)?;
        let (import, files) = self.looked_at(by, number, id, now)?;
        if let Some(before) = import.taken {
            return Err(ImportFault::Taken { at: Instant(before.at_millis) }.into());
        }
        if !self.order_files.shelf.has(file, now) {
            // Somebody took it between the look and now.
            let before = self.taken_before(file)?.ok_or(ImportFault::Gone)?;
            return Err(ImportFault::Taken { at: Instant(before.at_millis) }.into());
        }
        let record = TakenFile {
            by: by.id(),
            id: file.id().to_string(),
            ..self.take_orders_of(number, file, &import.preview, now)?
        };
        let (stored, whole): (TakenFile, Vec<Arc<Waiting>>) = (record.clone(), files.clone());
        self.write(move |group| {
            whole.iter().for_each(|file| remember(group, file, &stored));
            let detail = format!("orders {} +{} ~{}", stored.profile, stored.accepted, stored.updated);
            put_line(&cooperative, group, now, &stored.by, AuditAction::Imported, &detail);
            Ok(())
        })?;
        files.iter().for_each(|file| self.order_files.shelf.remove(file, now));
        Ok(record)
    }

    fn take_orders_of(
        &self,
        number: CooperativeNumber,
        file: &Waiting,
        preview: &Preview,
        now: Instant,
    ) -> Result<TakenFile, Error> {
        let mut orders = preview.told_orders(&file.brought.shop);
        if orders.is_empty() {
            let other = preview.lines_in.as_ref().or(preview.orders_in.as_ref());
            let fault = other.map(|other| ImportFault::OneOfTwo { other: other.clone() });
            return Err(fault.unwrap_or(ImportFault::NoOrders).into());
        }
        file.of.store(orders.len(), Ordering::SeqCst);
        file.done.store(0, Ordering::SeqCst);
        let mut record = TakenFile {
            file_name: preview.file.clone(),
            profile: preview.profile.clone(),
            platform: preview.platform.clone(),
            shop: file.brought.shop.clone(),
            at_millis: now.0,
            refused_rows: preview.refused.len(),
            lines: preview.lines().count(),
            ..TakenFile::default()
        };
        while !orders.is_empty() {
            let rest = orders.split_off(orders.len().min(ORDERS_MAX));
            let page = std::mem::replace(&mut orders, rest);
            let names: Vec<String> = page.iter().map(|told| told.name.outside_id.clone()).collect();
            for (name, answer) in names.into_iter().zip(self.take_orders(number, page, now)?) {
                record.count(name, answer.verdict)?;
                file.done.fetch_add(1, Ordering::SeqCst);
            }
        }
        Ok(record)
    }

    /// Sets a file as one that is being taken.
    #[cfg(test)]
    pub(crate) fn set_being_taken(&self, by: &By, number: CooperativeNumber, id: &str, is_so: bool) {
        let id = super::waiting::FileId::from_text(id).unwrap();
        let file = self.order_files.shelf.get(by, number, id, crate::environment::now()).unwrap();
        file.of.store(7, Ordering::SeqCst);
        file.is_being_taken.store(is_so, Ordering::SeqCst);
    }
}
