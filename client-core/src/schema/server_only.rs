//! What only the server decides: it counts where the change's author is the server's own device. Anybody who may write the document
//! can write such a field too; that is ignored, and told.

use automerge::{AutoCommit, ObjId, ReadDoc, ScalarValue};

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
