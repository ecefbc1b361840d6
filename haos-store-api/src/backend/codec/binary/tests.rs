use std::fmt::Debug;

use serde::Serialize;

use super::*;

/// Holds a value's form against bincode's, and every part of it against being cut off.
fn same<T: Binary + Serialize + PartialEq + Debug>(value: T) {
    let mut bytes = Vec::new();
    value.write(&mut bytes);
    let theirs = bincode::serde::encode_to_vec(&value, bincode::config::standard()).unwrap();
    assert_eq!(bytes, theirs, "{value:?}");
    assert_eq!(read::<T>(&bytes).unwrap(), value);
    for cut in 0..bytes.len() {
        assert!(read::<T>(&bytes[..cut]).is_err(), "{value:?}, {cut} bytes");
    }
    bytes.push(0);
    assert_eq!(read::<T>(&bytes).unwrap_err().to_string(), "bytes are left over");
}

#[test]
fn numbers_are_those_of_bincode() {
    let edges = [0, 1, 250, 251, 252, 255, 256, 0xFFFF, 0x1_0000, 0xFFFF_FFFF, 0x1_0000_0000, u64::MAX];
    for edge in edges {
        same(edge);
        same(edge as u32);
        same(edge as u16);
        same(edge as u8);
        for signed in [edge as i64, (edge as i64).wrapping_neg(), (edge / 2) as i64, !(edge / 2) as i64] {
            same(signed);
            same(signed as i32);
        }
    }
}

#[test]
fn values_are_those_of_bincode() {
    for flag in [false, true] {
        same(flag);
        same(Some(flag));
    }
    same(None::<u64>);
    same(vec![Some(300_u64), None]);
    same(vec![7_u8; 300]);
    same([1_u8, 2, 3]);
    same((7_u16, [9_u8; 32]));
    for text in ["", "a", "é\u{1F600}", &"x".repeat(70_000)] {
        same(text.to_owned());
    }
    same(RoomId::new("!r").unwrap());
    same(StateKey::new("").unwrap());
    same(Json::new(r#"{"n": 1.50}"#).unwrap());
    same(Unread { notifications: 300, highlights: 0 });
    same(Lease { owner: "me".to_owned(), until_ms: -1 });
    same(MediaKey { uri: MediaUri::new("m").unwrap(), format: MediaFormat::new("").unwrap() });
    same(Scope::Account);
    same(Scope::Room(RoomId::new("!r").unwrap()));
}

#[test]
fn variants_are_those_of_bincode() {
    use Membership::{Ban, Invite, Join, Knock, Leave};
    let _ = [Join, Invite, Knock, Leave, Ban].map(same);
    use RelationKind::{Edit, Ignored, Other, Reaction, Redaction, Reply, Thread};
    for kind in [Edit, Reaction, Reply, Thread, Redaction, Other("x".to_owned()), Ignored] {
        same(Relation { kind, target: EventId::new("$t").unwrap(), key: None });
    }
    use PendingState::{Blocked, Parked, Queued, Sending, Sent};
    let _ = [Blocked, Queued, Sending, Sent].map(same);
    let reasons = [
        ParkReason::Forbidden,
        ParkReason::TooLarge,
        ParkReason::Invalid,
        ParkReason::NotFound,
        ParkReason::Ambiguous,
        ParkReason::Expired,
        ParkReason::ParentFailed,
        ParkReason::MissingMedia,
        ParkReason::Paused,
        ParkReason::Refused,
        ParkReason::Restored,
    ];
    let _ = reasons.map(Parked).map(same);
}

#[test]
fn bytes_that_are_no_value_are_refused() {
    let refused = |fault: Result<String, Fault>| fault.unwrap_err().to_string();
    // A length beyond all memory, a text that is none, a mark of 16 bytes.
    assert_eq!(refused(read(&[253, 255, 255, 255, 255, 255, 255, 255, 255])), "it is cut short");
    assert_eq!(refused(read(&[1, 0xFF])), "it has a text that is not UTF-8");
    assert_eq!(refused(read(&[254; 17])), UNKNOWN.to_string());
    assert!(read::<Vec<u64>>(&[253, 255, 255, 255, 255, 255, 255, 255, 255]).is_err());
    assert!(read::<u16>(&[252, 0, 0, 1, 0]).is_err());
    assert!(read::<i32>(&[253, 255, 255, 255, 255, 255, 255, 255, 255]).is_err());
    assert!(read::<bool>(&[2]).is_err());
    assert!(read::<Option<bool>>(&[2, 0]).is_err());
    assert!(read::<Membership>(&[5]).is_err());
    assert!(read::<RoomId>(&[0]).is_err());
    assert!(read::<RoomId>(&[1, 0]).is_err());
    assert!(read::<Json>(&[1, b'{']).is_err());
}
