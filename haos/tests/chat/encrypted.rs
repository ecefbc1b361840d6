//! What a chat without keys knows of encrypted rooms.

use haos::{Chat, UserId};
use haos_matrix::{Account, MatrixProtocol, parse_sync};
use haos_queue::apply_sync;

use crate::world::until;

#[tokio::test]
async fn an_encrypted_room_is_told_of_once_a_sync_has_it() {
    let chat = Chat::open("memory:").offline().await.unwrap();
    let account = Account::of(UserId::new("@me:x").unwrap());
    let mut has = chat.has_encrypted_rooms();
    assert_eq!(has.next().await.unwrap(), Some(false));
    let event = r#"{"type":"m.room.encryption","state_key":"","sender":"@a:x","event_id":"$1","origin_server_ts":1,
        "content":{"algorithm":"m.megolm.v1.aes-sha2"}}"#;
    for (token, events) in [("1", ""), ("2", event)] {
        let rooms = format!(
            r#"{{"join":{{"!a:x":{{"state":{{"events":[]}},"timeline":{{"events":[{events}]}}}}}}}}"#
        );
        let delta = parse_sync(format!(r#"{{"next_batch":"{token}","rooms":{rooms}}}"#).as_bytes(), &account)
            .unwrap();
        apply_sync(&**chat.store(), &delta, None, &MatrixProtocol).await.unwrap();
        assert_eq!(has.now().await.unwrap(), token == "2");
    }
    assert!(until(has, |has| *has).await);
}

#[tokio::test]
async fn an_invite_to_an_encrypted_room_counts() {
    let chat = Chat::open("memory:").offline().await.unwrap();
    let account = Account::of(UserId::new("@me:x").unwrap());
    let events = r#"{"type":"m.room.member","state_key":"@me:x","sender":"@a:x","content":{"membership":"invite"}},
        {"type":"m.room.encryption","state_key":"","sender":"@a:x","content":{"algorithm":"m.megolm.v1.aes-sha2"}}"#;
    let body = format!(
        r#"{{"next_batch":"1","rooms":{{"invite":{{"!a:x":{{"invite_state":{{"events":[{events}]}}}}}}}}}}"#
    );
    let delta = parse_sync(body.as_bytes(), &account).unwrap();
    apply_sync(&**chat.store(), &delta, None, &MatrixProtocol).await.unwrap();
    assert!(chat.has_encrypted_rooms().now().await.unwrap());
}
