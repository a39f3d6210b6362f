//! A line between phones and server: a proxy in user space that delays, slows, cuts and counts.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::Instant;

/// The properties of a line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) name: &'static str,
    /// Bytes a second in each direction; none for no limit.
    pub(crate) bytes_per_second: Option<u64>,
    /// Each way.
    pub(crate) latency: Duration,
    /// A connection is cut after this many bytes in both directions together.
    pub(crate) cut_after: Option<u64>,
}

pub(crate) const LOOPBACK: Shape =
    Shape { name: "loopback", bytes_per_second: None, latency: Duration::ZERO, cut_after: None };
/// 50 kbit/s with 300 ms each way.
pub(crate) const SLOW: Shape = Shape {
    name: "50 kbit/s 300 ms",
    bytes_per_second: Some(6_250),
    latency: Duration::from_millis(300),
    cut_after: None,
};
/// The same, cut every 4 kB.
pub(crate) const CUT: Shape = Shape { name: "the same, cut every 4 kB", cut_after: Some(4_096), ..SLOW };

/// Bytes of a packet.
const PACKET: usize = 1_400;

/// Counts since the last [`Passed::take`].
#[derive(Debug, Default)]
pub(crate) struct Passed {
    pub(crate) up: AtomicU64,
    pub(crate) down: AtomicU64,
    pub(crate) connections: AtomicU64,
    /// Changes of direction from client to server, as the proxy sees them.
    pub(crate) turns: AtomicU64,
    last_was_up: AtomicU64,
    last_at: std::sync::Mutex<Option<std::time::Instant>>,
}

impl Passed {
    pub(crate) fn take(&self) -> (u64, u64, u64, u64) {
        let take = |count: &AtomicU64| count.swap(0, Ordering::SeqCst);
        (take(&self.up), take(&self.down), take(&self.connections), take(&self.turns))
    }

    /// When the last byte passed.
    pub(crate) fn last_at(&self) -> Option<std::time::Instant> {
        *self.last_at.lock().unwrap()
    }
}

/// A running line.
pub(crate) struct Line {
    pub(crate) address: SocketAddr,
    pub(crate) passed: Arc<Passed>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Line {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Line {
    pub(crate) async fn to(server: SocketAddr, shape: Shape) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let passed = Arc::new(Passed::default());
        let counts = Arc::clone(&passed);
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(server).await else { continue };
                counts.connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(forward(client, server, shape, Arc::clone(&counts)));
            }
        });
        Self { address, passed, task }
    }
}

async fn forward(client: TcpStream, server: TcpStream, shape: Shape, passed: Arc<Passed>) {
    client.set_nodelay(true).unwrap();
    server.set_nodelay(true).unwrap();
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let budget = Arc::new(AtomicU64::new(shape.cut_after.unwrap_or(u64::MAX)));
    let up = one_way(from_client, to_server, shape, Arc::clone(&budget), Arc::clone(&passed), true);
    let down = one_way(from_server, to_client, shape, budget, passed, false);
    // A cut of one direction ends the other too.
    tokio::select! {
        () = async { tokio::join!(up, down); } => {}
    }
}

async fn one_way(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    shape: Shape,
    budget: Arc<AtomicU64>,
    passed: Arc<Passed>,
    is_up: bool,
) {
    let (packets, mut waiting) = mpsc::channel::<(Instant, Vec<u8>)>(1024);
    let deliver = async move {
        while let Some((when, packet)) = waiting.recv().await {
            tokio::time::sleep_until(when).await;
            if to.write_all(&packet).await.is_err() {
                break;
            }
        }
        let _ = to.shutdown().await;
    };
    let read = async move {
        let mut buffer = vec![0; PACKET];
        let mut free_at = Instant::now();
        loop {
            let read = match tokio::time::timeout(Duration::from_millis(20), from.read(&mut buffer)).await {
                Err(_) if budget.load(Ordering::SeqCst) == 0 => break,
                Err(_) => continue,
                Ok(Ok(0) | Err(_)) => break,
                Ok(Ok(read)) => read,
            };
            // Both directions share one budget, so the update is atomic.
            let less = |left: u64| Some(left.saturating_sub(read as u64));
            let left = budget.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).unwrap_or(0);
            let read = read.min(usize::try_from(left).unwrap_or(usize::MAX));
            count(&passed, read as u64, is_up);
            if let Some(rate) = shape.bytes_per_second {
                free_at = free_at.max(Instant::now()) + Duration::from_secs_f64(read as f64 / rate as f64);
                tokio::time::sleep_until(free_at).await;
            }
            if packets.send((Instant::now() + shape.latency, buffer[..read].to_vec())).await.is_err() {
                break;
            }
            if budget.load(Ordering::SeqCst) == 0 {
                break;
            }
        }
    };
    tokio::join!(read, deliver);
}

fn count(passed: &Passed, bytes: u64, is_up: bool) {
    let direction = if is_up { &passed.up } else { &passed.down };
    direction.fetch_add(bytes, Ordering::SeqCst);
    *passed.last_at.lock().unwrap() = Some(std::time::Instant::now());
    let was_up = passed.last_was_up.swap(u64::from(is_up), Ordering::SeqCst) == 1;
    if was_up && !is_up {
        passed.turns.fetch_add(1, Ordering::SeqCst);
    }
}
