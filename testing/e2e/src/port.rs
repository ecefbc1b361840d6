use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::net::{Ipv4Addr, TcpListener};

/// Below the ports that systems hand out by themselves, so that a port that is free for a moment, while
/// its owner starts again, is not given to somebody else.
const PORTS: std::ops::Range<u16> = 20_000..30_000;
const TRIES: u32 = 100;

/// A listener on the loopback, at a port by chance.
pub(crate) fn listen() -> io::Result<TcpListener> {
    let mut outcome = Err(io::ErrorKind::AddrInUse.into());
    for _ in 0..TRIES {
        let port = PORTS.start + (random() % PORTS.len() as u64) as u16;
        outcome = TcpListener::bind((Ipv4Addr::LOCALHOST, port));
        if outcome.is_ok() {
            break;
        }
    }
    outcome
}

/// 64 bits by chance, from what seeds the hash maps of the standard library.
pub(crate) fn random() -> u64 {
    RandomState::new().hash_one(std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_listeners_have_two_ports_of_the_range() {
        let (one, two) = (listen().unwrap(), listen().unwrap());
        let ports = [&one, &two].map(|listener| listener.local_addr().unwrap().port());
        assert!(ports.iter().all(|port| PORTS.contains(port)), "{ports:?}");
        assert_ne!(ports[0], ports[1]);
    }
}
