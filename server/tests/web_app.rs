//! The phone in the browser is served as browsers need it: packed or not, cached for as long as it holds, with its headers; over
//! plain HTTP for this machine alone.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::arithmetic_side_effects, reason = "of the tests' own small numbers")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::Duration;

use granary_server::{Config, Server};

struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
    }
}

struct World {
    server: Server,
    folder: tempfile::TempDir,
}

impl World {
    async fn new(with_app: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let app = folder.path().join("app");
        std::fs::create_dir_all(app.join("wasm")).unwrap();
        for (path, text) in [
            ("index.html", "<!doctype html><title>app</title>"),
            ("sw.js", "// worker"),
            ("manifest.webmanifest", "{}"),
            ("app.js", "export {}"),
            ("wasm/core.5d41402abc4b.wasm", "\0asm"),
        ] {
            std::fs::write(app.join(path), text).unwrap();
        }
        let config = Config {
            app_listen: Some("127.0.0.1:0".parse().unwrap()),
            app_folder: with_app.then_some(app),
            ..Config::local(folder.path().join("data"), 0)
        };
        let server = granary_server::start(config, |fault| panic!("{fault}")).await.unwrap();
        Self { server, folder }
    }

    fn ask_as(&self, host: &str, method: &str, path: &str, headers: &[&str]) -> Answer {
        let mut stream = TcpStream::connect(self.server.app_address().unwrap()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
        let request = format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{headers}\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(answer[..end].to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head, body: answer[end + 4..].to_vec() }
    }

    fn ask(&self, method: &str, path: &str, headers: &[&str]) -> Answer {
        self.ask_as("localhost", method, path, headers)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn app_is_served_with_its_headers_and_kept_as_long_as_it_holds() {
    let world = World::new(true).await;
    let moved = world.ask("GET", "/app", &[]);
    assert_eq!((moved.status, moved.header("location")), (308, Some("/app/")));
    let first = world.ask("GET", "/app/", &[]);
    assert_eq!((first.status, first.header("content-type")), (200, Some("text/html; charset=utf-8")));
    assert!(first.body.starts_with(b"<!doctype html>"));
    for (name, value) in [
        (
            "content-security-policy",
            "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data: blob:; \
             media-src 'self' blob:; connect-src 'self'; worker-src 'self'; manifest-src 'self'; form-action 'none'; \
             frame-ancestors 'none'; base-uri 'none'",
        ),
        ("permissions-policy", "camera=(self)"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cache-control", "no-cache"),
    ] {
        assert_eq!(first.header(name), Some(value), "{name}");
    }
    for path in ["sw.js", "manifest.webmanifest", "app.js", "app.js?v=00000000"] {
        assert_eq!(world.ask("GET", &format!("/app/{path}"), &[]).header("cache-control"), Some("no-cache"), "{path}");
    }
    let script = world.ask("GET", "/app/app.js", &[]);
    assert_eq!(script.header("content-type"), Some("text/javascript; charset=utf-8"));
    let tag = script.header("etag").unwrap();
    let own = world.ask("GET", &format!("/app/app.js?v={}", &tag[1..13]), &[]);
    assert_eq!(own.header("cache-control"), Some("public, max-age=31536000, immutable"));
    let known = world.ask("GET", "/app/app.js", &[&format!("if-none-match: {tag}")]);
    assert_eq!((known.status, known.body.len(), known.header("etag")), (304, 0, Some(tag)));
    assert_eq!(known.header("content-security-policy"), first.header("content-security-policy"));
    let head = world.ask("HEAD", "/app/app.js", &[]);
    assert_eq!((head.status, head.body.len(), head.header("etag")), (200, 0, Some(tag)));
    assert_eq!(head.header("content-length"), Some("9"));
    for path in ["none.js", "../data/authority.key", "%2e%2e/data/authority.key", ".."] {
        assert_eq!(world.ask("GET", &format!("/app/{path}"), &[]).status, 404, "{path}");
    }
    assert!(world.folder.path().join("data/authority.key").exists());
    world.server.stop().await;
}

// A first start fetches some thirty files, and a village may start behind one address.
#[tokio::test(flavor = "multi_thread")]
async fn first_load_of_a_village_passes_the_gate() {
    let world = World::new(true).await;
    for _ in 0..40 * 30 {
        assert_eq!(world.ask("GET", "/app/app.js", &[]).status, 200);
    }
    world.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_port_speaks_to_this_machine_alone_and_has_no_console() {
    let world = World::new(true).await;
    let port = world.server.app_address().unwrap().port();
    for own in ["localhost", "127.0.0.1", "[::1]"] {
        assert_eq!(world.ask_as(&format!("{own}:{port}"), "GET", "/app/", &[]).status, 200, "{own}");
    }
    for other in ["granary.example.org", "localhost.example.org:80", "192.0.2.7"] {
        for path in ["/app/", "/app/app.js", "/health"] {
            assert_eq!(world.ask_as(other, "GET", path, &[]).status, 421, "{other} {path}");
        }
        assert_eq!(world.ask_as(other, "POST", "/s", &[]).status, 421, "{other}");
    }
    for path in ["/console", "/console/sign-in", "/automerge", "/metrics"] {
        assert_eq!(world.ask("GET", path, &[]).status, 404, "{path}");
    }
    // The phone's routes are there: they say what is wrong, not that they are not known.
    for path in ["/s", "/enrol", "/invitation", "/reinstate", "/carried"] {
        let answer = world.ask("POST", path, &["content-length: 0"]);
        assert!((400..=403).contains(&answer.status), "{path} {}", answer.status);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{path}");
    }
    let live = ["upgrade: websocket", "sec-websocket-version: 13", "sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA=="];
    let mut stream = TcpStream::connect(world.server.app_address().unwrap()).unwrap();
    let request =
        format!("GET /live HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\n{}\r\n\r\n", live.join("\r\n"));
    stream.write_all(request.as_bytes()).unwrap();
    let mut begin = [0; 12];
    stream.read_exact(&mut begin).unwrap();
    assert_eq!(&begin, b"HTTP/1.1 101");
    drop(stream);
    assert_eq!(
        world.server.browser_invitation("7KQ2-M9XT-4B0F").unwrap(),
        format!("http://localhost:{port}/app/#7KQ2-M9XT-4B0F")
    );
    world.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn program_without_an_app_says_what_to_do() {
    let world = World::new(false).await;
    if !world.server.has_web_app() {
        let page = world.ask("GET", "/app/", &[]);
        assert_eq!(page.status, 404);
        assert!(String::from_utf8(page.body).unwrap().contains("web/build"));
        assert_eq!(world.ask("GET", "/app/app.js", &[]).status, 404);
    }
    world.server.stop().await;
}

// Embedded files are packed; a browser that takes no brotli gets the same content.
#[tokio::test(flavor = "multi_thread")]
async fn embedded_app_is_packed_and_unpacked() {
    let world = World::new(false).await;
    if world.server.has_web_app() {
        let packed = world.ask("GET", "/app/", &["accept-encoding: gzip, deflate, br, zstd"]);
        let plain = world.ask("GET", "/app/", &["accept-encoding: gzip"]);
        assert_eq!((packed.header("content-encoding"), plain.header("content-encoding")), (Some("br"), None));
        assert!(packed.body.len() < plain.body.len() && packed.header("etag") != plain.header("etag"));
        assert_eq!(packed.header("vary"), Some("accept-encoding"));
        let dist = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../web/dist/index.html.br");
        assert_eq!(packed.body, std::fs::read(dist).unwrap());
        assert!(plain.body.to_ascii_lowercase().starts_with(b"<!doctype html>"));
    }
    world.server.stop().await;
}
