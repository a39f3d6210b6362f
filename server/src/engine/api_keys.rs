//! API keys: making, listing, revoking, and who shows one. All of them are in memory, since each request of a shop's program asks.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError, RwLock};

use granary_client_core::protocol::messages::{read_message, write_message};
use granary_client_core::quantities::Instant;
use granary_client_core::store::{Store, StoreFault};

use super::Granary;
use super::audit::put_line;
use crate::access::api_keys::{ApiKey, ApiKeyLine, ApiKeyRecord, KEYS_MAX, KeyDraft, KeyId, hash_of, id_in, new_key};
use crate::access::key_marks::KeyMarks;
use crate::access::{AuditAction, Principal};
use crate::error::Error;
use crate::log::CooperativeNumber;
use crate::log::keys::{GLOBAL, key, rest_u64};

/// What is kept in memory of all keys.
pub(super) struct ApiKeys {
    known: RwLock<BTreeMap<KeyId, ApiKeyRecord>>,
    /// When each was last used, and whether the store has it.
    used: Mutex<BTreeMap<KeyId, (Instant, bool)>>,
    marks: KeyMarks,
}

fn record_key(id: KeyId) -> Vec<u8> {
    key(GLOBAL, b'K', &id.0.to_be_bytes())
}

fn used_key(number: CooperativeNumber, id: KeyId) -> Vec<u8> {
    key(number, b't', &[b"u".as_slice(), &id.0.to_be_bytes()].concat())
}

impl ApiKeys {
    /// Reads what the store has. `folder` has the marks of revoked ones.
    pub(super) fn open(store: &dyn Store, folder: &Path) -> Result<Self, Error> {
        let (mut known, mut used) = (BTreeMap::new(), BTreeMap::new());
        for row in store.scan_all(&key(GLOBAL, b'K', &[]))? {
            let record = row.value.as_deref().and_then(|value| read_message::<ApiKeyRecord>(value).ok());
            let (id, record) = rest_u64(&row.key).map(KeyId).zip(record).ok_or(StoreFault::Damaged(row.key))?;
            // When it was used is no more than a hint.
            let at = store.get(&used_key(record.cooperative, id)).ok().flatten();
            if let Some(at) = at.and_then(|bytes| Some(i64::from_be_bytes(bytes.try_into().ok()?))) {
                used.insert(id, (Instant(at), true));
            }
            known.insert(id, record);
        }
        Ok(Self { known: RwLock::new(known), used: Mutex::new(used), marks: KeyMarks::open(folder)? })
    }

    fn is_over(&self, id: KeyId, record: &ApiKeyRecord) -> bool {
        record.revoked_millis.is_some() || self.marks.has(id)
    }
}

impl Granary {
    /// Makes a key; gives its text, which nobody can learn again.
    pub fn add_api_key(
        &self,
        by: Principal,
        number: CooperativeNumber,
        draft: KeyDraft,
        now: Instant,
    ) -> Result<(KeyId, String), Error> {
        let draft = draft.checked()?;
        let cooperative = self.cooperative(number)?;
        let of_this = |record: &&ApiKeyRecord| record.cooperative == number && record.revoked_millis.is_none();
        let count = self.api_keys.known.read().unwrap_or_else(PoisonError::into_inner).values().filter(of_this).count();
        if count >= KEYS_MAX {
            let said = ("there are too many keys; revoke those that nobody uses", "密钥太多；请停用没人用的");
            return Err(Error::invalid("key", said));
        }
        let id = KeyId(u64::from_be_bytes(self.random()?));
        let text = new_key(id, self.random()?);
        let record = ApiKeyRecord {
            cooperative: number,
            hash: hash_of(&text),
            name: draft.name,
            platform: draft.platform,
            shop: draft.shop,
            scopes: draft.scopes,
            made_millis: now.0,
            by: by.id(),
            revoked_millis: None,
        };
        let stored = record.clone();
        self.write(move |group| {
            if let Err(denied) = by.must_coordinate(&cooperative) {
                return Ok(Err(denied));
            }
            group.put_visible(record_key(id), write_message(&stored));
            let scopes = stored.scopes.iter().map(|scope| scope.name()).collect::<Vec<_>>().join(" ");
            let detail = format!("{id} {}/{} {scopes}", stored.platform, stored.shop);
            put_line(&cooperative, group, now, &by.id(), AuditAction::ApiKeyMade, &detail);
            Ok(Ok(()))
        })??;
        self.api_keys.known.write().unwrap_or_else(PoisonError::into_inner).insert(id, record);
        Ok((id, text))
    }

