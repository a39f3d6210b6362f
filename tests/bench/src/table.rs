//! One row for each measurement, printed as a table or as lines of JSON.

use serde::Serialize;

/// What one workload took on one line.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Row {
    pub(crate) workload: String,
    pub(crate) peer: String,
    pub(crate) line: String,
    /// Changes from the client sending to the server sending.
    pub(crate) turns: u64,
    pub(crate) connections: u64,
    /// Above TLS, HTTP included.
    pub(crate) bytes_up: u64,
    pub(crate) bytes_down: u64,
    /// What TLS adds, handshakes included.
    pub(crate) tls_bytes_up: u64,
    pub(crate) tls_bytes_down: u64,
    pub(crate) seconds: f64,
    pub(crate) ok: bool,
    pub(crate) why: String,
}

pub(crate) fn print(rows: &[Row], json: bool) {
    if json {
        rows.iter().for_each(|row| println!("{}", serde_json::to_string(row).unwrap()));
        return;
    }
    println!(
        "{:<34} {:<10} {:<22} {:>5} {:>5} {:>9} {:>9} {:>8} {:>8} {:>8}  ok",
        "workload", "peer", "line", "turns", "conns", "up", "down", "tls up", "tls down", "seconds"
    );
    for row in rows {
        println!(
            "{:<34} {:<10} {:<22} {:>5} {:>5} {:>9} {:>9} {:>8} {:>8} {:>8.2}  {}{}",
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
            if row.ok { "yes" } else { "NO" },
            if row.why.is_empty() { String::new() } else { format!(": {}", row.why) },
        );
    }
}
