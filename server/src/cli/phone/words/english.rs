//! What the terminal phone says, in English.

use std::fmt::{Display, Formatter};

use granary_client_core::words::{Language, counted};

use super::{Says, as_typed};

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
