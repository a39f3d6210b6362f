//! Fixed sentences and questions of the terminal phone.

use granary_client_core::words::Phrase;

/// What the person with a lost phone can do.
pub(in crate::cli) const LOST_WAYS: Phrase = Phrase::new(
    "lost-ways",
    "`granary phone recover` takes back what was set aside. If you have a copy of phone.db, put it back into the folder. \
     `granary phone start-anew` gives the old phone up and begins a new one",
    "`granary phone recover` 找回存下的坏文件里能读的；如果您有 phone.db 的备份，请把它放回文件夹。\
     `granary phone start-anew` 放弃原来的手机，重新开始",
);
pub(super) const JOIN: Phrase = Phrase::new("join", "join? [y/N] ", "加入吗？[y/N] ");
pub(super) const LEAVE: Phrase = Phrase::new("leave", "leave all the same? [y/N] ", "仍然离开吗？[y/N] ");
pub(super) const RECORD: Phrase = Phrase::new("record", "record it all the same? [y/N] ", "仍然登记吗？[y/N] ");
pub(super) const GIVE_UP: Phrase = Phrase::new(
    "give-up",
    "give up the phone that was here, with all that it had not sent? [y/N] ",
    "放弃原来在这里的手机，连同它还没有发送的一切吗？[y/N] ",
);
pub(super) const NOT_JOINED: Phrase =
    Phrase::new("not-joined", "you did not say yes, so this phone joined nothing", "您没有同意，所以这部手机没有加入");
pub(super) const NOT_LEFT: Phrase =
    Phrase::new("not-left", "you did not say yes, so this phone stays", "您没有同意，所以这部手机没有离开");
pub(super) const NOT_GIVEN_UP: Phrase = Phrase::new(
    "not-given-up",
    "you did not say yes, so nothing was changed (`--yes` gives it up without asking)",
    "您没有同意，所以什么也没有改动（加上 `--yes` 不再询问）",
);
pub(super) const NOTHING_TO_CORRECT: Phrase = Phrase::new(
    "nothing-to-correct",
    "nothing was said to correct, so nothing was changed: give --weight, --grade, --day, --moisture, --place, --product or --note",
    "没有说要改什么，所以什么也没有改动：请给出 --weight、--grade、--day、--moisture、--place、--product 或 --note",
);
pub(super) const NOTHING_WEIGHED: Phrase = Phrase::new(
    "nothing-weighed",
    "nothing was said of the lot, so nothing was changed: give --weight, or --reject with the reason",
    "没有说过秤多少，所以什么也没有改动：请给出 --weight，或者用 --reject 写明退回的原因",
);
pub(super) const RECEIVE_AGAIN: Phrase =
    Phrase::new("receive-again", "replace that receipt? [y/N] ", "用这一次的代替它吗？[y/N] ");
pub(super) const HAS_RECEIPT: Phrase = Phrase::new(
    "has-receipt",
    "this lot has a receipt already, and nothing was changed (`--yes` replaces it)",
    "这一批已经有收货记录，什么也没有改动（加上 `--yes` 就代替它）",
);
pub(super) const NO_STATE: Phrase = Phrase::new(
    "no-state",
    "a state is recorded, received or rejected",
    "状态是 recorded（已登记）、received（已收货）或 rejected（已退回）",
);
