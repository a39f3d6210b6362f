//! How a phone finds its server, and what it says when something else answers.

use std::net::TcpListener;
use std::process::Command;
use std::sync::Arc;

use granary_client_core::error::Error;
use granary_client_core::phone::{Driver, Observer, Status};
use granary_client_core::schema::DocumentKey;
use granary_client_core::transport::{HttpsTransport, LineFault, Outgoing, Route, ServerLink, Transport};

use crate::world::{PROGRAM, World, household_role, lots, record, sync_until_lots};

fn fault(link: &ServerLink) -> LineFault {
    match HttpsTransport::new(link).unwrap().exchange(Route::Sync, Outgoing::Bytes(vec![1])) {
        Err(Error::Line(fault)) => fault,
        other => panic!("{other:?}"),
    }
}

/// Told of what the driver brings.
struct Heard(std::sync::mpsc::Sender<()>);

impl Observer for Heard {
    fn status_changed(&self, _: Status) {}

    fn documents_changed(&self, _: Vec<DocumentKey>) {
        let _ = self.0.send(());
    }
}

/// The link, the certificate, the request's host and the nudge's address all hold an IPv6 address.
#[test]
fn phone_enrols_syncs_and_is_nudged_at_an_ipv6_address() {
    let mut world = World::listening_on("[::1]");
    let link = world.invitation(1, &household_role());
    assert!(link.starts_with(&format!("granary://[::1]:{}/", world.port())), "{link}");
    let wang = Arc::new(world.phone(1, &household_role()));
    let li = world.phone(1, &household_role());
    li.sync_now().unwrap();
    let (heard, hears) = std::sync::mpsc::channel();
    let _driver = Driver::start(Arc::clone(&wang), Arc::new(Heard(heard))).unwrap();
    record(&li, 1_000);
    li.sync_now().unwrap();
    // The timer of an idle phone is a quarter of an hour.
    while lots(&wang).is_empty() {
        hears.recv_timeout(std::time::Duration::from_secs(60)).unwrap();
    }
    let sign_in = {
        let mut add = Command::new(PROGRAM)
            .args(["coordinator", "add", "zhang", "Zhang Wei"])
            .env("GRANARY_FOLDER", world.data())
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::io::Write::write_all(&mut add.stdin.take().unwrap(), b"a long enough password\n").unwrap();
        assert!(add.wait().unwrap().success());
        world.order(&["coordinator", "link", "zhang"])
    };
    assert!(sign_in.contains(&format!("https://[::1]:{}/console/", world.port())), "{sign_in}");
}

#[test]
fn name_that_no_phone_can_reach_is_refused_at_the_start() {
    for (listen, name) in
        [("127.0.0.1:0", "0.0.0.0"), ("127.0.0.1:0", "::"), ("127.0.0.1:0", ""), ("0.0.0.0:0", "localhost")]
    {
        let folder = tempfile::tempdir().unwrap();
        let started = Command::new(PROGRAM)
            .args(["serve", "--listen", listen, "--name", name, "--folder"])
            .arg(folder.path().join("data"))
            .output()
            .unwrap();
        let said = String::from_utf8(started.stderr).unwrap();
        assert!(!started.status.success() && said.contains("no phone can reach"), "{listen} {name:?}: {said}");
        assert!(!folder.path().join("data").exists(), "nothing was made");
    }
}

#[test]
fn something_else_in_the_servers_place_is_named() {
    let mut world = World::new();
    let link: ServerLink = world.invitation(1, "packer").parse().unwrap();
    let other_authority = ServerLink { fingerprint: Some([3; 32]), ..link.clone() };
    assert!(matches!(fault(&other_authority), LineFault::Intercepted { .. }));
    let public = ServerLink { fingerprint: None, ..link.clone() };
    assert!(matches!(fault(&public), LineFault::Intercepted { .. }), "no public authority signed it");
    let other_name = ServerLink { host: "127.0.0.2".into(), ..link.clone() };
    assert!(matches!(fault(&other_name), LineFault::NotReached { .. }), "nobody listens there");
    let nobody = ServerLink { host: "granary.invalid".into(), ..link.clone() };
    assert!(matches!(fault(&nobody), LineFault::NoName { .. }));

    // The phone goes on with what it holds, and syncs when the server itself answers again.
    let phone = world.phone(1, &household_role());
    record(&phone, 1_000);
    let port = world.port();
    world.kill();
    let impostor = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let portal = std::thread::spawn(move || {
        use std::io::{Read, Write};
        let (mut stream, _) = impostor.accept().unwrap();
        let _ = stream.read(&mut [0; 4_096]);
        let _ = stream.write_all(b"HTTP/1.1 302 Found\r\nLocation: http://10.0.0.1/\r\n\r\n");
    });
    let error = phone.sync_now().unwrap_err();
    assert_eq!(error, Error::Line(LineFault::SignInFirst), "{error}");
    portal.join().unwrap();
    assert_eq!(phone.status().unsent, 1);
    world.start();
    sync_until_lots(&phone, 1);
    assert_eq!(phone.status().unsent, 0);
}

/// The certificate of the pinned authority holds no such name: that is the operator's mistake, and nobody's attack.
#[test]
fn certificate_without_the_servers_name_is_told_apart() {
    let mut world = World::listening_on("127.0.0.5");
    let link: ServerLink = world.invitation(1, "packer").parse().unwrap();
    assert_eq!(link.host, "127.0.0.5");
    world.kill();
    // A cable that leads to the same server under another address.
    let far = TcpListener::bind("127.0.0.6:0").unwrap();
    let (there, port) = (far.local_addr().unwrap(), world.port());
    world.start();
    std::thread::spawn(move || {
        let (client, _) = far.accept().unwrap();
        let server = std::net::TcpStream::connect(("127.0.0.5", port)).unwrap();
        let (mut up, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
        std::thread::spawn(move || std::io::copy(&mut up, &mut to));
        let (mut down, mut back) = (server, client);
        let _ = std::io::copy(&mut down, &mut back);
    });
    let moved = ServerLink { host: there.ip().to_string(), port: there.port(), ..link };
    assert_eq!(fault(&moved), LineFault::OtherName { host: "127.0.0.6".into() });
}
