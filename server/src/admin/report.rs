//! The text of a verification, for an operator.

use crate::maintenance::verify::VerifyReport;

/// Lines with the counts, then the findings.
pub(crate) fn report(found: &VerifyReport) -> String {
    let mut lines: Vec<String> = found.rows.iter().map(|(kind, count)| format!("{count:>10}  {kind}")).collect();
    lines.push(format!("{:>10}  documents loaded", found.documents));
    lines.push(format!("the store is of format {}", found.format));
    lines.extend(found.findings.iter().map(|finding| format!("WRONG: {finding}")));
    if found.more_findings > 0 {
        lines.push(format!("and {} more", found.more_findings));
    }
    let wrong = found.findings.len() as u64;
    lines.push(match wrong.saturating_add(found.more_findings) {
        0 => "nothing is wrong".to_owned(),
        wrong => {
            format!("{wrong} findings; stop the server and run `granary repair`, with --backup where there is one")
        }
    });
    lines.join("\n")
}
