//! What an undoing left: the values that somebody wrote since, each with who wrote it.

use granary_client_core::conflicts::WrittenSince;
use granary_client_core::projection::CaseRow;

use super::names::Names;

/// A sentence about each, with the address of its lot.
pub(super) fn words(names: &Names, case: &CaseRow, left: &[WrittenSince]) -> Vec<(String, String)> {
    left.iter().map(|left| (format!("/console/lots/{}", address(case, left)), sentence(names, case, left))).collect()
}

fn address(case: &CaseRow, left: &WrittenSince) -> String {
    left.lot.as_ref().unwrap_or_else(|| case.case.lot()).in_full()
}

fn sentence(names: &Names, case: &CaseRow, left: &WrittenSince) -> String {
    let locale = names.locale();
    let household = names.household(&case.household_name, case.case.lot().household());
    let Some(lot) = &left.lot else { return locale.with("left-since-gone", &[("household", household)]) };
    let mut who: Vec<String> = left.values.iter().map(|value| names.author(value.author().as_ref())).collect();
    who.dedup();
    let lot = format!("{household} · {lot}");
    match left.field.as_str() {
        "merged" => locale.with("left-since-merged", &[("lot", lot)]),
        field => {
            let values: Vec<String> = left.values.iter().map(|value| names.value(field, &value.value)).collect();
            let said = [
                ("lot", lot),
                ("field", locale.of("field", field)),
                ("value", values.join(" / ")),
                ("who", who.join(&locale.t("list-comma"))),
            ];
            locale.with("left-since", &said)
        }
    }
}
