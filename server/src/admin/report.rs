//! The text of a verification, for an operator.

use crate::maintenance::verify::VerifyReport;
use crate::said::Said;

/// Balances that are listed.
const OPENINGS_MAX: usize = 20;

/// Lines with the counts, then the findings.
pub(crate) fn report(found: &VerifyReport) -> Said {
    let mut lines: Vec<Said> = found.rows.iter().map(|(kind, count)| format!("{count:>10}  {kind}").into()).collect();
    let (documents, format) = (found.documents, found.format);
    lines.push(Said::new(format!("{documents:>10}  documents loaded"), format!("{documents:>10}  份文档读得出来")));
    lines.push(Said::new(format!("the store is of format {format}"), format!("数据是格式 {format}")));
    let findings = found.findings.iter();
    lines.extend(findings.map(|finding| Said::new(format!("WRONG: {finding}"), format!("有错（{finding}）"))));
    if found.more_findings > 0 {
        let more = found.more_findings;
        lines.push(Said::new(format!("and {more} more"), format!("还有 {more} 处")));
    }
    lines.extend(found.openings.iter().take(OPENINGS_MAX).map(Said::of));
    if !found.openings.is_empty() {
        lines.push(Said::new(
            "what arrived late is not in these balances yet; a running server writes them again within the hour",
            "后到的记录还没有算进这些结余；服务器运行时一小时内会重写",
        ));
    }
    let wrong = (found.findings.len() as u64).saturating_add(found.more_findings);
    lines.push(match wrong {
        0 => Said::new("nothing is wrong", "没有发现错误"),
        wrong => Said::new(
            format!("{wrong} findings; stop the server and run `granary repair`, with --backup where there is one"),
            format!("发现 {wrong} 处；请停下服务器，运行 `granary repair`，有备份的加上 --backup"),
        ),
    });
    Said::lines(lines)
}
