//! The phone object: what an app opens once and keeps.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use granary_client_core::phone::{Driver, ExportForm, Phone};
use granary_client_core::projection::QuestionFilter;
use granary_client_core::schema::question;
use granary_client_core::store::StoreKey;
use granary_client_core::words::Words;

use crate::error::PhoneError;
use crate::language;
use crate::lots::{FieldConflict, Lot, LotDraft, LotEdit, LotFilter, Product, Question, Receipt, Total, Unusual};
use crate::status::{PhoneObserver, Recovered, SyncStatus, Told};

/// One phone: its documents, kept in a folder of the app, and their sync.
#[derive(uniffi::Object)]
pub struct GranaryPhone {
    pub(crate) phone: Arc<Phone>,
    driver: Mutex<Option<Driver>>,
}

/// The phones of this process, so that a folder that is open already gives the same one, with its background sync.
static OPEN: Mutex<Vec<(Weak<Phone>, Weak<GranaryPhone>)>> = Mutex::new(Vec::new());

/// An invitation, for a person to confirm.
#[derive(Debug, Clone, uniffi::Record)]
pub struct Invitation {
    /// The server's host and port.
    pub server: String,
    /// The co-operative's name.
    pub cooperative_name: String,
    /// What the phone will be: `household:…`, `packer` or `coordinator`.
    pub role: String,
    /// Whose phone: the household's or the person's name; empty where it is nobody's, or has no name yet.
    pub whose: String,
}

impl GranaryPhone {
    fn of(phone: Arc<Phone>) -> Arc<Self> {
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|(_, known)| known.strong_count() > 0);
        let known = open.iter().find(|(of, _)| std::ptr::eq(of.as_ptr(), Arc::as_ptr(&phone)));
        known.and_then(|(_, known)| known.upgrade()).unwrap_or_else(|| {
            let new = Arc::new(Self { phone: Arc::clone(&phone), driver: Mutex::default() });
            open.push((Arc::downgrade(&phone), Arc::downgrade(&new)));
            new
        })
    }

    fn with_driver(&self, tell: impl FnOnce(&Driver)) {
        if let Some(driver) = self.driver.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
            tell(driver);
        }
    }
}

#[uniffi::export]
impl GranaryPhone {
    /// Opens or creates the phone's files in this folder. Damaged records are quarantined; see `damage`. A folder that is
    /// open in this app already gives the same phone; it is closed once the last of these objects is. While another program
    /// has it, this waits some seconds and fails with `InUse`, which says who.
    #[uniffi::constructor]
    pub fn open(folder: String) -> Result<Arc<Self>, PhoneError> {
        Ok(Self::of(Phone::open(Path::new(&folder))?))
    }

    /// As `open`, with everything on the phone encrypted under `key`: 32 random bytes that the app keeps in the platform's
    /// key store (Android Keystore, iOS Keychain). The first call encrypts files that were created without a key. Another
    /// key, or `open`, fails with `Locked` and changes nothing. Without the key, nothing can be read any more.
    #[uniffi::constructor]
    pub fn open_locked(folder: String, key: Vec<u8>) -> Result<Arc<Self>, PhoneError> {
        let key = StoreKey::from_bytes(&key)
            .ok_or_else(|| PhoneError::Invalid { sentence: "A key of the phone's store has 32 bytes.".into() })?;
        Ok(Self::of(Phone::open_locked(Path::new(&folder), &key)?))
    }

    /// What was found damaged at opening, as sentences to show.
    pub fn damage(&self) -> Vec<String> {
        self.phone.damage().iter().map(|damage| damage.words(language::now())).collect()
    }

    /// True when a phone was in this folder before, and its file is gone, empty or damaged so that nothing says whose it was.
    /// Other calls fail with `Lost` then. Offer `recover`, and `start_anew` for a person who gives it up.
    pub fn is_lost(&self) -> bool {
        self.phone.is_lost()
    }

    /// Gives up the phone that was lost: this is a new one from now on. Files that were set aside stay.
    pub fn start_anew(&self) -> Result<(), PhoneError> {
        Ok(self.phone.start_anew()?)
    }

    /// What an invitation's link is for, to show before `enrol`: whose server, which co-operative, and as what. Waits for the
    /// network; changes nothing.
    pub fn look_at_invitation(&self, link: String) -> Result<Invitation, PhoneError> {
        let shown = self.phone.look_at_invitation(&link)?;
        Ok(Invitation {
            server: shown.server,
            cooperative_name: shown.cooperative_name,
            role: shown.role.to_string(),
            whose: shown.whose,
        })
    }

