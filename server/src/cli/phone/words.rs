//! What the terminal phone says, in both languages. Errors have their own sentences.

use std::fmt::{Display, Formatter};
use std::path::Path;

use granary_client_core::quantities::{Day, Grams, Instant};
use granary_client_core::words::{Language, Words, counted};

/// See the module.
pub(super) enum Says<'a> {
    /// Shown with every command of a phone that was revoked.
    TakenOut,
    StartedAnew,
    NothingLost,
    WhomOneJoins {
        server: &'a str,
        cooperative: &'a str,
        role: &'a str,
    },
    Joined {
        cooperative: &'a str,
        waiting: u64,
    },
    OtherHousehold,
    Recorded {
        lot: &'a str,
        typed: &'a str,
        grams: Grams,
        product: &'a str,
        day: Day,
    },
    RecordedFor {
        household: &'a str,
    },
    NoHouseholds,
    Corrected {
        lot: &'a str,
        weight: Option<(&'a str, Grams)>,
    },
    Received {
        lot: &'a str,
        typed: &'a str,
        grams: Grams,
        grade: &'a str,
        product: &'a str,
        day: Day,
        recorded: Option<Grams>,
    },
    SentBack {
        lot: &'a str,
        product: &'a str,
        reason: &'a str,
    },
    HasReceipt {
        weighed: Option<Grams>,
        grade: &'a str,
        reason: &'a str,
        day: Option<Day>,
    },
    More {
        shown: usize,
        all: u64,
    },
    NoLots,
    NoQuestions,
    Asked {
        questions: u64,
    },
    Answered {
        waiting: u64,
    },
    Forgotten {
        documents: usize,
    },
    Erased {
        documents: usize,
    },
    NothingToCarry,
    CarriedOut {
        file: &'a Path,
        changes: u64,
        is_revoked: bool,
    },
    HandedIn {
        file: &'a Path,
    },
    Exported {
        file: &'a Path,
        lots: u64,
    },
    Alone {
        unsent: u64,
        undelivered: u64,
        is_revoked: bool,
    },
    Left {
        cooperative: &'a str,
    },
    TakenBack {
        file: &'a Path,
    },
    LeftAside {
        file: &'a Path,
    },
    Unreadable {
        file: &'a Path,
    },
    NothingSetAside,
    NothingTakenBack,
    Recovered {
        changes: u64,
        unsent: u64,
    },
    Belongs {
        cooperative: &'a str,
        roles: &'a str,
        is_revoked: bool,
    },
    BelongsToNobody,
    Waiting {
        changes: u64,
        is_revoked: bool,
    },
    HeldBack {
        sentence: &'a str,
    },
    NotTakenIn {
        changes: u64,
    },
    LastSync {
        at: Option<Instant>,
    },
    Traffic {
        up: u64,
        down: u64,
    },
    LastError {
        sentence: &'a str,
    },
    WrongDate {
        shown: Day,
        today: Day,
    },
    QuarantinedBecause {
        sentence: &'a str,
    },
    SetAsideFile {
        file: &'a Path,
    },
    Arrived {
        documents: usize,
    },
}

/// A weight with its unit in a language.
pub(super) fn weight(grams: Grams, language: Language) -> String {
    match language {
        Language::Chinese => grams.to_string().replace(" kg", " 公斤"),
        Language::English => grams.to_string(),
    }
}

/// What was typed, where that says something that the weight does not.
fn as_typed(typed: &str, grams: Grams, language: Language) -> String {
    let plain = |text: &str| text.split_whitespace().collect::<String>().to_lowercase();
    let shown = weight(grams, language);
    match plain(typed) == plain(&shown) {
        true => shown,
        false => match language {
            Language::Chinese => format!("{shown}（您写的是 {typed}）"),
            Language::English => format!("{shown} (you typed {typed})"),
        },
    }
}

