//! Order files as platforms export them, laid into the demo's folder to be dropped on the console's page. Orders and people in them
//! are invented.

use std::path::Path;

use crate::error::{Error, FileFault};

const FILES: [(&str, &[u8]); 8] = [
    ("douyin-product.csv", include_bytes!("../../tests/samples/orders/douyin-product.csv")),
    ("kuaishou.xlsx", include_bytes!("../../tests/samples/orders/kuaishou.xlsx")),
    ("weixin.xlsx", include_bytes!("../../tests/samples/orders/weixin.xlsx")),
    ("pinduoduo.csv", include_bytes!("../../tests/samples/orders/pinduoduo.csv")),
    ("taobao-list.csv", include_bytes!("../../tests/samples/orders/taobao-list.csv")),
    ("taobao-details.csv", include_bytes!("../../tests/samples/orders/taobao-details.csv")),
    ("youzan.csv", include_bytes!("../../tests/samples/orders/youzan.csv")),
    ("skus.json", include_bytes!("../../tests/samples/orders/skus.json")),
];

/// Writes the files that are not there yet into `orders` in this folder.
pub(crate) fn lay_out(folder: &Path) -> Result<std::path::PathBuf, Error> {
    let orders = folder.join("orders");
    let fault = |path: &Path, error: &std::io::Error| Error::File {
        path: path.display().to_string(),
        cause: FileFault::from(error),
    };
    std::fs::create_dir_all(&orders).map_err(|error| fault(&orders, &error))?;
    for (name, bytes) in FILES {
        let path = orders.join(name);
        if !path.exists() {
            std::fs::write(&path, bytes).map_err(|error| fault(&path, &error))?;
        }
    }
    Ok(orders)
}
