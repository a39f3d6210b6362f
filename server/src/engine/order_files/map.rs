//! What a shop's code or name means, said once for all.

use granary_client_core::ids::DeviceId;
use granary_client_core::quantities::Instant;
use granary_client_core::schema::order::map_line;
use granary_client_core::schema::{DocumentKey, Part, catalogue, sku};

use crate::engine::Granary;
use crate::engine::own_edits::Edits;
use crate::error::Error;
use crate::log::CooperativeNumber;

/// Orders whose lines are mapped in one go.
const MAPPED_AT_ONCE_MAX: u32 = 2_000;

impl Granary {
    /// Says which SKU a shop's code is, or its name where it gives no code: once for all. Files that wait find it, and lines of orders
    /// that were taken with it are mapped too; gives how many those were. Of very many the server maps the rest within some seconds.
    pub(crate) fn map_unmapped(
        &self,
        number: CooperativeNumber,
        device: DeviceId,
        (code, name): (&str, &str),
        sku_code: &str,
        now: Instant,
    ) -> Result<usize, Error> {
        let parts = self.parts(number, &DocumentKey::Catalogue(Part::FIRST))?;
        if !catalogue::read_parts(&parts).skus.contains_key(sku_code) {
            return Err(Error::NotFound { what: "SKU", name: sku_code.to_owned() });
        }
        let (of, code, name) = (sku_code.to_owned(), code.to_owned(), name.to_owned());
        let (own_code, own_name) = (code.clone(), name.clone());
        let learn = Edits::one(DocumentKey::Catalogue(Part::FIRST), move |doc| match own_code.as_str() {
            "" => sku::map_name(doc, &of, &own_name),
            code => sku::map_code(doc, &of, code),
        });
        self.edit_as(number, device, now, vec![learn])?;
        let waiting = self.read_models(number)?.read(|models| models.unmapped_lines(MAPPED_AT_ONCE_MAX))?;
        let is_same = |line: &granary_client_core::projection::UnmappedLine| match code.as_str() {
            "" => line.code.is_empty() && line.title == name,
            code => line.code == code,
        };
        let edits: Vec<Edits> = waiting
            .into_iter()
            .filter(is_same)
            .map(|line| {
                let of = sku_code.to_owned();
                Edits::one(DocumentKey::Order(line.order), move |doc| map_line(doc, &line.line, &of))
            })
            .collect();
        let count = edits.len();
        if count > 0 {
            self.edit_as(number, device, now, edits)?;
        }
        Ok(count)
    }
}