impl Display for Says<'_> {
    fn fmt(&self, out: &mut Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TakenOut => out.write_str(
                "THIS PHONE WAS TAKEN OUT OF THE CO-OPERATIVE. It goes on recording, and nothing is sent. Ask a coordinator to \
                 take it back in, or for a new invitation (`granary phone enrol`); or write its work into a file (`granary \
                 phone carry-out`), which any other phone can hand in.",
            ),
            Self::StartedAnew => out.write_str("this is a new phone now; join with an invitation (`granary phone enrol`)"),
            Self::NothingLost => out.write_str("nothing is lost here, and nothing was changed"),
            Self::WhomOneJoins { server, cooperative, role } => {
                write!(out, "server:        {server}\nco-operative:  {cooperative}\nthis phone as: {role}")
            }
            Self::Joined { cooperative, waiting: 0 } => write!(out, "this phone belongs to {cooperative} now"),
            Self::Joined { cooperative, waiting } => {
                let waiting = counted(waiting, "change goes", "changes go");
                write!(out, "this phone belongs to {cooperative} again; {waiting} out with the next sync")
            }
            Self::OtherHousehold => out.write_str(
                "it belongs to another household than before. With the next sync the former household's lots leave this phone: \
                 those that were delivered are on the server, and what was not waits there for a coordinator",
            ),
            Self::Recorded { lot, typed, grams, product, day } => {
                write!(out, "recorded {lot}\n  {product}, {}, {day}", as_typed(typed, *grams, Language::English))
            }
            Self::RecordedFor { household } => write!(out, "  for {household}"),
            Self::NoHouseholds => out.write_str("this phone records for no household"),
            Self::Corrected { lot, weight: None } => write!(out, "corrected {lot}"),
            Self::Corrected { lot, weight: Some((typed, grams)) } => {
                write!(out, "corrected {lot}\n  {}", as_typed(typed, *grams, Language::English))
            }
            Self::Received { lot, typed, grams, grade, product, day, recorded } => {
                let grade = if grade.is_empty() { String::new() } else { format!(", grade {grade}") };
                let recorded = recorded.map(|recorded| format!("; recorded as {recorded}")).unwrap_or_default();
                let weight = as_typed(typed, *grams, Language::English);
                write!(out, "received {lot}\n  {product}, {weight}{grade}, {day}{recorded}")
            }
            Self::SentBack { lot, product, reason } => write!(out, "sent back {lot}\n  {product}: {reason}"),
            Self::HasReceipt { weighed, grade, reason, day } => {
                let day = day.map(|day| format!(" of {day}")).unwrap_or_default();
                match weighed {
                    Some(weighed) if grade.is_empty() => write!(out, "this lot has a receipt{day}: {weighed}"),
                    Some(weighed) => write!(out, "this lot has a receipt{day}: {weighed}, grade {grade}"),
                    None => write!(out, "this lot has a receipt{day}: sent back, {reason}"),
                }
            }
            Self::More { shown, all } => write!(
                out,
                "these are {shown} of {}, latest first; `--all` lists all, `--day`, `--from`, `--to`, `--product` and \
                 `--state` fewer",
                counted(all, "lot", "lots")
            ),
            Self::NoLots => out.write_str("no lots"),
            Self::NoQuestions => out.write_str("nothing is asked"),
            Self::Asked { questions: 1 } => {
                out.write_str("the co-operative asks about one lot: `granary phone questions`")
            }
            Self::Asked { questions } => {
                write!(out, "the co-operative asks {questions} questions about lots: `granary phone questions`")
            }
            Self::Answered { waiting } => {
                write!(out, "answered; {} out with the next sync", counted(waiting, "change goes", "changes go"))
            }
            Self::Forgotten { documents } => write!(
                out,
                "{}; what was delivered is on the server",
                counted(
                    documents,
                    "document that this phone may not read any more has left it",
                    "documents that this phone may not read any more have left it"
                )
            ),
            Self::Erased { documents } => write!(
                out,
                "{} erased for good, by the co-operative: this phone and the server have nothing of that any more",
                counted(documents, "document was", "documents were")
            ),
            Self::NothingToCarry => out.write_str("nothing waits on this phone, so no file was written"),
            Self::CarriedOut { file, changes, is_revoked: false } => write!(
                out,
                "{} holds what waits, {}; any phone of the co-operative with a line can hand it in (`granary phone hand-in`). \
                 It stays here as well, until this phone itself syncs",
                file.display(),
                counted(changes, "change", "changes")
            ),
            Self::CarriedOut { file, changes, is_revoked: true } => write!(
                out,
                "{} holds what waits, {}; any other phone of the co-operative can hand it in (`granary phone hand-in`). Since \
                 this phone was taken out, it waits on the server until a coordinator takes it in",
                file.display(),
                counted(changes, "change", "changes")
            ),
            Self::HandedIn { file } => write!(
                out,
                "handed in {}: all of it is on the server. What its phone may write is taken in; the rest, such as all of a \
                 phone that was taken out, waits until a coordinator takes it in (\"Set aside\" in the console)",
                file.display()
            ),
            Self::Exported { file, lots } => {
                let lots = counted(lots, "lot", "lots");
                write!(out, "{} holds all of this phone: {lots}", file.display())
            },
            Self::Alone { unsent, undelivered, is_revoked } => {
                if *unsent > 0 {
                    let way = match is_revoked {
                        true => "This phone was taken out and can't send them; carry them out as a file first",
                        false => "Sync first, or carry them out as a file",
                    };
                    write!(
                        out,
                        "{} on this phone alone, and leaving deletes that. {way} (`granary phone carry-out`), or it is lost to \
                         the co-operative.",
                        counted(unsent, "change is", "changes are")
                    )?;
                }
                if *undelivered > 0 {
                    let gap = if *unsent > 0 { "\n" } else { "" };
                    write!(
                        out,
                        "{gap}{} set aside and not taken in. Once this phone has left, only what the server has of that can \
                         still be taken in, by a coordinator.",
                        counted(undelivered, "change was", "changes were")
                    )?;
                }
                Ok(())
            }
            Self::Left { cooperative } => {
                write!(out, "this phone does not belong to {cooperative} any more, and holds nothing of it")
            }
            Self::TakenBack { file } => write!(out, "taken back: {}", file.display()),
            Self::LeftAside { file } => {
                write!(out, "left as it is, since it does not say whose it was: {}", file.display())
            }
            Self::Unreadable { file } => {
                write!(out, "nothing can be read of it, so it is left as it is: {}", file.display())
            }
            Self::NothingSetAside => out.write_str("nothing was set aside"),
            Self::NothingTakenBack => out.write_str("nothing was taken back"),
            Self::Recovered { changes, unsent } => {
                let (here, wait) = (counted(changes, "change was", "changes were"), counted(unsent, "waits", "wait"));
                write!(out, "{here} not here; {wait} to be sent again")
            }
            Self::Belongs { cooperative, roles, is_revoked: false } => {
                write!(out, "this phone belongs to {cooperative}, as {roles}")
            }
            Self::Belongs { cooperative, roles, is_revoked: true } => {
                write!(out, "this phone belonged to {cooperative}, as {roles}, and was taken out")
            }
            Self::BelongsToNobody => out.write_str("this phone does not belong to a co-operative yet"),
            Self::Waiting { changes, is_revoked: false } => write!(out, "waiting to be sent: {changes}"),
            Self::Waiting { changes, is_revoked: true } => {
                write!(out, "waiting on this phone: {changes} (nothing is sent while it is taken out)")
            }
            Self::HeldBack { sentence } => write!(out, "held back: {sentence}"),
            Self::NotTakenIn { changes } => write!(
                out,
                "not taken in: {changes} (a coordinator can take them in; `list` marks their lots)"
            ),
            Self::LastSync { at: None } => out.write_str("last sync: never"),
            Self::LastSync { at: Some(at) } => write!(out, "last sync: {}, China time", at.in_china()),
            Self::Traffic { up, down } => write!(out, "bytes up {up} down {down}"),
            Self::LastError { sentence } => write!(out, "last error: {sentence}"),
            Self::WrongDate { shown, today } => {
                write!(out, "this phone's date is {shown}, and the server says {today}: set this phone's date")
            }
            Self::QuarantinedBecause { sentence } => write!(out, "set aside: {sentence}"),
            Self::SetAsideFile { file } => write!(
                out,
                "set aside as damaged: {} (`granary phone recover` takes back what can be read)",
                file.display()
            ),
            Self::Arrived { documents } => {
                write!(out, "{} changed; the latest lots:", counted(documents, "document", "documents"))
            },
        }
    }
}

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
