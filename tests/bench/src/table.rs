//! One row for each measurement, printed as a table or as lines of JSON.

use serde::{Deserialize, Serialize};

/// The measurement of one workload on one line.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) workload: String,
    pub(crate) peer: String,
    pub(crate) line: String,
    /// Changes of direction from client to server.
    pub(crate) turns: u64,
    /// Not kept in tables, so not in rows that were written from one.
    #[serde(default)]
    pub(crate) connections: u64,
    /// Above TLS, HTTP included.
    pub(crate) bytes_up: u64,
    pub(crate) bytes_down: u64,
    /// Bytes of TLS itself, handshakes included.
    pub(crate) tls_bytes_up: u64,
    pub(crate) tls_bytes_down: u64,
    pub(crate) seconds: f64,
    /// Of all the clients of the workload together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) client_processor_seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) server_memory_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) server_disk_bytes: Option<u64>,
    pub(crate) ok: bool,
    pub(crate) why: String,
}

pub(crate) fn print(rows: &[Row], json: bool) {
    if json {
        rows.iter().for_each(|row| println!("{}", serde_json::to_string(row).unwrap()));
        return;
    }
    println!(
        "{:<34} {:<26} {:<26} {:>5} {:>5} {:>10} {:>10} {:>8} {:>8} {:>8} {:>7} {:>9} {:>8}  ok",
        "workload",
        "peer",
        "line",
        "turns",
        "conns",
        "up",
        "down",
        "tls up",
        "tls down",
        "seconds",
        "cpu s",
        "server MB",
        "disk MB"
    );
    let shown = |figure: Option<f64>, places: usize| figure.map_or_else(|| "-".into(), |it| format!("{it:.places$}"));
    let megabytes = |bytes: Option<u64>| shown(bytes.map(|bytes| bytes as f64 / 1e6), 1);
    for row in rows {
        println!(
            "{:<34} {:<26} {:<26} {:>5} {:>5} {:>10} {:>10} {:>8} {:>8} {:>8.2} {:>7} {:>9} {:>8}  {}{}",
            row.workload,
            row.peer,
            row.line,
            row.turns,
            row.connections,
            row.bytes_up,
            row.bytes_down,
            row.tls_bytes_up,
            row.tls_bytes_down,
            row.seconds,
            shown(row.client_processor_seconds, 2),
            megabytes(row.server_memory_bytes),
            megabytes(row.server_disk_bytes),
            if row.ok { "yes" } else { "NO" },
            if row.why.is_empty() { String::new() } else { format!(": {}", row.why) },
        );
    }
}
