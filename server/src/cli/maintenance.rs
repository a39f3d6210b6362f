//! Backups, checks and repairs from the command line: on the running server where there is one, else on its
//! folder.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::language;
use crate::access::marks::FILE;
use crate::admin::{AdminCommand, Answer, ask, report};
use crate::error::Error;
use crate::log::check::{check as look_at_logs, read_marks};
use crate::log::documents::Documents;
use crate::maintenance::backup::back_up as write_backup;
use crate::maintenance::rebuild::Rebuilt;
use crate::maintenance::repair::repair as make_new;
use crate::maintenance::restore::restore as restore_into;
use crate::maintenance::verify::verify;
use crate::said::Said;
use crate::store::SledStore;
use crate::store::probe::{How, in_child, line_of, unusable};
use granary_client_core::words::{Words, counted};

/// True while a server runs on this folder.
fn is_running(folder: &Path) -> bool {
    std::os::unix::net::UnixStream::connect(folder.join("operator.sock")).is_ok()
}

/// The path of this folder's store, after a child process has opened it: with a damaged metadata log, opening may never
/// return.
fn probed_store(folder: &Path) -> Result<PathBuf, Error> {
    let store = folder.join("store");
    if !store.exists() {
        return Err(Error::NotAServerFolder { folder: folder.display().to_string() });
    }
    in_child(folder, &store, How::OpenOnly)?;
    Ok(store)
}

fn open_store(folder: &Path) -> Result<SledStore, Error> {
    let store = probed_store(folder)?;
    SledStore::open(&store).map_err(|fault| unusable(&store, fault))
}

fn answered(answer: Answer) -> Result<(), Error> {
    match answer {
        Answer::Text(text) => println!("{}", text.words(language())),
        Answer::Failed(sentence) => return Err(Error::CommandFailed { sentence }),
        Answer::Invitation { .. } => {}
    }
    Ok(())
}

pub(super) fn back_up(folder: &Path, to: PathBuf, keep: Option<NonZeroU32>) -> Result<(), Error> {
    let to = std::path::absolute(&to).unwrap_or(to);
    if is_running(folder) {
        return answered(ask(folder, &AdminCommand::BackUp { to, keep })?);
    }
    let done = write_backup(&open_store(folder)?, folder, &to, &crate::environment::now().to_string(), keep)?;
    println!("{}", done.sentence(&to).words(language()));
    Ok(())
}

fn words_of_rebuilt(rebuilt: Rebuilt) -> Said {
    let Rebuilt { cooperatives, documents, entries, positions, dropped } = rebuilt;
    let lost = match dropped {
        0 => ("nothing is missing".to_owned(), "什么也不缺".to_owned()),
        _ => (
            format!("{} missing; phones give back what was in them", counted(dropped, "record is", "records are")),
            format!("缺 {dropped} 条记录；里面的内容由手机交回"),
        ),
    };
    Said::new(
        format!(
            "{}, {}, {}, {}: {}",
            counted(cooperatives, "co-operative", "co-operatives"),
            counted(documents, "document", "documents"),
            counted(entries, "entry", "entries"),
            counted(positions, "position", "positions"),
            lost.0
        ),
        format!("{cooperatives} 个合作社，{documents} 份文档，{entries} 个条目，{positions} 个位置：{}", lost.1),
    )
}

pub(super) fn restore(from: &Path, through: Option<&str>, folder: &Path, marks: Option<&Path>) -> Result<(), Error> {
    let mut said = vec![words_of_rebuilt(restore_into(from, through, folder, marks)?)];
    said.push(Said::new(
        "Start it with `granary serve`. Phones notice by themselves and give back what came after the backup.",
        "请用 `granary serve` 启动。手机会自己发现，并交回备份之后的内容。",
    ));
    said.push(Said::new(
        "Invitations that were open are void, and everybody signs in anew.",
        "未用的邀请作废，所有人要重新登录。",
    ));
    said.push(match folder.join(FILE).exists() {
        true => Said::new(
            format!("Grants and revocations hold, also those that are newer than the backup ({FILE})."),
            format!("授权和停用都有效，包括比备份更新的（{FILE}）。"),
        ),
        false => Said::new(
            format!("There is no {FILE} in this folder: revoke again whom you revoked after the backup was made."),
            format!("这个文件夹里没有 {FILE}：备份之后停用的，请再停用一次。"),
        ),
    });
    println!("{}", Said::lines(said).words(language()));
    Ok(())
}

pub(super) fn check(folder: &Path) -> Result<(), Error> {
    if is_running(folder) {
        return answered(ask(folder, &AdminCommand::Check)?);
    }
    let store: Arc<SledStore> = Arc::new(open_store(folder)?);
    let found = verify(store.as_ref(), &Documents::new(store.clone()))?;
    println!("{}", report(&found).words(language()));
    if found.is_clean() {
        return Ok(());
    }
    let reason = found.findings.first().cloned().unwrap_or_default();
    Err(Error::StoreDamaged { store: folder.join("store").display().to_string(), reason })
}

pub(super) fn repair(folder: &Path, backup: Option<&Path>, set_aside: Option<&Path>) -> Result<(), Error> {
    if is_running(folder) {
        return Err(Error::ServerRuns);
    }
    probed_store(folder)?;
    if let Some(set_aside) = set_aside {
        if !set_aside.exists() {
            return Err(Error::NotAServerFolder { folder: set_aside.display().to_string() });
        }
        in_child(folder, set_aside, How::OpenOnly)?;
    }
    let stamp: String = crate::environment::now().to_string().chars().filter(char::is_ascii_alphanumeric).collect();
    let repaired = make_new(folder, backup, set_aside, &stamp)?;
    println!("{}", words_of_rebuilt(repaired.rebuilt).words(language()));
    let (unreadable, kept) = (repaired.unreadable, repaired.kept.display());
    let said = Said::new(
        format!("{} could not be read; the damaged store is kept as {kept}", counted(unreadable, "row", "rows")),
        format!("有 {unreadable} 行读不出来；损坏的数据留在 {kept}"),
    );
    println!("{}", said.words(language()));
    Ok(())
}

/// Runs in the child process: opens the store and checks the end of each log. A lost tail that phones give back is no
/// error; the server logs it at its start.
pub(super) fn probe(folder: &Path, store: &Path, how: How) -> Result<(), Error> {
    let probed = look(folder, store, how);
    if let Err(Error::Store(fault)) = &probed {
        println!("{}", line_of(fault));
    }
    probed
}

fn look(folder: &Path, store: &Path, how: How) -> Result<(), Error> {
    let store = SledStore::open(store)?;
    if how == How::OpenOnly {
        return Ok(());
    }
    let findings = look_at_logs(&store, &read_marks(&folder.join("high-water.json")))?;
    match findings.into_iter().find(|finding| !finding.is_recoverable()) {
        Some(finding) => Err(Error::LogDamaged { finding: Said::of(&finding) }),
        None => Ok(()),
    }
}
