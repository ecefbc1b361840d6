//! Bytes stored today stay readable for ever: the values were computed apart from this code.

use super::*;

/// Generation 7: a passphrase at [`FAST`], a key named `k`, data keys 1 and 2.
const RECORD: &str = "01ec1930510701080101f82e617f98262d7bb17352162a2adccc3ce54a93768ba35b8f81cee5afcd14b3a38bab765792\
    d0ea8a9655f953b3dd4dc23e841377cf393178890b684ac0289c9de8c19e535fa6e6149f48505701016b3cc5c3e3cc85\
    366890d6e7f359c5fd1031da55f1f4387bb272b53b713a20e7e34c6d4d5ac8e275964238b02098bc72f1de04b84130da\
    683dcd1e19ca9c7f55088e475a1c8154d8051b36f883b8a3aba48c1a0b41ac9638fba88aaaa632588cfad141d36a546d\
    0ccf393d01601597f4ccda045d3178073cc20e4f5167f08454d677614d0b257376828e12bd97f3bfe95ac0edeedce2ff\
    57055f364a42dedbfeff25744f6f3fd02f4a5a178888b5ec15de0bd34c272497616a100e58dd93";

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn zeros(bytes: &mut [u8]) -> Result<()> {
    bytes.fill(0);
    Ok(())
}

/// Makes a keyring without randomness, opened by either secret.
fn opened() -> [Keyring; 2] {
    [words("correct horse"), Secret::key([9; 32])]
        .map(|secret| Keyring::with_nonces(&bytes(RECORD), &secret, Source::of(zeros)).unwrap())
}

#[test]
fn a_stored_keyring_opens_with_either_secret() {
    for ring in opened() {
        assert_eq!((ring.generation(), ring.sealing_key(), ring.is_rotating()), (7, 2, true));
        assert_eq!(hex(&ring.record().unwrap()), RECORD);
    }
}

/// A body of each collection, sealed by hand: keys by HKDF-SHA256, the nonce by HMAC-SHA256 over sixteen zeros, the
/// length of the associated data, these and the body.
#[test]
fn stored_rows_are_read() {
    let [ring, _] = opened();
    let nonce = "a10002c804ad651b82b2d7ba46ed7f";
    for (collection, sealed) in Collection::ALL.into_iter().zip([
        "35a3d38ed068f88c46fe2ac03869f81a0a4e0a20",
        "7c3f3ea9d7c5b9282b3668ad96c9df3069c0f57d",
        "ed7b02e9e84116f043df4bcf5658450cc9d07baa",
        "dcd0340c3e5bcb2d915306b66e60e5d82d9e6ea2",
        "d182d5f029eec3816abf476a48b3dd9ade69c4c2",
        "c181c4e35461b9259ff127b2ef421f0244d6cfd6",
    ]) {
        let stored = bytes(&[nonce, sealed].concat());
        let read = ring.open(collection, b"\xA1aad", &stored).unwrap();
        assert_eq!(read.as_deref(), Some(&b"body"[..]), "{collection:?}");
        let mut made = ring.envelope(4);
        made.extend(b"body");
        ring.seal(collection, b"\xA1aad", &mut made).unwrap();
        assert_eq!(hex(&made), hex(&stored), "{collection:?}");
    }
}

#[test]
fn stored_ids_are_found() {
    let [ring, _] = opened();
    let codec = Codec::sealed(ring);
    let room = RoomId::new("!r").unwrap();
    assert_eq!(hex(codec.room_key(&room).as_bytes()), "b0527bf058b59dc4bcd0f8123cef63ef");
    assert_eq!(
        hex(codec.event_key(&room, &EventId::new("$e").unwrap()).as_bytes()),
        "4a324ccd824b3e8c28e08dbe88ff2584"
    );
    assert_eq!(hex(codec.txn_key(&TxnId::new("t").unwrap()).as_bytes()), "8e2e3792999ad86c165642ae54f91f65");
    assert_eq!(hex(codec.scope_key(&Scope::Account).as_bytes()), "5e1e946acabc7e748581ab3602f92048");
}

#[test]
fn each_collection_has_keys_of_its_own() {
    let ring = keyring();
    for a in Collection::ALL {
        let mut sealed = ring.envelope(4);
        sealed.extend(b"body");
        ring.seal(a, b"\xA1aad", &mut sealed).unwrap();
        for b in Collection::ALL {
            let body = ring.open(b, b"\xA1aad", &sealed).unwrap();
            assert_eq!(body, (a == b).then(|| b"body".to_vec()), "{a:?} {b:?}");
        }
    }
}
