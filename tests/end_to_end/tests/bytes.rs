//! What a story costs on the line, on the native phone and in a browser: the bodies of its exchanges, seen by a proxy that both go
//! through. Headers are HTTP's and the platform's own; below them both phones say the same.

use std::path::Path;
use std::sync::{Arc, Mutex};

use granary_client_core::phone::Phone;
use granary_client_core::quantities::{Day, Fen, Grams};
use granary_client_core::schema::access::Role;
use granary_client_core::schema::catalogue::{PriceName, set_price};
use granary_client_core::schema::harvest::LotDraft;
use granary_client_core::schema::{DocumentKey, Part};
use granary_server::log::CooperativeNumber;
use granary_server::{Config, Proxies, Server};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::behind_a_proxy::{tls_end, to_server};
use crate::in_a_browser::{HOUSEHOLD, now, prepare, started, with_app};

const LOTS: i64 = 10;
/// Ids, keys and signatures are random and times differ, so that a body that says the same is some bytes longer or shorter.
const CHANCE_BYTES: usize = 24;

/// The bytes of one connection, as they passed.
#[derive(Default)]
struct Passed {
    up: Vec<u8>,
    down: Vec<u8>,
}

type Line = Arc<Mutex<Vec<Arc<Mutex<Passed>>>>>;

/// Passes bytes on both ways, and writes them down.
async fn pass(line: Line, from: impl AsyncRead + AsyncWrite, to: impl AsyncRead + AsyncWrite) {
    let passed = Arc::new(Mutex::new(Passed::default()));
    line.lock().unwrap().push(Arc::clone(&passed));
    let ((mut from_read, mut from_write), (mut to_read, mut to_write)) = (tokio::io::split(from), tokio::io::split(to));
    let up = async {
        let mut part = vec![0; 65_536];
        while let Ok(read @ 1..) = from_read.read(&mut part).await {
            passed.lock().unwrap().up.extend(&part[..read]);
            if to_write.write_all(&part[..read]).await.is_err() || to_write.flush().await.is_err() {
                break;
            }
        }
        let _ = to_write.shutdown().await;
    };
    let down = async {
        let mut part = vec![0; 65_536];
        while let Ok(read @ 1..) = to_read.read(&mut part).await {
            passed.lock().unwrap().down.extend(&part[..read]);
            if from_write.write_all(&part[..read]).await.is_err() || from_write.flush().await.is_err() {
                break;
            }
        }
        let _ = from_write.shutdown().await;
    };
    tokio::join!(up, down);
}

/// The HTTP messages of one direction: each with its first line and the length of its body. What follows an upgrade is none.
fn messages(mut bytes: &[u8]) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    while let Some(end) = bytes.windows(4).position(|part| part == b"\r\n\r\n") {
        let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
        let first = head.lines().next().unwrap_or_default().to_owned();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
        bytes = &bytes[end + 4..];
        let mut body = length.unwrap_or(0).min(bytes.len());
        let mut taken = body;
        if head.contains("transfer-encoding: chunked") {
            (body, taken) = (0, 0);
            while let Some(line) = bytes[taken..].windows(2).position(|part| part == b"\r\n") {
                let size = String::from_utf8_lossy(&bytes[taken..taken + line]).into_owned();
                let size = usize::from_str_radix(size.trim(), 16).unwrap();
                taken = (taken + line + 2 + size + 2).min(bytes.len());
                body += size;
                if size == 0 {
                    break;
                }
            }
        }
        bytes = &bytes[taken..];
        let is_upgraded = first.contains(" 101 ");
        found.push((first, body));
        if is_upgraded {
            break;
        }
    }
    found
}

/// The bodies, up and down, of the exchanges of phones so far.
fn exchanges(line: &Line) -> Vec<(String, usize, usize)> {
    let connections = line.lock().unwrap();
    let of = |passed: &Arc<Mutex<Passed>>| {
        let passed = passed.lock().unwrap();
        let pairs = messages(&passed.up).into_iter().zip(messages(&passed.down));
        pairs.map(|((asked, up), (_, down))| (asked, up, down)).collect::<Vec<_>>()
    };
    let all = connections.iter().flat_map(of);
    // The app's own files are no sync.
    all.filter(|(asked, ..)| asked.starts_with("post ") || asked.starts_with("put ")).collect()
}

/// Behind a proxy, which sees what passes.
fn behind_a_proxy(folder: &Path) -> Config {
    Config { proxies: Proxies::of(&["127.0.0.1".to_owned()]).unwrap(), ..with_app(folder) }
}

fn raise_price(server: &Server, coop: CooperativeNumber) {
    let edit =
        |doc: &mut _| set_price(doc, "millet", &PriceName::new("A".into(), None).unwrap(), Fen::new(780).unwrap());
    server.granary().edit(coop, &DocumentKey::Catalogue(Part::FIRST), now(), edit).unwrap();
}

