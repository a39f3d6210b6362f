//! An order file as 抖店 exports it, with as many rows as one may have.

use std::io::{self, BufWriter, Write};
use std::path::Path;

/// The headings that the profile reads.
const HEADINGS: &str = "主订单编号,子订单编号,选购商品,商品规格,商品数量,商家编码,订单应付金额,收件人,收件人手机号,省,市,区,街道,详细地址,\
    买家留言,订单提交时间,商家备注,支付完成时间,订单状态,承诺发货时间,售后状态";

pub(crate) fn write(file: &Path, rows: u64) -> io::Result<()> {
    let mut out = BufWriter::new(std::fs::File::create(file)?);
    writeln!(out, "\u{feff}{HEADINGS}")?;
    for row in 0..rows {
        // Every sixth row is the second one of the order before it.
        let (order, packs) = (row - u64::from(row % 6 == 5), 1 + row % 3);
        let at = format!("2026-11-11 {:02}:{:02}:{:02}", row / 3_600 % 24, row / 60 % 60, row % 60);
        writeln!(
            out,
            "\"\t69{order:017}\",\"\t69{row:017}\",临县小米 5斤装,5斤装,{packs},XM-05,{}.90,##NAME{row}==##,$$PHONE{row}==$$,山西省,吕梁市,\
             临县,-,##ADDRESS{row}==##,-,{at},-,{at},待发货,2026-11-13 23:59:59,-",
            packs * 49
        )?;
    }
    out.flush()
}
