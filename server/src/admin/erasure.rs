//! What an erasure takes and leaves, for the operator.

use granary_client_core::words::counted;

use crate::engine::erasure::ErasurePlan;
use crate::said::Said;

/// What would be erased, without `--yes`.
pub(super) fn planned(plan: &ErasurePlan) -> Said {
    let mut lines = vec![Said::new("This would be erased for good:", "将永久抹去：")];
    lines.extend(what_goes(plan));
    lines.extend(what_stays(plan));
    if plan.advances > 0 {
        let advances = plan.advances;
        lines.push(Said::new(
            format!(
                "It holds {}. Accounts are kept by law: write that down before (`granary export`).",
                counted(advances, "advance", "advances")
            ),
            format!("其中有 {advances} 笔预付款。账目依法要保存：请先抄下来（`granary export`）。"),
        ));
    }
    lines.push(Said::new(
        "Nothing was done. With --yes it is erased; there is no way back.",
        "什么也没有做。加上 --yes 才会抹去，抹去后不能恢复。",
    ));
    Said::lines(lines)
}

/// What is said where names went with whoever left.
pub(super) fn names_gone() -> Said {
    Said::new(
        "The name is erased: the mark of the id stands where it stood, in lists, exports and later backups. Start the server \
         anew: it then writes its store anew, without what lies in free places of its files. Earlier backup files hold the \
         name until they are dropped (--keep) or deleted.",
        "名字已抹去：在名单、导出和以后的备份里，原来的地方只有编号的标记。请重新启动服务器：它会把数据重新写一遍，不再带着文件\
         空闲处的残余。早先的备份文件里还有这个名字，直到被淘汰（--keep）或删除。",
    )
}

/// What was erased.
pub(super) fn done(plan: &ErasurePlan) -> Said {
    let mut lines = vec![Said::new("Erased for good:", "已永久抹去：")];
    lines.extend(what_goes(plan));
    lines.extend(what_stays(plan));
    for (device, _) in plan.phones.iter().filter(|(_, may_act)| *may_act) {
        lines.push(Said::new(
            format!("Phone {device} may still sync; `granary revoke {device}` ends it."),
            format!("手机 {device} 还可以同步；`granary revoke {device}` 停用它。"),
        ));
    }
    lines.push(Said::new(
        "Phones forget it at their next sync; one that never syncs again keeps it.",
        "手机下次同步时会移走它；再也不同步的手机会留着。",
    ));
    lines.push(Said::new(
        "Start the server anew: it then writes its store anew, without what lies in free places of its files.",
        "请重新启动服务器：它会把数据重新写一遍，不再带着文件空闲处的残余。",
    ));
    lines.push(Said::new(
        "Earlier backup files hold it until they are dropped (--keep) or deleted; the next run writes a whole file.",
        "早先的备份文件里还有它，直到被淘汰（--keep）或删除；下一次备份会写一个完整的文件。",
    ));
    Said::lines(lines)
}

fn what_goes(plan: &ErasurePlan) -> impl Iterator<Item = Said> {
    let documents = plan.documents.iter().map(|(key, changes)| {
        Said::new(format!("  {key}: {}", counted(changes, "change", "changes")), format!("  {key}：{changes} 处改动"))
    });
    documents.chain(
        plan.phones
            .iter()
            .map(|(device, _)| Said::new(format!("  the name of phone {device}"), format!("  手机 {device} 的名字"))),
    )
}

fn what_stays(plan: &ErasurePlan) -> Vec<Said> {
    if plan.remaining.is_empty() {
        return Vec::new();
    }
    let remaining = plan.remaining.iter().map(|key| Said::from(format!("  {key}")));
    std::iter::once(Said::new("This stays, with ids and amounts:", "这些留着，带编号和数量："))
        .chain(remaining)
        .collect()
}
