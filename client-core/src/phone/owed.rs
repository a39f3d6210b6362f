//! What a household is owed so far, as far as this phone can tell.

use super::Phone;
use crate::error::Error;
use crate::ids::HouseholdId;
use crate::projection::{LotFilter, LotRow, Owed, owed, worth};

impl Phone {
    /// See [`Owed`]. All lots of the household that are here count.
    pub fn owed(&self, household: HouseholdId) -> Result<Owed, Error> {
        let filter = LotFilter { household: Some(household), limit: u32::MAX, ..LotFilter::default() };
        let lots = self.lots(&filter)?;
        let catalogue = self.catalogue()?.unwrap_or_default();
        let particulars = self.household_particulars(household)?;
        let advances = particulars.map(|particulars| particulars.advances).unwrap_or_default();
        Ok(owed(&lots, &catalogue, advances.into_iter().map(|(_, fen)| fen)))
    }

    /// What a lot is worth, as [`Self::owed`] counts it; none before the warehouse received it, and without a price.
    pub fn worth(&self, lot: &LotRow) -> Result<Option<i64>, Error> {
        Ok(self.catalogue()?.and_then(|catalogue| worth(lot, &catalogue)))
    }
}