    /// Enrols with a co-operative by an invitation's link (`granary://…`, typed or scanned). Waits for the network. When the
    /// answer is lost, call it again with the same link.
    pub fn enrol(&self, link: String, phone_name: String) -> Result<(), PhoneError> {
        Ok(self.phone.enrol(&link, &phone_name)?)
    }

    /// The co-operative's name; none before `enrol`.
    pub fn cooperative_name(&self) -> Option<String> {
        self.phone.cooperative_name()
    }

    /// This device's id; none before `enrol`.
    pub fn device(&self) -> Option<String> {
        self.phone.device().map(|device| device.to_string())
    }

    /// The id of the household that this phone belongs to; none for coordinators and packers.
    pub fn household(&self) -> Option<String> {
        self.phone.household().map(|household| household.to_string())
    }

    /// The day that it is, such as `2026-10-03`: by this phone's clock, put right by what the server last told.
    pub fn today(&self) -> String {
        self.phone.today().to_string()
    }

    /// The date that this phone's own clock shows, when it is another than `today`: ask the person to set it.
    pub fn wrong_date(&self) -> Option<String> {
        self.phone.wrong_date().map(|day| day.to_string())
    }

    /// Records a lot and returns its id, such as `7KQ2-M9XT-4B0F`. Durable when it returns; needs no network.
    ///
    /// The id names the lot among all lots of the co-operative, and can be read out: calls take it in capitals or small
    /// letters, with or without hyphens, and find a wrong letter. One that fits several lots fails with `Ambiguous`.
    pub fn record(&self, draft: LotDraft) -> Result<String, PhoneError> {
        let household = draft.household.as_deref().map(str::parse).transpose()?;
        let household = self.phone.household_or(household)?;
        Ok(self.phone.record_of_day(household, &draft.of_day(self.phone.today())?)?.to_string())
    }

    /// What is unusual about a lot that is to be recorded; empty when nothing is. Show the sentences and ask; call `record` when
    /// the person confirms. Quick; needs no network.
    pub fn unusual(&self, draft: LotDraft) -> Result<Vec<Unusual>, PhoneError> {
        let household = draft.household.as_deref().map(str::parse).transpose()?;
        let household = self.phone.household_or(household)?;
        Ok(self.phone.unusual(household, &draft.of_day(self.phone.today())?)?.into_iter().map(Unusual::from).collect())
    }

    /// What would be unusual about a lot after a correction, in the fields that it changes; as `unusual`.
    pub fn unusual_correction(&self, lot: String, edits: Vec<LotEdit>) -> Result<Vec<Unusual>, PhoneError> {
        let edits = edits.into_iter().map(TryInto::try_into).collect::<Result<Vec<_>, _>>()?;
        let found = self.phone.unusual_correction(&self.phone.find_lot(&lot)?, &edits)?;
        Ok(found.into_iter().map(Unusual::from).collect())
    }

    /// Writes fields of a lot, all in one change. A value replaces all concurrent values of its field.
    pub fn correct(&self, lot: String, edits: Vec<LotEdit>) -> Result<(), PhoneError> {
        let edits = edits.into_iter().map(TryInto::try_into).collect::<Result<Vec<_>, _>>()?;
        Ok(self.phone.correct(&self.phone.find_lot(&lot)?, &edits)?)
    }

    /// Deletes a lot from the book.
    pub fn withdraw(&self, lot: String) -> Result<(), PhoneError> {
        Ok(self.phone.withdraw(&self.phone.find_lot(&lot)?)?)
    }

    /// What would be unusual about a receipt of a lot; as `unusual`. Call `receive` when the person confirms.
    pub fn unusual_receipt(&self, lot: String, receipt: Receipt, day: String) -> Result<Vec<Unusual>, PhoneError> {
        let found = self.phone.unusual_receipt(&self.phone.find_lot(&lot)?, &receipt.try_into()?, day.parse()?)?;
        Ok(found.into_iter().map(Unusual::from).collect())
    }

    /// Records the warehouse's receipt of a lot on this day; for packers and coordinators.
    pub fn receive(&self, lot: String, receipt: Receipt, day: String) -> Result<(), PhoneError> {
        let lot = self.phone.find_lot(&lot)?;
        Ok(self.phone.receive(&lot, &receipt.try_into()?, day.parse()?)?)
    }

    /// Lots that pass the filter, latest day first. Quick for any number of lots.
    pub fn lots(&self, filter: LotFilter) -> Result<Vec<Lot>, PhoneError> {
        Ok(self.phone.lots(&filter.try_into()?)?.into_iter().map(Lot::from).collect())
    }

    /// Weights by product of the lots that pass the filter.
    pub fn totals(&self, filter: LotFilter) -> Result<Vec<Total>, PhoneError> {
        Ok(self.phone.totals(&filter.try_into()?)?.into_iter().map(Total::from).collect())
    }

