//! What an erasure takes and leaves, for the operator.

use crate::engine::erasure::ErasurePlan;

/// What would be erased, without `--yes`.
pub(super) fn planned(plan: &ErasurePlan) -> String {
    let mut lines = vec!["This would be erased for good:".to_owned()];
    lines.extend(what_goes(plan));
    lines.extend(what_stays(plan));
    if plan.advances > 0 {
        lines.push(format!(
            "It holds {} advances. Accounts are kept by law: write them down before (`granary export`).",
            plan.advances
        ));
    }
    lines.push("Nothing was done. With --yes it is erased; there is no way back.".to_owned());
    lines.join("\n")
}

/// What is said where names went with whoever left.
pub(super) const NAMES_GONE: &str = "The name is erased: the mark of the id stands where it stood, in lists, exports and later \
backups. Start the server anew: it then writes its store anew, without what lies in free places of its files. Earlier backup \
files hold the name until they are dropped (--keep) or deleted.";

/// What was erased.
pub(super) fn done(plan: &ErasurePlan) -> String {
    let mut lines = vec!["Erased for good:".to_owned()];
    lines.extend(what_goes(plan));
    lines.extend(what_stays(plan));
    for (device, _) in plan.phones.iter().filter(|(_, may_act)| *may_act) {
        lines.push(format!("Phone {device} may still sync; `granary revoke {device}` ends it."));
    }
    lines.push("Phones forget it at their next sync; one that never syncs again keeps it.".to_owned());
    lines.push(
        "Start the server anew: it then writes its store anew, without what lies in free places of its files."
            .to_owned(),
    );
    lines.push(
        "Earlier backup files hold it until they are dropped (--keep) or deleted; the next run writes a whole file."
            .to_owned(),
    );
    lines.join("\n")
}

fn what_goes(plan: &ErasurePlan) -> impl Iterator<Item = String> {
    let documents = plan.documents.iter().map(|(key, changes)| format!("  {key}: {changes} changes"));
    documents.chain(plan.phones.iter().map(|(device, _)| format!("  the name of phone {device}")))
}

fn what_stays(plan: &ErasurePlan) -> Vec<String> {
    if plan.remaining.is_empty() {
        return Vec::new();
    }
    let remaining = plan.remaining.iter().map(|key| format!("  {key}"));
    std::iter::once("This stays, with ids and amounts:".to_owned()).chain(remaining).collect()
}
