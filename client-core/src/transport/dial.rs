//! Connects to the first address of a server that answers (RFC 8305, happy eyeballs): IPv6 and IPv4 in turn, the next one
//! a moment after the last, so that an address that is dead costs a moment and no minute.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// The next address is tried this long after the last one, if that has neither answered nor failed.
const STAGGER: Duration = Duration::from_millis(250);
/// Addresses of one name that are tried.
const ADDRESSES_MAX: usize = 16;

/// The addresses in the order in which they are tried: the families in turn, beginning with that of the first address;
/// `last_good` before all others.
pub(super) fn in_turn(addresses: &[SocketAddr], last_good: Option<SocketAddr>) -> Vec<SocketAddr> {
    let mut order: Vec<SocketAddr> = Vec::new();
    let begins_with_6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<SocketAddr>, Vec<SocketAddr>) =
        addresses.iter().partition(|address| address.is_ipv6() == begins_with_6);
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    loop {
        let pair = [first.next(), second.next()];
        if pair == [None, None] {
            break;
        }
        order.extend(pair.into_iter().flatten());
    }
    if let Some(good) = last_good.filter(|good| order.contains(good)) {
        order.retain(|address| *address != good);
        order.insert(0, good);
    }
    order.dedup();
    order.truncate(ADDRESSES_MAX);
    order
}

/// The connection that stands first. The error is that of an address that answered, where one did.
pub(super) async fn first_to_connect(addresses: &[SocketAddr]) -> std::io::Result<(SocketAddr, TcpStream)> {
    let mut left = addresses.iter().copied().peekable();
    let mut tries = JoinSet::new();
    let mut worst = None;
    loop {
        if let Some(address) = left.next() {
            tries.spawn(async move { (address, TcpStream::connect(address).await) });
        }
        let ended = tokio::select! {
            ended = tries.join_next() => ended,
            () = tokio::time::sleep(STAGGER), if left.peek().is_some() => continue,
        };
        match ended {
            Some(Ok((address, Ok(stream)))) => return Ok((address, stream)),
            Some(Ok((_, Err(error)))) => {
                let answered = error.kind() == std::io::ErrorKind::ConnectionRefused;
                if answered || worst.is_none() {
                    worst = Some(error);
                }
            }
            Some(Err(_)) => {}
            None if left.peek().is_none() => {
                let nowhere = || std::io::Error::new(std::io::ErrorKind::NotFound, "the name has no address");
                return Err(worst.unwrap_or_else(nowhere));
            }
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use tokio::net::TcpSocket;

    fn at(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn families_take_turns_and_the_last_good_address_goes_first() {
        let given: Vec<SocketAddr> =
            ["[::1]:1", "[::2]:1", "[::3]:1", "127.0.0.1:1", "127.0.0.2:1"].iter().map(|text| at(text)).collect();
        let told = |last| in_turn(&given, last).iter().map(SocketAddr::to_string).collect::<Vec<_>>().join(" ");
        assert_eq!(told(None), "[::1]:1 127.0.0.1:1 [::2]:1 127.0.0.2:1 [::3]:1");
        assert_eq!(told(Some(at("127.0.0.2:1"))), "127.0.0.2:1 [::1]:1 127.0.0.1:1 [::2]:1 [::3]:1");
        assert_eq!(told(Some(at("127.0.0.9:1"))), told(None), "an address that the name has no more is forgotten");
        assert_eq!(in_turn(&[], None), []);
    }

    /// An address that takes no connection and refuses none, as one behind a filter: its queue is full.
    async fn dead(address: &str) -> (SocketAddr, impl Sized) {
        let socket = if at(address).is_ipv6() { TcpSocket::new_v6() } else { TcpSocket::new_v4() }.unwrap();
        socket.bind(at(address)).unwrap();
        let listener = socket.listen(1).unwrap();
        let address = listener.local_addr().unwrap();
        let mut waiting = Vec::new();
        loop {
            match tokio::time::timeout(Duration::from_millis(200), TcpStream::connect(address)).await {
                Ok(stream) => waiting.push(stream.unwrap()),
                Err(_) => return (address, (listener, waiting)),
            }
        }
    }

    #[tokio::test]
    async fn dead_addresses_cost_a_moment_each() {
        let (six, _held_six) = dead("[::1]:0").await;
        let (four, _held_four) = dead("127.0.0.2:0").await;
        let alive = TcpListener::bind("127.0.0.1:0").unwrap();
        let alive = alive.local_addr().unwrap();
        let began = std::time::Instant::now();
        let (address, _stream) = first_to_connect(&[six, four, alive]).await.unwrap();
        assert_eq!(address, alive);
        // A minute went by when one address was tried until it was given up.
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    }

    #[tokio::test]
    async fn refused_addresses_cost_nothing_and_their_error_is_told() {
        let refused = |address: &str| TcpListener::bind(address).unwrap().local_addr().unwrap();
        let (one, two) = (refused("127.0.0.1:0"), refused("127.0.0.3:0"));
        let error = first_to_connect(&[one, two]).await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
        let alive = TcpListener::bind("127.0.0.4:0").unwrap();
        assert!(first_to_connect(&[one, two, alive.local_addr().unwrap()]).await.is_ok());
        assert!(first_to_connect(&[]).await.is_err());
    }
}
