//! The Chinese sentences of quantities and texts.

use super::typed::{Smallest, TypedFault};
use super::{QuantityFault, TextField, decimal};
use crate::words::Words;

impl Words for TextField {
    fn chinese(&self) -> String {
        match self {
            Self::ProductCode => "产品代码",
            Self::ProductName => "产品名称",
            Self::Grade | Self::PriceGrade => "等级",
            Self::Place => "地点",
            Self::Note => "备注",
            Self::Photo => "照片名称",
            Self::Reason => "原因",
            Self::HouseholdName => "农户名称",
            Self::VillageCode => "村的代码",
            Self::Payment => "付款方式",
            Self::MemberName => "成员姓名",
            Self::CooperativeName => "合作社名称",
            Self::Code => "代码",
            Self::PlaceName => "村或地点的名称",
            Self::Announcement => "通知",
            Self::PromotionTitle => "活动标题",
            Self::Shipment => "运单号",
            Self::Case => "事项名称",
            Self::Chosen => "选定的值",
            Self::PersonName => "姓名",
            Self::PhoneName => "手机名称",
            Self::Telephone => "联系电话",
            Self::Address => "地址",
            Self::Bin => "库位",
            Self::Supplier => "来货方",
            Self::SkuCode => "商品代码",
            Self::ShopText => "店铺里的商品名称或编码",
            Self::LineId => "订单行编号",
            Self::Pool => "渠道",
            Self::Host => "主播",
            Self::ReceiverName => "收件人姓名",
            Self::ReceiverPhone => "收件人电话",
            Self::ReceiverAddress => "收件地址",
            Self::BuyerNote => "买家留言",
            Self::SellerNote => "卖家备注",
        }
        .to_owned()
    }
}

impl Words for QuantityFault {
    fn chinese(&self) -> String {
        match self {
            Self::Grams(grams) => format!("重量必须在 1 克到 1,000 吨之间；现在是 {} 公斤", decimal(*grams, 1000)),
            Self::Fen(fen) => format!("金额必须在 ¥0 到 ¥1,000,000,000 之间；现在是 {fen} 分"),
            Self::GramsDelta(grams) => format!("重量差必须在 -1,000 吨到 1,000 吨之间；现在是 {grams} 克"),
            Self::FenDelta(fen) => format!("金额差必须在 -¥1,000,000,000 到 ¥1,000,000,000 之间；现在是 {fen} 分"),
            Self::Permille(permille) => format!("水分必须在 0 到 100% 之间；现在是千分之 {permille}"),
            Self::Day(text) => format!("“{text}”不是日期；日期写成 年-月-日，例如 2026-10-03"),
            Self::TextMissing(field) => format!("{}没有填写", field.chinese()),
            Self::TextTooLong(field) => format!("{}最多 {} 个字", field.chinese(), field.most()),
            Self::TextUnreadable(field) => format!("{}里有不能显示的字符", field.chinese()),
        }
    }
}

impl Words for TypedFault {
    fn chinese(&self) -> String {
        match self {
            Self::Nothing => "还没有填写；请写成例如 12.5".into(),
            Self::NotANumber { text } => format!("“{text}”不是数字；请写成例如 12.5"),
            Self::Ambiguous { text, readings: [one, other] } => format!("“{text}”不清楚：请写成 {one} 或 {other}"),
            Self::UnknownUnit { text, unit } => format!("“{text}”里的“{unit}”不是这里认识的单位"),
            Self::TooFine { text, smallest } => {
                let smallest = match smallest {
                    Smallest::Gram => "一克；是不是没有写单位？例如 12.5kg",
                    Smallest::Fen => "一分钱",
                    Smallest::Permille => "千分之一",
                };
                format!("“{text}”细到不足{smallest}")
            }
            Self::OutOfRange(fault) => fault.chinese(),
        }
    }
}
