//! What is wrong with the arguments, in Chinese.

use std::error::Error as StdError;
use std::net::AddrParseError;
use std::num::{IntErrorKind, ParseIntError};

use clap::error::{ContextKind, ContextValue, ErrorKind};
use granary_client_core::ids::IdFault;
use granary_client_core::quantities::QuantityFault;
use granary_client_core::schema::access::RoleFault;
use granary_client_core::schema::question::QuestionFault;
use granary_client_core::words::Words;

use super::own_in_chinese;
use crate::cli::arguments::LanguageFault;

/// The fault, how the command is used, and where to read more.
pub(super) fn in_chinese(error: &clap::Error) -> String {
    let mut lines = vec![format!("granary: {}", fault(error))];
    lines.extend(meant(error).map(|meant| format!("是不是 {meant}？")));
    if let Some(usage) = error.get(ContextKind::Usage) {
        lines.push(String::new());
        lines.push(own_in_chinese(&usage.to_string()));
    }
    lines.push(String::new());
    lines.push("详见 `--help`。".to_owned());
    lines.join("\n")
}

fn fault(error: &clap::Error) -> String {
    let texts = |kind| texts(error.get(kind));
    let one = |kind| texts(kind).join("、");
    let (argument, value) = (one(ContextKind::InvalidArg), one(ContextKind::InvalidValue));
    match error.kind() {
        ErrorKind::InvalidSubcommand => format!("没有“{}”这个命令", one(ContextKind::InvalidSubcommand)),
        ErrorKind::MissingSubcommand => {
            let subcommand = one(ContextKind::InvalidSubcommand);
            let known = one(ContextKind::ValidSubcommand);
            format!("{subcommand} 后面要写一个命令：{known}")
        }
        // Something that begins with a hyphen was meant as an option.
        ErrorKind::UnknownArgument if argument.starts_with('-') => format!("没有“{argument}”这个选项"),
        ErrorKind::UnknownArgument => format!("多了“{argument}”"),
        ErrorKind::MissingRequiredArgument => format!("还要给出：{argument}"),
        ErrorKind::ArgumentConflict => {
            let others = texts(ContextKind::PriorArg);
            match others.as_slice() {
                [] => format!("{argument} 不能和别的选项一起用"),
                [same] if *same == argument => format!("{argument} 只能写一次"),
                others => format!("{argument} 和 {} 不能一起用", others.join("、")),
            }
        }
        ErrorKind::NoEquals => format!("{argument} 和它的值之间要写等号"),
        ErrorKind::InvalidValue if value.is_empty() => format!("{argument} 后面要写它的值"),
        ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => format!("{argument} 的值的个数不对"),
        ErrorKind::TooManyValues => format!("{argument} 多了“{value}”"),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            let known = texts(ContextKind::ValidValue);
            let why = match error.source() {
                Some(source) => why(source, &value),
                None if known.is_empty() => "不认识".to_owned(),
                None => format!("可以写 {}", known.join("、")),
            };
            format!("{argument} 的值“{value}”不对：{why}")
        }
        ErrorKind::InvalidUtf8 => "参数里有读不出来的字符".to_owned(),
        _ => "参数不对".to_owned(),
    }
}

/// Why a value was refused by whoever reads it.
fn why(source: &(dyn StdError + 'static), value: &str) -> String {
    let typed: Option<String> = None
        .or_else(|| source.downcast_ref::<QuantityFault>().map(Words::chinese))
        .or_else(|| source.downcast_ref::<IdFault>().map(Words::chinese))
        .or_else(|| source.downcast_ref::<RoleFault>().map(Words::chinese))
        .or_else(|| source.downcast_ref::<QuestionFault>().map(Words::chinese))
        .or_else(|| source.downcast_ref::<LanguageFault>().map(Words::chinese))
        .or_else(|| {
            source.downcast_ref::<AddrParseError>().map(|_| "地址写成 IP:端口，例如 `127.0.0.1:8443`".to_owned())
        })
        .or_else(|| source.downcast_ref::<ParseIntError>().map(|fault| whole_number(fault).to_owned()));
    typed.unwrap_or_else(|| {
        // Clap's own sentence about a number outside a range.
        let text = source.to_string();
        let range = text.strip_prefix(value).and_then(|rest| rest.strip_prefix(" is not in "));
        range.map_or(text.clone(), |range| format!("要在 {range} 之间"))
    })
}

fn whole_number(fault: &ParseIntError) -> &'static str {
    match fault.kind() {
        IntErrorKind::PosOverflow => "这个数太大",
        IntErrorKind::NegOverflow => "这个数太小",
        IntErrorKind::Zero => "不能是 0",
        _ => "要写一个整数",
    }
}

/// So many words that may have been meant are named.
const MEANT_MAX: usize = 2;

/// What was probably meant.
fn meant(error: &clap::Error) -> Option<String> {
    [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg, ContextKind::SuggestedValue]
        .into_iter()
        .map(|kind| texts(error.get(kind)))
        .find(|texts| !texts.is_empty())
        // The likeliest comes last.
        .map(|texts| texts.into_iter().rev().take(MEANT_MAX).collect::<Vec<_>>().join("、"))
}

fn texts(value: Option<&ContextValue>) -> Vec<String> {
    match value {
        Some(ContextValue::String(text)) => vec![text.clone()],
        Some(ContextValue::Strings(texts)) => texts.clone(),
        Some(ContextValue::StyledStr(text)) => vec![text.to_string()],
        _ => Vec::new(),
    }
}