    /// The keys of a co-operative, the newest first, revoked ones too.
    pub fn list_api_keys(&self, number: CooperativeNumber) -> Vec<ApiKeyLine> {
        let used = self.api_keys.used.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let known = self.api_keys.known.read().unwrap_or_else(PoisonError::into_inner);
        let mut lines: Vec<ApiKeyLine> = known
            .iter()
            .filter(|(_, record)| record.cooperative == number)
            .map(|(id, record)| ApiKeyLine {
                id: *id,
                name: record.name.clone(),
                platform: record.platform.clone(),
                shop: record.shop.clone(),
                scopes: record.scopes.clone(),
                made: Instant(record.made_millis),
                by: record.by.clone(),
                last_used: used.get(id).map(|(at, _)| *at),
                revoked: record
                    .revoked_millis
                    .or_else(|| self.api_keys.marks.has(*id).then_some(record.made_millis))
                    .map(Instant),
            })
            .collect();
        lines.sort_by_key(|line| std::cmp::Reverse((line.revoked.is_none(), line.made)));
        lines
    }

    /// Revokes a key: from now on no request with it is answered, and its webhooks are sent nothing more.
    pub fn revoke_api_key(
        &self,
        by: Principal,
        number: CooperativeNumber,
        id: KeyId,
        now: Instant,
    ) -> Result<(), Error> {
        let cooperative = self.cooperative(number)?;
        by.must_coordinate(&cooperative)?;
        let missing = || Error::NotFound { what: "key", name: id.to_string() };
        let known = self.api_keys.known.read().unwrap_or_else(PoisonError::into_inner).get(&id).cloned();
        let mut record = known.filter(|record| record.cooperative == number).ok_or_else(missing)?;
        if self.api_keys.is_over(id, &record) {
            return Ok(());
        }
        record.revoked_millis = Some(now.0);
        let stored = record.clone();
        // The mark first: a crash between the two leaves a key that is revoked.
        self.api_keys.marks.note(id)?;
        self.write(move |group| {
            group.put_visible(record_key(id), write_message(&stored));
            put_line(&cooperative, group, now, &by.id(), AuditAction::ApiKeyRevoked, &id.to_string());
            Ok(())
        })?;
        self.api_keys.known.write().unwrap_or_else(PoisonError::into_inner).insert(id, record);
        Ok(())
    }

    /// The key that this text is; none for an unknown, a wrong and a revoked one alike, after the same work.
    pub(crate) fn api_key(&self, text: &str, now: Instant) -> Option<ApiKey> {
        let (hash, id) = (hash_of(text), id_in(text).unwrap_or(KeyId(0)));
        let known = self.api_keys.known.read().unwrap_or_else(PoisonError::into_inner).get(&id).cloned();
        // Hashes are compared, so how far two are alike says nothing of the secret.
        let record = known.filter(|record| record.hash == hash && !self.api_keys.is_over(id, record))?;
        self.api_keys.used.lock().unwrap_or_else(PoisonError::into_inner).insert(id, (now, false));
        let ApiKeyRecord { cooperative, platform, shop, scopes, .. } = record;
        Some(ApiKey { id, cooperative, platform, shop, scopes })
    }

    /// True while a key may act.
    pub(crate) fn is_api_key_open(&self, id: KeyId) -> bool {
        let known = self.api_keys.known.read().unwrap_or_else(PoisonError::into_inner);
        known.get(&id).is_some_and(|record| !self.api_keys.is_over(id, record))
    }

