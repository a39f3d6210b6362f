//! What only the server decides: it counts where the change's author is the server's own device. Anybody who may write the document
//! can write such a field too; that is ignored, and told.

use automerge::transaction::Transactable;
use automerge::{AutoCommit, ObjId, ObjType, ROOT, ReadDoc, ScalarValue};

use super::key::DocumentKind;
use super::view::part;
use crate::crdt::DocumentFault;
use crate::ids::{ActorId, DeviceId};
use crate::words::Phrase;

/// A field that only the server may write, with a value that somebody else wrote.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Trespass {
    /// The field, such as `over`.
    pub field: &'static str,
    /// Who wrote it; none where that can't be read.
    pub actor: Option<ActorId>,
}

/// What people call a [`Trespass`].
pub const TRESPASS: Phrase = Phrase::new("written-by-others", "written by someone who may not", "由无权的人写入");

/// The values of a field that the server wrote, the shown one last. What others wrote is added to `trespasses`.
pub(crate) fn server_values(
    automerge: &AutoCommit,
    object: &ObjId,
    (field, key): (&'static str, &str),
    server: DeviceId,
    trespasses: &mut Vec<Trespass>,
) -> Vec<ScalarValue> {
    let mut own = Vec::new();
    for (value, id) in automerge.get_all(object, key).unwrap_or_default() {
        let actor = match &id {
            ObjId::Id(_, actor, _) => ActorId::from_bytes(actor.to_bytes()),
            ObjId::Root => None,
        };
        if actor.as_ref().and_then(ActorId::device) == Some(server) {
            // An object reads as nothing: the server writes none here.
            own.push(value.as_scalar().cloned().unwrap_or(ScalarValue::Null));
            continue;
        }
        let trespass = Trespass { field, actor };
        if !trespasses.contains(&trespass) {
            trespasses.push(trespass);
        }
    }
    own
}

/// Takes out what others wrote into fields that are the server's: its own value stands alone then, or none where it wrote none. For
/// the server's device; a copy of it that somebody else wrote would be the same trespass. Gives whether there was any.
pub fn reclaim(automerge: &mut AutoCommit, kind: DocumentKind, server: DeviceId) -> Result<bool, DocumentFault> {
    let mut places: Vec<(ObjId, String)> = Vec::new();
    match kind {
        DocumentKind::Order => {
            let is_own = |key: &String| key.starts_with("over/") || key == "allocation";
            places.extend(automerge.keys(ROOT).filter(is_own).map(|key| (ROOT, key)));
        }
        DocumentKind::Stream => {
            if let Some(map) = part(automerge, "served", ObjType::Map) {
                places.extend(automerge.keys(&map).map(|key| (map.clone(), key)));
            }
            places.push((ROOT, "minutes".to_owned()));
        }
        _ => {}
    }
    let mut is_any = false;
    for (object, key) in places {
        let mut foreign = Vec::new();
        let own = server_values(automerge, &object, ("", &key), server, &mut foreign);
        if foreign.is_empty() {
            continue;
        }
        is_any = true;
        match own.last() {
            Some(value) => automerge.put(&object, &key, value.clone())?,
            None => automerge.delete(&object, &key)?,
        }
    }
    Ok(is_any)
}
