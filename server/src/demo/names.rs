//! The demo's products, villages and names.

/// A product with the ranges of its lots.
pub(super) struct Product {
    pub(super) code: &'static str,
    pub(super) zh: &'static str,
    pub(super) en: &'static str,
    /// The price paid to households for grade A.
    pub(super) fen_per_kilogram: i64,
    /// The least moisture of a lot.
    pub(super) moisture_permille: i64,
    pub(super) harvest_begins: &'static str,
}

const fn product(
    code: &'static str,
    zh: &'static str,
    en: &'static str,
    fen_per_kilogram: i64,
    moisture_permille: i64,
    harvest_begins: &'static str,
) -> Product {
    Product { code, zh, en, fen_per_kilogram, moisture_permille, harvest_begins }
}

pub(super) const PRODUCTS: [Product; 8] = [
    product("millet", "小米", "Millet", 760, 115, "2026-09-20"),
    product("red-date", "红枣", "Red dates", 980, 220, "2026-10-05"),
    product("walnut", "核桃", "Walnuts", 1_850, 60, "2026-09-08"),
    product("chestnut", "板栗", "Chestnuts", 1_240, 480, "2026-09-12"),
    product("chilli", "辣椒", "Dried chillies", 2_400, 110, "2026-09-15"),
    product("buckwheat", "荞麦", "Buckwheat", 640, 120, "2026-09-25"),
    product("mung-bean", "绿豆", "Mung beans", 1_020, 115, "2026-09-01"),
    product("potato", "土豆", "Potatoes", 210, 760, "2026-09-18"),
];

pub(super) const VILLAGES: [(&str, &str); 8] = [
    ("dongpo", "东坡村"),
    ("xigou", "西沟村"),
    ("shangzhuang", "上庄村"),
    ("xiahe", "下河村"),
    ("shiqiao", "石桥村"),
    ("zaolin", "枣林村"),
    ("liujiawan", "刘家湾村"),
    ("beishan", "北山村"),
];

pub(super) const SURNAMES: [&str; 16] =
    ["李", "王", "张", "刘", "陈", "杨", "赵", "高", "郭", "秦", "薛", "任", "武", "樊", "白", "康"];

pub(super) const GIVEN: [&str; 16] = [
    "秀英", "建国", "桂兰", "志强", "玉梅", "海生", "春花", "永红", "爱平", "来福", "巧云", "文斌", "改莲", "二虎",
    "月娥", "全喜",
];