    /// What coordinators ask about lots that are on this phone, the latest first, also what is answered and closed.
    pub fn questions(&self) -> Result<Vec<Question>, PhoneError> {
        Ok(self.phone.questions(&QuestionFilter::default())?.into_iter().map(Question::from).collect())
    }

    /// Answers a question by its id. Durable when it returns; needs no network. The same answer again changes nothing, another one
    /// takes the place of those that are on this phone.
    pub fn answer(&self, question: String, text: String) -> Result<(), PhoneError> {
        let id = question
            .parse()
            .map_err(|fault: question::QuestionFault| PhoneError::Invalid { sentence: fault.to_string() })?;
        Ok(self.phone.answer(id, &text)?)
    }

    /// The fields of a lot with concurrent values.
    pub fn conflicts(&self, lot: String) -> Result<Vec<FieldConflict>, PhoneError> {
        Ok(self.phone.conflicts_of(&self.phone.find_lot(&lot)?)?.into_iter().map(FieldConflict::from).collect())
    }

    /// The products of the catalogue; empty before the first sync.
    pub fn products(&self) -> Result<Vec<Product>, PhoneError> {
        Ok(self.phone.catalogue()?.unwrap_or_default().products.into_iter().map(Product::from).collect())
    }

    /// Syncs, and returns when all is sent and read, or with the error that stopped it. Apps that called `start` need it only
    /// when a person asks.
    pub fn sync_now(&self) -> Result<SyncStatus, PhoneError> {
        self.phone.sync_now()?;
        Ok(self.phone.status().into())
    }

    /// The unsent changes as a file, which anyone may bring to the server and only the server can read. Nothing leaves the
    /// outbox: the next sync finds what the server has. Fails with `SyncFirst` before this phone's first own sync.
    pub fn export_outbox(&self) -> Result<Vec<u8>, PhoneError> {
        Ok(self.phone.export_outbox()?)
    }

    /// Imports the outbox file of another phone to the server. Waits for the network. A repeat is idempotent.
    pub fn import_outbox_file(&self, file: Vec<u8>) -> Result<(), PhoneError> {
        Ok(self.phone.import_outbox_file(&file)?)
    }

    /// The files that were set aside as damaged and not taken back yet; show that there are some, and call `recover`.
    pub fn set_aside(&self) -> Result<Vec<String>, PhoneError> {
        Ok(self.phone.set_aside()?.iter().map(|path| path.display().to_string()).collect())
    }

    /// Takes back what can be read of the files that were set aside, also what waited to be sent. A repeat changes nothing.
    /// Waits for the network where the phone was enrolled anew since.
    pub fn recover(&self) -> Result<Recovered, PhoneError> {
        Ok(self.phone.recover()?.into())
    }

    /// All lots that this phone holds, as a table (CSV) or, with `as_json`, as a list for programs. Needs no connection.
    pub fn export_lots(&self, as_json: bool) -> Result<String, PhoneError> {
        Ok(self.phone.export_lots(if as_json { ExportForm::Json } else { ExportForm::Csv })?)
    }

    /// Forgets the co-operative and all that this phone holds of it. Fails with `NotDelivered` while it holds changes that the
    /// server does not have; ask, and call again with `with_undelivered`.
    pub fn leave(&self, with_undelivered: bool) -> Result<(), PhoneError> {
        Ok(self.phone.leave(with_undelivered)?)
    }

    /// The status of the sync.
    pub fn status(&self) -> SyncStatus {
        self.phone.status().into()
    }

    /// Starts syncing in the background: after edits, when the network returns, when the server has something new, and every
    /// quarter of an hour. `observer` is notified. A second call replaces the first.
    pub fn start(&self, observer: Arc<dyn PhoneObserver>) -> Result<(), PhoneError> {
        let driver = Driver::start(Arc::clone(&self.phone), Arc::new(Told(observer)))?;
        drop(self.driver.lock().unwrap_or_else(PoisonError::into_inner).replace(driver));
        Ok(())
    }

    /// Stops syncing in the background, after the exchange in progress.
    pub fn stop(&self) {
        drop(self.driver.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    /// Reports whether the platform has a network.
    pub fn set_online(&self, online: bool) {
        self.with_driver(|driver| driver.set_online(online));
    }

    /// Allows the server to nudge this phone at once when there is something new. Disallow it while the app is in the
    /// background, to save battery; the phone still syncs by its timer.
    pub fn set_nudges(&self, allowed: bool) {
        self.with_driver(|driver| driver.set_nudges(allowed));
    }

    /// Asks for a sync in the background now.
    pub fn sync_soon(&self) {
        self.with_driver(Driver::sync_soon);
    }
}
