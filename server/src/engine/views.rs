//! Lists as a coordinator keeps them: an address of the console with its filters, under a name of her own. They are hers alone and
//! go with her account.

use granary_client_core::ids::DeviceId;
use granary_client_core::protocol::messages::{read_message, write_message};
use granary_client_core::quantities::one_line;
use granary_client_core::store::StoreFault;
use serde::{Deserialize, Serialize};

use super::Granary;
use crate::access::Principal;
use crate::error::Error;
use crate::log::CooperativeNumber;
use crate::log::keys::key;
use crate::log::writer::GroupCommit;

/// Views of one person at most.
pub(crate) const VIEWS_MAX: usize = 30;
/// Letters of a view's name.
pub(crate) const NAME_MAX: usize = 40;

/// A list under a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SavedView {
    pub(crate) name: String,
    /// The address with its filters.
    pub(crate) address: String,
}

pub(crate) fn views_key(number: CooperativeNumber, person: DeviceId) -> Vec<u8> {
    key(number, b'v', person.as_bytes())
}

/// Drops the views that name one of these: a household's name, or its id.
pub(super) fn forget_in_views(group: &mut GroupCommit<'_>, row: Vec<u8>, names: &[String]) -> Result<(), StoreFault> {
    let Some(mut views) = group.get(&row)?.and_then(|bytes| read_message::<Vec<SavedView>>(&bytes).ok()) else {
        return Ok(());
    };
    let before = views.len();
    views.retain(|view| {
        let query = view.address.split_once('?').map_or("", |(_, query)| query);
        let values = form_urlencoded::parse(query.as_bytes()).map(|(_, value)| value.into_owned());
        let texts: Vec<String> = values.chain([view.name.clone(), view.address.clone()]).collect();
        !names.iter().any(|name| texts.iter().any(|text| text.contains(name.as_str())))
    });
    match (views.len() == before, views.is_empty()) {
        (true, _) => {}
        (false, true) => group.remove_visible(row),
        (false, false) => group.put_visible(row, write_message(&views)),
    }
    Ok(())
}

impl Granary {
    /// A person's views, in the order in which they were made.
    pub(crate) fn views(&self, number: CooperativeNumber, person: DeviceId) -> Result<Vec<SavedView>, Error> {
        let row = self.store().get(&views_key(number, person))?;
        Ok(row.and_then(|row| read_message(&row).ok()).unwrap_or_default())
    }

    /// Keeps a view; one of the same name is replaced, and the oldest goes where there are too many.
    pub(crate) fn keep_view(
        &self,
        by: Principal,
        number: CooperativeNumber,
        person: DeviceId,
        view: SavedView,
    ) -> Result<(), Error> {
        let name: String = one_line(&view.name).take(NAME_MAX).collect();
        let view = SavedView { name: name.trim().to_owned(), ..view };
        self.change_views(by, number, person, move |views| {
            match views.iter_mut().find(|other| other.name == view.name) {
                Some(other) => *other = view,
                None => views.push(view),
            }
            if views.len() > VIEWS_MAX {
                views.remove(0);
            }
        })
    }

    /// Drops the view of this name, where there is one.
    pub(crate) fn drop_view(
        &self,
        by: Principal,
        number: CooperativeNumber,
        person: DeviceId,
        name: String,
    ) -> Result<(), Error> {
        self.change_views(by, number, person, move |views| views.retain(|view| view.name != name))
    }

    /// The rows of all persons' views.
    pub(super) fn view_rows(&self, number: CooperativeNumber) -> Result<Vec<Vec<u8>>, Error> {
        let rows = self.store().scan_all(&key(number, b'v', &[]))?;
        Ok(rows.into_iter().map(|row| row.key).collect())
    }

    fn change_views(
        &self,
        by: Principal,
        number: CooperativeNumber,
        person: DeviceId,
        change: impl FnOnce(&mut Vec<SavedView>) + Send + 'static,
    ) -> Result<(), Error> {
        let cooperative = self.cooperative(number)?;
        self.write(move |group| {
            if let Err(denied) = by.must_coordinate(&cooperative) {
                return Ok(Err(denied));
            }
            let row = views_key(number, person);
            let mut views: Vec<SavedView> =
                group.get(&row)?.and_then(|bytes| read_message(&bytes).ok()).unwrap_or_default();
            change(&mut views);
            match views.is_empty() {
                true => group.remove_visible(row),
                false => group.put_visible(row, write_message(&views)),
            }
            Ok(Ok(()))
        })??;
        Ok(())
    }
}