    /// Writes when keys were last used. Called at intervals and at the stop.
    pub(crate) fn write_keys_used(&self) -> Result<(), Error> {
        let unsaved: Vec<(KeyId, Instant)> = {
            let mut used = self.api_keys.used.lock().unwrap_or_else(PoisonError::into_inner);
            let unsaved = used.iter_mut().filter(|(_, (_, is_saved))| !is_saved);
            unsaved
                .map(|(id, (at, is_saved))| {
                    *is_saved = true;
                    (*id, *at)
                })
                .collect()
        };
        if unsaved.is_empty() {
            return Ok(());
        }
        let rows: Vec<(Vec<u8>, Vec<u8>)> = {
            let known = self.api_keys.known.read().unwrap_or_else(PoisonError::into_inner);
            let row = |(id, at): (KeyId, Instant)| {
                let number = known.get(&id)?.cooperative;
                Some((used_key(number, id), at.0.to_be_bytes().to_vec()))
            };
            unsaved.into_iter().filter_map(row).collect()
        };
        self.write(move |group| {
            rows.into_iter().for_each(|(key, value)| group.put(key, value));
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use granary_client_core::store::MemoryStore;

    use super::*;
    use crate::access::api_keys::Scope;

    fn draft() -> KeyDraft {
        KeyDraft {
            name: "bridge".into(),
            platform: "douyin".into(),
            shop: "east".into(),
            scopes: [Scope::OrdersWrite].into(),
        }
    }

    #[test]
    fn key_works_until_it_is_revoked_also_in_an_older_store() {
        let folder = tempfile::tempdir().unwrap();
        let fail = |fault| panic!("{fault}");
        let store = Arc::new(MemoryStore::default());
        let granary = Granary::open(store.clone(), folder.path(), None, fail).unwrap();
        let coop = granary.create_cooperative("Linxian", Instant(0)).unwrap();
        let other = granary.create_cooperative("Other", Instant(0)).unwrap();
        let (id, text) = granary.add_api_key(Principal::Operator, coop, draft(), Instant(5)).unwrap();
        assert!(text.starts_with("grn_"), "{text}");
        let key = granary.api_key(&text, Instant(9)).unwrap();
        assert_eq!((key.id, key.cooperative, key.shop.as_str()), (id, coop, "east"));
        assert_eq!(
            granary.api_key(&format!("{}0", &text[..text.len() - 1]), Instant(9)).is_some(),
            text.ends_with('0')
        );
        assert!(granary.list_api_keys(other).is_empty());
        assert!(granary.revoke_api_key(Principal::Operator, other, id, Instant(9)).is_err(), "another's");
        granary.write_keys_used().unwrap();
        let before = store.scan_all(&[]).unwrap();
        assert!(before.iter().all(|row| {
            let secret = text.rsplit('_').next().unwrap().as_bytes();
            !row.value.as_deref().unwrap_or_default().windows(secret.len()).any(|part| part == secret)
        }));
        granary.revoke_api_key(Principal::Operator, coop, id, Instant(10)).unwrap();
        assert!(granary.api_key(&text, Instant(11)).is_none());
        let lines = granary.audit_log(coop, 10).unwrap();
        let actions: Vec<_> = lines.iter().map(|line| line.action.name()).collect();
        assert!(actions.contains(&"api-key-made") && actions.contains(&"api-key-revoked"), "{actions:?}");
        drop(granary);

        let older = Arc::new(MemoryStore::default());
        let mut batch = granary_client_core::store::Batch::default();
        before.into_iter().for_each(|row| batch.put(row.key, row.value.unwrap()));
        older.apply(&batch).unwrap();
        let granary = Granary::open(older, folder.path(), None, fail).unwrap();
        assert!(granary.api_key(&text, Instant(12)).is_none(), "the mark holds in an older store");
        let line = granary.list_api_keys(coop).remove(0);
        assert!(line.revoked.is_some() && line.last_used == Some(Instant(9)), "{line:?}");
    }
}
