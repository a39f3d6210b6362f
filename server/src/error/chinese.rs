//! The errors' sentences in Chinese. Of what the system or a library says the usual causes are told in Chinese, in brackets; others
//! are not: their own text is for logs.

use granary_client_core::store::StoreFault;
use granary_client_core::words::{Language, Words, because};

use super::{Error, FileFault};

impl Words for Error {
    fn chinese(&self) -> String {
        match self {
            Self::Store(fault) => fault.chinese(),
            Self::Document(fault) => fault.chinese(),
            Self::Refused { kind, .. } => kind.chinese().to_owned(),
            Self::Denied(denied) => denied.chinese(),
            Self::OrderFile(fault) => fault.chinese(),
            Self::Import(fault) => fault.chinese(),
            Self::NotFound { what, name } => format!("没有{} {name}", thing(what)),
            Self::File { path, cause } => format!("{path}：{}", cause.chinese()),
            Self::ProgramGone => {
                "这个程序的文件在启动之后被移走或换掉了，所以不能另开进程检查数据。什么也没有改动；请从它现在的\
                                  位置重新启动"
                    .into()
            }
            Self::Certificate(reason) => format!("服务器的证书不能用{}", because(reason)),
            Self::Stopping => "服务器正在停止；什么也没有收下".into(),
            Self::InvalidInput { reason, .. } => reason.chinese(),
            Self::Decided(decided) => decided.chinese(),
            Self::AccountExists { login } => {
                format!("{login} 已有账号，什么也没有改动：要换密码，请用 `granary coordinator password`")
            }
            Self::Typed { fault, .. } => fault.chinese(),
            Self::Unusual { unusual, unit } => {
                let sentences = super::sentences(unusual, Language::Chinese, *unit);
                format!("什么都没有改动：{}（确实如此的话，加上 `--yes`）", sentences.join("；"))
            }
            Self::NotDone(phrase) => phrase.chinese(),
            Self::Quantity(fault) => fault.chinese(),
            Self::Protected { what } => format!("{}不能改动", thing(what)),
            Self::ConfigFile { path, reason } => format!("{path} 读不出来{}", because(reason)),
            Self::NotAServerFolder { folder } => format!("{folder} 里没有服务器的数据"),
            Self::ServerRuns => "服务器正在运行；请先停下它".into(),
            Self::NoServer { socket, reason } => {
                format!("{socket} 那里没有服务器回答{}；请用 `granary serve` 启动它", because(reason))
            }
            Self::CommandFailed { sentence } => sentence.chinese(),
            Self::Listen { address, reason } => format!("不能在 {address} 上接受连接{}", because(reason)),
            Self::ThreadStart { reason } => format!("开不了线程{}", because(reason)),
            Self::ServerStart { reason } => format!("服务器启动不了{}", because(reason)),
            Self::NoRandomness => "操作系统给不出随机数".into(),
            Self::Secret { what, reason } => format!("{}存不下{}", thing(what), because(reason)),
            Self::OtherFormat { found, known } => {
                format!("这里的数据是格式 {found}，这个程序认得的是格式 {known}：请用写它的程序，或者更新的程序")
            }
            Self::StoreDamaged { store, reason } => format!(
                "{store} 里的数据损坏了{}。请运行 `granary repair`，或用最近的备份 `granary restore`；缺的由手机交回",
                because(reason)
            ),
            Self::StoreInUse { store } => {
                format!("另一个 granary 已经在用这个文件夹：它打开着 {store}。请先停下它，或者给这一个另外的文件夹")
            }
            Self::StoreUnusable { store, fault } => {
                format!("{store} 里的数据打不开：{}。什么也没有改动。{}", fault.chinese(), way_out(fault))
            }
            Self::LogDamaged { finding } => format!("日志损坏了（{}）", finding.chinese()),
            Self::ProbeFailed { reason } => format!("检查不了服务器的数据{}", because(reason)),
            Self::BackupDamaged { path, reason } => format!("{path} 损坏了{}", because(&reason.chinese())),
            Self::BackupNotWritten { reason } => format!("备份没有写成{}", because(reason)),
            Self::ImportDamaged { file, reason } => format!("{file} 损坏了{}", because(&reason.chinese())),
            Self::ImportRefused { document, reason } => format!("{document} 不能导入：{}", reason.chinese()),
            Self::ExportFailed { reason } => format!("导出没有成功{}", because(reason)),
            Self::WorkFailed { reason } => format!("服务器没有做成{}", because(reason)),
            Self::Phone(error) => error.chinese(),
            Self::EditRefused { reason } => reason.chinese(),
            Self::EditQuarantined { reason } => format!("没有保存：{}", reason.chinese()),
            Self::NotAKey { path } => format!("{path} 不是身份密钥"),
            Self::StoreExists { folder } => format!("{folder} 里已经有数据；请恢复到一个新的文件夹"),
            Self::NoBackup { folder } => format!("{folder} 里没有备份"),
        }
    }
}

