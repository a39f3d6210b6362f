//! The operator's list of API keys.

use granary_client_core::words::Words;

use crate::access::api_keys::{ApiKeyLine, KeyId};
use crate::said::Said;

/// A new key, which is shown here and never again. `public` is the server's address.
pub(super) fn made(id: KeyId, key: &str, public: &str) -> Said {
    Said::new(
        format!("{key}\n{id} is made; this is the only time that it is shown. What it calls: https://{public}/v1/docs"),
        format!("{key}\n已发放 {id}；只显示这一次。接口说明：https://{public}/v1/docs"),
    )
}

/// A line for each key.
pub(super) fn list(lines: &[ApiKeyLine]) -> Said {
    if lines.is_empty() {
        return Said::new(
            "there is no API key; make one with `granary key add`",
            "还没有接口密钥；请用 `granary key add` 发放",
        );
    }
    Said::lines(lines.iter().map(line))
}

fn line(line: &ApiKeyLine) -> Said {
    let scopes = line.scopes.iter().map(|scope| scope.name()).collect::<Vec<_>>().join("+");
    let shop = if line.shop.is_empty() { line.platform.clone() } else { format!("{}/{}", line.platform, line.shop) };
    let standing = match (line.revoked, line.last_used) {
        (Some(at), _) => Said::new(format!("revoked {at}"), format!("{} 停用", at.in_china())),
        (None, Some(at)) => Said::new(format!("last used {at}"), format!("{} 用过", at.in_china())),
        (None, None) => Said::new("never used", "没用过"),
    };
    let (id, name, made) = (line.id, &line.name, line.made);
    Said::new(
        format!("{id}  {shop}  {scopes}  {name}  made {made}  {standing}"),
        format!("{id}  {shop}  {scopes}  {name}  {} 发放  {}", made.in_china(), standing.chinese()),
    )
}
