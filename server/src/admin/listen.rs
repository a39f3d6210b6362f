//! The operator's socket on the server's side: a command in a line, an answer in a line.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixListener;

use super::answer::run;
use super::{Answer, LINE_MAX, socket_error};
use crate::config::Config;
use crate::engine::Granary;
use crate::error::Error;
use crate::http::{Gate, PublicAddress};
use crate::said::Said;

/// Answers commands until aborted.
pub(crate) fn listen(
    config: &Config,
    granary: Arc<Granary>,
    gate: Arc<Gate>,
    public: Arc<PublicAddress>,
) -> Result<tokio::task::JoinHandle<()>, Error> {
    let path = config.socket();
    // This process holds the store's lock, so an existing socket is a stale one.
    let _ = std::fs::remove_file(&path);
    let listener = UnixListener::bind(&path).map_err(|error| socket_error(&path, &error))?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))
        .map_err(|error| socket_error(&path, &error))?;
    let folder = config.folder.clone();
    Ok(tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (granary, gate, folder) = (Arc::clone(&granary), Arc::clone(&gate), folder.clone());
            let public = Arc::clone(&public);
            tokio::spawn(async move {
                let (reader, mut writer) = stream.split();
                let mut line = String::new();
                if tokio::io::BufReader::new(reader.take(LINE_MAX)).read_line(&mut line).await.is_err() {
                    return;
                }
                let worked = tokio::task::spawn_blocking(move || match serde_json::from_str(&line) {
                    Ok(command) => run((&granary, &gate), command, &folder, &public)
                        .unwrap_or_else(|error| Answer::Failed(Said::of(&error))),
                    Err(error) => Answer::Failed(Said::new(
                        format!("the command can't be read: {error}"),
                        format!("看不懂这个命令（{error}）"),
                    )),
                });
                let answer = worked.await.unwrap_or_else(|error| Answer::Failed(error.to_string().into()));
                let mut bytes = serde_json::to_vec(&answer).unwrap_or_default();
                bytes.push(b'\n');
                let _ = writer.write_all(&bytes).await;
            });
        }
    }))
}