impl Words for FileFault {
    fn chinese(&self) -> String {
        match self {
            Self::NotThere => "没有这个文件或文件夹".into(),
            Self::Refused(fault) => fault.chinese(),
        }
    }
}

/// What something is called that an error names.
fn thing(what: &'static str) -> &'static str {
    match what {
        "profile" => "平台配置",
        "order file" => "订单文件",
        "SKU" => "商品编码",
        "co-operative" => "合作社",
        "coordinator" => "协调员",
        "device" => "手机",
        "invitation" => "邀请",
        "document" => "文档",
        "changes that were set aside" => "搁置的改动",
        "document that can be erased" => "可以抹去的文档",
        "file of the backup" => "备份文件",
        "the server's own replica" => "服务器自己的副本",
        "a token" => "令牌",
        "the password" => "密码",
        "grade" => "等级",
        "product" => "产品",
        other => other,
    }
}

/// What an operator can do about a fault of the store.
fn way_out(fault: &StoreFault) -> &'static str {
    match fault {
        StoreFault::Full => "请腾出一些空间，再启动",
        StoreFault::TooManyFiles => "请提高打开文件数的上限（`ulimit -n`、`LimitNOFILE=`），再启动",
        StoreFault::NoAccess(_) => "请让这个用户可以读写那里，再启动",
        StoreFault::Busy | StoreFault::InUse => "请关掉另一个程序，再启动",
        _ => "请看看磁盘，再启动",
    }
}

#[cfg(test)]
mod tests {
    use granary_client_core::protocol::problem::ProblemKind;

    use super::*;

    #[test]
    fn what_an_operator_meets_has_a_sentence_in_chinese() {
        let errors = [
            Error::NotFound { what: "coordinator", name: "zhang".into() },
            Error::File { path: "/x".into(), cause: FileFault::NotThere },
            Error::NoServer { socket: "/x".into(), reason: std::io::Error::from_raw_os_error(2).to_string() },
            Error::Listen {
                address: ([127, 0, 0, 1], 1).into(),
                reason: std::io::Error::from_raw_os_error(98).to_string(),
            },
            Error::BackupNotWritten { reason: std::io::Error::from_raw_os_error(28).to_string() },
            Error::AccountExists { login: "zhang".into() },
            Error::StoreUnusable { store: "/x".into(), fault: StoreFault::Full },
            Error::refused(ProblemKind::Busy, "try again"),
            Error::BackupDamaged {
                path: "/x".into(), reason: ("its checksum is another one", "校验和对不上").into()
            },
            Error::ServerRuns,
            Error::StoreDamaged { store: "/x".into(), reason: "Read corrupted data at file offset Some(4096)".into() },
            Error::StoreDamaged { store: "/x".into(), reason: "a reason that nobody knows".into() },
            Error::BackupDamaged { path: "/x".into(), reason: "Unknown frame descriptor".to_owned().into() },
            Error::LogDamaged {
                finding: crate::said::Said::of(&crate::log::check::Finding::Broken {
                    cooperative: 1,
                    what: "entry",
                    number: 7,
                }),
            },
            Error::Certificate("InvalidCertificate(BadEncoding)".into()),
            Error::WorkFailed { reason: "task 7 panicked".into() },
        ];
        for error in errors {
            let english: Vec<_> =
                error.chinese().split(|one: char| !one.is_ascii_alphabetic()).map(str::to_owned).collect();
            let known = ["", "zhang", "x", "granary", "serve", "coordinator", "password", "repair", "restore"];
            assert!(english.iter().all(|word| known.contains(&word.as_str())), "{}", error.chinese());
        }
    }
}
