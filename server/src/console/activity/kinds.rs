//! The kinds by which the activity is filtered: of what documents tell, each for itself; of the audit's actions, a few together.

/// What a filter can say.
pub(super) const ALL: [&str; 17] = [
    "price",
    "product",
    "promotion",
    "payment",
    "household",
    "cooperative",
    "order",
    "decision",
    "lot",
    "receipt",
    "stock",
    "phones",
    "accounts",
    "api",
    "apart",
    "files",
    "erased",
];

/// The actions of the audit by the kind that a filter says.
const ACTIONS: [(&str, &[&str]); 6] = [
    ("phones", &["invited", "invitation-withdrawn", "enrolled", "reinstated", "granted", "revoked"]),
    (
        "accounts",
        &[
            "signed-in",
            "sign-in-failed",
            "signed-out",
            "session-ended",
            "account-made",
            "password-changed",
            "second-factor-set",
            "second-factor-cleared",
            "second-factor-demanded",
            "coordinator-removed",
        ],
    ),
    ("api", &["api-key-made", "api-key-revoked", "webhook-set", "webhook-removed"]),
    ("apart", &["taken-in", "left-out", "dropped", "found-right", "reclaimed"]),
    ("files", &["exported", "imported", "told-backwards"]),
    ("erased", &["erased"]),
];

/// The kinds of rows that a filter means; none for all.
pub(super) fn within(kind: &str) -> Vec<String> {
    let actions = ACTIONS.iter().find(|(name, _)| *name == kind).map(|(_, actions)| *actions);
    let kinds = actions.unwrap_or(if ALL.contains(&kind) { std::slice::from_ref(&kind) } else { &[] });
    kinds.iter().map(|kind| (*kind).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use granary_client_core::schema::deeds::DeedKind;

    #[test]
    fn every_kind_of_row_is_within_one_filter() {
        let source = include_str!("../../access/audit.rs");
        let lines = source.lines().filter(|line| line.trim().starts_with("Self::"));
        let actions = lines.filter_map(|line| line.split("=> \"").nth(1)?.split('"').next());
        let kinds: Vec<&str> = actions.chain(DeedKind::ALL.map(DeedKind::name)).collect();
        assert!(kinds.len() > 20, "{kinds:?}");
        for kind in kinds {
            let filters = ALL.iter().filter(|filter| within(filter).iter().any(|within| within == kind)).count();
            assert_eq!(filters, 1, "{kind}");
        }
        assert!(within("").is_empty() && within("nonsense").is_empty());
    }
}
