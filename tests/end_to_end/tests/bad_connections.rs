//! A phone syncs beside hostile connections: silent ones, slow ones, half a handshake.

use std::io::Write;
use std::net::TcpStream;

use crate::world::{World, household_role, lots, record, sync_until_lots};

/// Connections of each kind.
const EACH: usize = 300;

#[test]
fn phone_syncs_among_bad_connections() {
    let mut world = World::new();
    let phone = world.phone(1, &household_role());
    let coordinator = world.phone(1, "coordinator");
    let port = world.port();
    let connect = || TcpStream::connect(("127.0.0.1", port)).unwrap();
    let silent: Vec<TcpStream> = (0..EACH).map(|_| connect()).collect();
    // A TLS record with a length of sixteen thousand bytes arrives byte by byte.
    let mut slow: Vec<TcpStream> = (0..EACH).map(|_| connect()).collect();
    for byte in [0x16, 0x03, 0x01, 0x3f, 0xff, 0x01] {
        for stream in &mut slow {
            stream.write_all(&[byte]).unwrap();
        }
    }
    let broken: Vec<TcpStream> = (0..EACH).map(|_| connect()).collect();
    for mut stream in broken {
        // The server may have closed the connection already.
        let _ = stream.write_all(b"GET / HTTP/1.1\r\nhost: granary\r\n\r\n");
    }
    for grams in 1..=5 {
        record(&phone, grams);
    }
    phone.sync_now().unwrap();
    sync_until_lots(&coordinator, 5);
    assert_eq!(lots(&coordinator).len(), 5);
    drop((silent, slow));
}
