//! What the terminal phone says of goods, in both languages.

use std::fmt::{Display, Formatter};

use granary_client_core::phone::PacksLeft;
use granary_client_core::quantities::{Grams, Instant, decimal};
use granary_client_core::schema::HoldingId;
use granary_client_core::trade::{Holding, HoldingEvent, ProductStock};
use granary_client_core::words::{Language, Words};

/// See the module.
pub(super) enum Says<'a> {
    AsOf { at: Option<Instant> },
    Nothing,
    Product { name: &'a str, code: &'a str, grade: &'a str, sums: ProductStock },
    TakenBack { entry: &'a str },
    NoSkus,
    Sku { code: &'a str, product: &'a str, grade: &'a str, grams: Grams, ended: bool },
    Left { sku: &'a str, packs: PacksLeft },
    NotGranted,
}

fn kilograms(grams: i64, language: Language) -> String {
    match language {
        Language::Chinese => format!("{} 公斤", decimal(grams, 1000)),
        Language::English => format!("{} kg", decimal(grams, 1000)),
    }
}

fn grade_in(language: Language, grade: &str) -> String {
    match (grade, language) {
        ("", _) => String::new(),
        (grade, Language::Chinese) => format!(" {grade} 级"),
        (grade, Language::English) => format!(" grade {grade}"),
    }
}

/// Goods in one line: number, product, day, what lies there and where.
pub(super) fn heading(language: Language, id: &HoldingId, of: &Holding, is_expired: bool, product: &str) -> String {
    let is_chinese = language == Language::Chinese;
    let mut parts = vec![id.code().to_string()];
    let product = if of.product.is_empty() {
        if is_chinese { "不知道是什么" } else { "of no known product" }
    } else {
        product
    };
    parts.push(format!("{product}{}", grade_in(language, &of.grade)));
    parts.extend(of.received_on.map(|day| day.to_string()));
    parts.push(kilograms(of.present(), language));
    if of.allocated != 0 {
        let allocated = kilograms(of.allocated, language);
        parts.push(if is_chinese { format!("已分配 {allocated}") } else { format!("{allocated} planned") });
    }
    let bins = of.by_bin.iter().map(|(bin, grams)| match bin.as_str() {
        "" if is_chinese => format!("未上架 {}", kilograms(*grams, language)),
        "" => format!("in no bin {}", kilograms(*grams, language)),
        bin => format!("{bin} {}", kilograms(*grams, language)),
    });
    let mut bins: Vec<String> = bins.collect();
    if of.unplaced != 0 {
        let unplaced = kilograms(of.unplaced, language);
        bins.push(if is_chinese {
            format!("不知哪个库位 {unplaced}")
        } else {
            format!("of no known bin {unplaced}")
        });
    }
    if of.by_bin.keys().any(|bin| !bin.is_empty()) {
        parts.push(bins.join(if is_chinese { "、" } else { ", " }));
    }
    let expiry = of.expiry.map(|day| match (is_expired, is_chinese) {
        (true, true) => format!("已过期（{day}）"),
        (true, false) => format!("EXPIRED on {day}"),
        (false, true) => format!("保质到 {day}"),
        (false, false) => format!("good until {day}"),
    });
    parts.extend(expiry);
    if of.is_recalled {
        parts.push(if is_chinese { "已停售".into() } else { "NOT SOLD ANY MORE".into() });
    }
    granary_client_core::quantities::one_line(&parts.join("  ")).collect()
}

/// What happened to goods, in one line.
pub(super) fn event(language: Language, of: &HoldingEvent) -> String {
    let is_chinese = language == Language::Chinese;
    let what = match (of.what, is_chinese) {
        ("in", true) => "入库",
        ("in", false) => "came in",
        ("loss", true) => "损耗",
        ("loss", false) => "lost",
        ("count", true) => "盘点",
        ("count", false) => "counted",
        ("move", true) => "移库",
        ("move", false) => "moved",
        ("recall", true) => "停售",
        ("recall", false) => "not sold any more",
        ("order", true) => "分配给订单",
        ("order", false) => "planned for an order",
        ("packed", true) => "已打包",
        ("packed", false) => "packed",
        ("parcel", true) => "装入包裹",
        ("parcel", false) => "packed into a parcel",
        ("batch", true) => "投入加工",
        ("batch", false) => "went into a batch",
        ("return", true) => "退回入库",
        ("return", false) => "came back",
        (other, _) => other,
    };
    let when = of.day.map(|day| day.to_string()).or_else(|| of.at.map(Instant::in_china));
    let sum = match of.grams {
        0 => String::new(),
        grams if grams > 0 => format!("+{}", kilograms(grams, language)),
        grams => kilograms(grams, language),
    };
    let no_longer = match (of.counts, is_chinese) {
        (true, _) => "",
        (false, true) => "（不计入）",
        (false, false) => "(does not count)",
    };
    let source = of.source.as_ref().map(|source| source.to_string()).unwrap_or_default();
    let parts = [when.unwrap_or_default(), what.to_owned(), sum, of.note.clone(), no_longer.to_owned(), source];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("  ")
}

impl Display for Says<'_> {
    fn fmt(&self, out: &mut Formatter<'_>) -> std::fmt::Result {
        let kg = |grams| kilograms(grams, Language::English);
        match self {
            Self::AsOf { at: None } => {
                out.write_str("this phone has not synced yet: it knows what was written on it alone")
            }
            Self::AsOf { at: Some(at) } => write!(out, "as of the last sync, {} (Beijing time)", at.in_china()),
            Self::Nothing => out.write_str("nothing lies in the warehouse, as far as this phone knows"),
            Self::Product { name, code, grade, sums } => {
                let grade = grade_in(Language::English, grade);
                write!(
                    out,
                    "{code}  {name}{grade}  {} there, {} planned, {} to sell",
                    kg(sums.present),
                    kg(sums.allocated),
                    kg(sums.sellable)
                )
            }
            Self::TakenBack { entry } => write!(out, "taken back: {entry} does not count any more"),
            Self::NoSkus => out.write_str("the catalogue has no packs"),
            Self::Sku { code, product, grade, grams, ended } => {
                let ended = if *ended { "  (not sold any more)" } else { "" };
                write!(out, "{code}  {product}{}  {grams}{ended}", grade_in(Language::English, grade))
            }
            Self::Left { sku, packs } => {
                let over = if packs.over > 0 { format!(", {} OVER", packs.over) } else { String::new() };
                let PacksLeft { granted, accepted, left, counted_at, .. } = packs;
                write!(
                    out,
                    "{sku}  {left} left of {granted}, {accepted} sold{over}  (counted {})",
                    counted_at.in_china()
                )
            }
            Self::NotGranted => out.write_str("the server has granted no packs yet"),
        }
    }
}

impl Words for Says<'_> {
    fn chinese(&self) -> String {
        let kg = |grams| kilograms(grams, Language::Chinese);
        match self {
            Self::AsOf { at: None } => "这部手机还没有同步过：只知道在它上面写的".into(),
            Self::AsOf { at: Some(at) } => format!("截至上次同步：{}（北京时间）", at.in_china()),
            Self::Nothing => "就这部手机所知，库里没有货".into(),
            Self::Product { name, code, grade, sums } => format!(
                "{code}  {name}{}  在库 {}，已分配 {}，可卖 {}",
                grade_in(Language::Chinese, grade),
                kg(sums.present),
                kg(sums.allocated),
                kg(sums.sellable)
            ),
            Self::TakenBack { entry } => format!("已撤回：{entry} 不再计入"),
            Self::NoSkus => "产品目录里还没有商品规格".into(),
            Self::Sku { code, product, grade, grams, ended } => {
                let ended = if *ended { "  （已停售）" } else { "" };
                format!("{code}  {product}{}  {}{ended}", grade_in(Language::Chinese, grade), kg(grams.get()))
            }
            Self::Left { sku, packs } => {
                let over = if packs.over > 0 { format!("，超卖 {}", packs.over) } else { String::new() };
                let PacksLeft { granted, accepted, left, counted_at, .. } = packs;
                format!(
                    "{sku}  还剩 {left} 份（共 {granted}），已卖 {accepted}{over}  （{} 计）",
                    counted_at.in_china()
                )
            }
            Self::NotGranted => "服务器还没有批下份数".into(),
        }
    }
}
