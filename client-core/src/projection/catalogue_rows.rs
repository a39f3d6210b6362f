//! What the catalogue says of products, as the parts of it say it: cases need prices where no document is loaded.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Transaction, params};

use super::read_model::parse_or_report;
use crate::quantities::{Day, Fen};
use crate::schema::catalogue::{self, Product};
use crate::schema::{Document, DocumentKey, Part};
use crate::store::StoreFault;

/// Writes the rows of a part of the catalogue again. Gives the harvest books whose cases may be others now.
pub(super) fn write(
    transaction: &Transaction<'_>,
    document: &Document,
    part: Part,
) -> Result<Vec<DocumentKey>, StoreFault> {
    let key = document.key().to_bytes();
    let mut changed = BTreeSet::new();
    for (code, fields) in catalogue::product_fields(document) {
        let fields = serde_json::to_string(&fields).unwrap_or_default();
        let written = transaction
            .prepare_cached(
                "INSERT INTO catalogue VALUES (?1,?2,?3,?4)
                 ON CONFLICT (document, product) DO UPDATE SET fields = excluded.fields WHERE fields <> excluded.fields",
            )?
            .execute(params![key, part.number(), code, fields])?;
        if written > 0 {
            changed.insert(code);
        }
    }
    let mut books = BTreeSet::new();
    for product in &changed {
        // Only these lots can have a case in which the product's price or tolerance counts.
        let mut statement = transaction.prepare_cached(
            "SELECT DISTINCT l.document FROM lots l WHERE l.product = ?1 AND l.weighed > l.grams
             UNION SELECT DISTINCT l.document FROM cases c JOIN lots l
                 ON l.household = c.household AND l.season = c.season WHERE c.state <> 'settled' AND l.product = ?1",
        )?;
        let rows = statement.query_map(params![product], |row| row.get::<_, Vec<u8>>(0))?;
        books.extend(rows.collect::<Result<Vec<_>, _>>()?);
    }
    Ok(books.iter().filter_map(|book| DocumentKey::from_bytes(book).ok()).collect())
}

/// Products, each read once.
pub(super) struct Terms<'t> {
    transaction: &'t Transaction<'t>,
    known: BTreeMap<String, Option<Product>>,
}

impl<'t> Terms<'t> {
    pub(super) fn of(transaction: &'t Transaction<'t>) -> Self {
        Self { transaction, known: BTreeMap::new() }
    }

    /// A product; none that no part of the catalogue names.
    pub(super) fn product(&mut self, code: &str) -> Result<Option<&Product>, StoreFault> {
        if !self.known.contains_key(code) {
            let mut statement =
                self.transaction.prepare_cached("SELECT fields FROM catalogue WHERE product = ?1 ORDER BY part")?;
            let rows = statement.query_map(params![code], |row| row.get::<_, String>(0))?;
            let rows = rows.collect::<Result<Vec<_>, _>>()?;
            let read =
                |text: &String| parse_or_report("catalogue", "fields", text, |text| serde_json::from_str(text).ok());
            let product = (!rows.is_empty()).then(|| catalogue::product_of(code, rows.iter().filter_map(read)));
            self.known.insert(code.to_owned(), product);
        }
        Ok(self.known.get(code).and_then(Option::as_ref))
    }

    /// The prices of these products.
    pub(super) fn prices_of<'p>(
        &mut self,
        products: impl IntoIterator<Item = &'p str>,
    ) -> Result<impl Fn(&str, &str, Day) -> Option<Fen>, StoreFault> {
        for product in products {
            self.product(product)?;
        }
        Ok(|product: &str, grade: &str, day: Day| self.known.get(product)?.as_ref()?.price_on(grade, day))
    }
}
