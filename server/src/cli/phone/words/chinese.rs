//! What the terminal phone says, in Chinese.

use granary_client_core::words::{Language, Words};

use super::{Says, as_typed, weight};

impl Words for Says<'_> {
    fn chinese(&self) -> String {
        match self {
            Self::TakenOut => "这部手机已被移出合作社。还可以照样登记，但什么都不会发送。请找协调员把它加回来，或者要一个新的\
                               邀请（`granary phone enrol`）；也可以把记录存成文件（`granary phone carry-out`），用别的手机交上去。"
                .into(),
            Self::StartedAnew => "现在这是一部新手机；请用邀请加入（`granary phone enrol`）".into(),
            Self::NothingLost => "这里没有丢什么，也没有改动什么".into(),
            Self::WhomOneJoins { server, cooperative, role } => {
                format!("服务器：    {server}\n合作社：    {cooperative}\n这部手机是：{role}")
            }
            Self::Joined { cooperative, waiting: 0 } => format!("这部手机现在属于{cooperative}"),
            Self::Joined { cooperative, waiting } => {
                format!("这部手机又属于{cooperative}了；{waiting} 处改动会在下次同步时发送")
            }
            Self::OtherHousehold => "它现在属于另一户。下次同步后，原来那一户的批次会从这部手机上消失：送到的都在服务器上，没送到\
                                     的在服务器上等协调员处理"
                .into(),
            Self::Recorded { lot, typed, grams, product, day } => {
                format!("已登记 {lot}\n  {product}，{}，{day}", as_typed(typed, *grams, Language::Chinese))
            }
            Self::RecordedFor { household } => format!("  替 {household} 登记"),
            Self::NoHouseholds => "这部手机不替任何农户登记".into(),
            Self::Corrected { lot, weight: None } => format!("已改正 {lot}"),
            Self::Corrected { lot, weight: Some((typed, grams)) } => {
                format!("已改正 {lot}\n  {}", as_typed(typed, *grams, Language::Chinese))
            }
            Self::Received { lot, typed, grams, grade, product, day, recorded } => {
                let grade = if grade.is_empty() { String::new() } else { format!("，{grade} 级") };
                let recorded = recorded
                    .map(|recorded| format!("；登记的是 {}", weight(recorded, Language::Chinese)))
                    .unwrap_or_default();
                let weight = as_typed(typed, *grams, Language::Chinese);
                format!("已收货 {lot}\n  {product}，{weight}{grade}，{day}{recorded}")
            }
            Self::SentBack { lot, product, reason } => format!("已退回 {lot}\n  {product}：{reason}"),
            Self::HasReceipt { weighed, grade, reason, day } => {
                let day = day.map(|day| format!("{day} 的")).unwrap_or_default();
                let weighed = weighed.map(|weighed| weight(weighed, Language::Chinese));
                match weighed {
                    Some(weighed) if grade.is_empty() => format!("这一批已有{day}收货记录：{weighed}"),
                    Some(weighed) => format!("这一批已有{day}收货记录：{weighed}，{grade} 级"),
                    None => format!("这一批已有{day}收货记录：退回，{reason}"),
                }
            }
            Self::More { shown, all } => format!(
                "这是 {all} 批中最近的 {shown} 批；`--all` 全部列出，`--day`、`--from`、`--to`、`--product`、`--state` 可以少列一些"
            ),
            Self::NoLots => "没有批次".into(),
            Self::NoQuestions => "没有要回答的问题".into(),
            Self::Asked { questions } => format!("合作社有 {questions} 个关于批次的问题：`granary phone questions`"),
            Self::Answered { waiting } => format!("已经回答；下次同步发出 {waiting} 项改动"),
            Self::Forgotten { documents } => {
                format!("{documents} 份这部手机不能再看的文档已从手机上移走；其中送到的都在服务器上")
            }
            Self::Erased { documents } => {
                format!("合作社彻底抹去了 {documents} 份文档：已从这部手机上移走，服务器上也没有了")
            }
            Self::NothingToCarry => "这部手机上没有等着发送的，所以没有写文件".into(),
            Self::CarriedOut { file, changes, is_revoked: false } => format!(
                "{} 里有等着发送的 {changes} 处改动；合作社里任何一部有网络的手机都可以交上去（`granary phone hand-in`）。\
                 在这部手机自己同步之前，这里也还留着",
                file.display()
            ),
            Self::CarriedOut { file, changes, is_revoked: true } => format!(
                "{} 里有等着的 {changes} 处改动；合作社里别的手机可以交上去（`granary phone hand-in`）。因为这部手机已被移出，\
                 它们会在服务器上等协调员收下",
                file.display()
            ),
            Self::HandedIn { file } => format!(
                "已交上 {}：全部都在服务器上了。那部手机可以写的会收下；其余的，比如已被移出的手机的全部记录，要等协调员在控制台的\
                 “搁置”里收下",
                file.display()
            ),
            Self::Exported { file, lots } => format!("{} 里有这部手机上全部 {lots} 批", file.display()),
            Self::Alone { unsent, undelivered, is_revoked } => {
                let mut said = Vec::new();
                if *unsent > 0 {
                    let way = match is_revoked {
                        true => "这部手机已被移出，发不出去；请先导出成文件",
                        false => "请先同步，或导出成文件",
                    };
                    said.push(format!(
                        "有 {unsent} 处改动只在这部手机上，离开就会删除。{way}（`granary phone carry-out`），不然合作社就得不到了。"
                    ));
                }
                if *undelivered > 0 {
                    said.push(format!(
                        "有 {undelivered} 处改动被搁置，还没有收下。离开以后，只有服务器上有的那些还能由协调员收下。"
                    ));
                }
                said.join("\n")
            }
            Self::Left { cooperative } => format!("这部手机不再属于{cooperative}，也不再存有它的任何东西"),
            Self::TakenBack { file } => format!("已找回：{}", file.display()),
            Self::LeftAside { file } => format!("看不出是谁的，所以原样留着：{}", file.display()),
            Self::Unreadable { file } => format!("什么都读不出来，所以原样留着：{}", file.display()),
            Self::NothingSetAside => "没有存下的坏文件".into(),
            Self::NothingTakenBack => "什么也没有找回".into(),
            Self::Recovered { changes, unsent } => format!("有 {changes} 处改动原来不在这里；{unsent} 处等着再次发送"),
            Self::Belongs { cooperative, roles, is_revoked: false } => format!("这部手机属于{cooperative}，身份：{roles}"),
            Self::Belongs { cooperative, roles, is_revoked: true } => {
                format!("这部手机原来属于{cooperative}，身份：{roles}；已被移出")
            }
            Self::BelongsToNobody => "这部手机还不属于合作社".into(),
            Self::Waiting { changes, is_revoked: false } => format!("等着发送：{changes}"),
            Self::Waiting { changes, is_revoked: true } => format!("等在这部手机上：{changes}（被移出期间什么都不发送）"),
            Self::HeldBack { sentence } => format!("暂不发送：{sentence}"),
            Self::NotTakenIn { changes } => format!(
                "没有收下：{changes}（可由协调员收下；`list` 会标出这些批次）"
            ),
            Self::LastSync { at: None } => "上次同步：从来没有".into(),
            Self::LastSync { at: Some(at) } => format!("上次同步：{}（北京时间）", at.in_china()),
            Self::Traffic { up, down } => format!("已发送 {up} 字节，已收到 {down} 字节"),
            Self::LastError { sentence } => format!("上次出错：{sentence}"),
            Self::WrongDate { shown, today } => {
                format!("这部手机的日期是 {shown}，服务器说今天是 {today}：请设置手机的日期。")
            }
            Self::QuarantinedBecause { sentence } => format!("已搁置：{sentence}"),
            Self::SetAsideFile { file } => {
                format!("存下的坏文件：{}（`granary phone recover` 找回能读的）", file.display())
            }
            Self::Arrived { documents } => format!("{documents} 份文档有变化；最近的批次："),
        }
    }
}