/// What a story brought on the line: whatever each of its three steps added, summed.
#[derive(Debug)]
struct Cost {
    joined: (usize, usize),
    lots: (usize, usize),
    price: (usize, usize),
}

fn sum(of: &[(String, usize, usize)]) -> (usize, usize) {
    of.iter().fold((0, 0), |(up, down), (_, more, less)| (up + more, down + less))
}

impl Cost {
    /// Of what had passed after each step. A browser may open a second connection, whose exchanges stand behind those of the first
    /// whenever they were, so that sums are compared, not places.
    fn of([joined, with_lots, all]: [&[(String, usize, usize)]; 3]) -> Self {
        let since = |now: &[_], before: &[_]| {
            let (now, before) = (sum(now), sum(before));
            (now.0 - before.0, now.1 - before.1)
        };
        Self { joined: sum(joined), lots: since(with_lots, joined), price: since(all, with_lots) }
    }
}

fn cost_natively(folder: &Path, runtime: &tokio::runtime::Runtime) -> Cost {
    let (server, coop) = started(runtime, behind_a_proxy(folder));
    let server = Arc::new(server);
    let line = Line::default();
    let (acceptor, fingerprint) = tls_end();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let port = listener.local_addr().unwrap().port();
    let (authority, taken, to) = (folder.join("server/authority.pem"), Arc::clone(&line), Arc::clone(&server));
    runtime.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, authority, taken) = (acceptor.clone(), authority.clone(), Arc::clone(&taken));
            let to = Arc::clone(&to);
            tokio::spawn(async move {
                let Ok(from) = acceptor.accept(stream).await else { return };
                pass(taken, from, to_server(&to, &authority).await).await;
            });
        }
    });
    let code = server.granary().invite(coop, Role::Household(HOUSEHOLD), 1, now()).unwrap().code;
    let phone = Phone::open(&folder.join("phone")).unwrap();
    phone.enrol(&format!("granary://localhost:{port}/{code}#{fingerprint}"), "李家").unwrap();
    phone.sync_now().unwrap();
    let joined = exchanges(&line);
    let day: Day = phone.today();
    for lot in 0..LOTS {
        let draft = LotDraft::new("millet", Grams::new(20_000 + lot * 100).unwrap(), day);
        phone.record_of_day(HOUSEHOLD, &LotDraft { grade: "A".into(), note: format!("第 {lot} 批"), ..draft }).unwrap();
    }
    phone.sync_now().unwrap();
    let with_lots = exchanges(&line);
    raise_price(&server, coop);
    phone.sync_now().unwrap();
    let all = exchanges(&line);
    Cost::of([&joined, &with_lots, &all])
}

fn cost_in_a_browser(folder: &Path, runtime: &tokio::runtime::Runtime) -> Cost {
    let (server, coop) = started(runtime, behind_a_proxy(folder));
    let server = Arc::new(server);
    let line = Line::default();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let port = listener.local_addr().unwrap().port();
    let (address, taken) = (server.app_address().unwrap(), Arc::clone(&line));
    runtime.spawn(async move {
        while let Ok((from, _)) = listener.accept().await {
            let taken = Arc::clone(&taken);
            tokio::spawn(async move {
                let Ok(to) = TcpStream::connect(address).await else { return };
                pass(taken, from, to).await;
            });
        }
    });
    let code = server.granary().invite(coop, Role::Household(HOUSEHOLD), 1, now()).unwrap().code;
    let mut at = Vec::new();
    // The script stops after each step until the next is asked for.
    crate::in_a_browser::step_script(
        &["bytes.mjs", &format!("http://localhost:{port}/app/"), &code, &LOTS.to_string()],
        |step| {
            at.push(exchanges(&line));
            if step == "lots" {
                raise_price(&server, coop);
            }
        },
    );
    let [joined, with_lots, all] = &at[..] else { panic!("{} steps", at.len()) };
    Cost::of([joined, with_lots, all])
}

#[test]
fn sync_costs_the_same_bytes_in_a_browser_as_natively() {
    if !prepare() {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let native = cost_natively(&folder.path().join("native"), &runtime);
    let browser = cost_in_a_browser(&folder.path().join("browser"), &runtime);
    println!("natively {native:?}, in a browser {browser:?}");
    for (step, one, other) in [
        ("joined", native.joined, browser.joined),
        ("lots", native.lots, browser.lots),
        ("price", native.price, browser.price),
    ] {
        for (way, one, other) in [("up", one.0, other.0), ("down", one.1, other.1)] {
            assert!(one > 0 && one.abs_diff(other) <= CHANCE_BYTES, "{step} {way}: {native:?} {browser:?}");
        }
    }
}
