use haos_matrix::compose;
use haos_queue::{About, Draft, EnqueueError};
use haos_store_api::{EventId, EventType, Json, ParkReason, PendingState, TxnId};

use super::world::{Party, on_every_store, shared};

#[tokio::test]
#[ignore = "needs Synapse: cargo xtask e2e"]
async fn what_can_never_be_sent_is_refused_at_once() {
    let synapse = shared().await;
    on_every_store(async |kind| {
        let party = Party::new(synapse, kind, "unsendable").await;
        let room = party.room("Lobby").await;
        let outbox = party.device.client().outbox();
        let kind = EventType::new("m.room.message").unwrap();
        // A server would answer 500 to this for ever.
        let surrogate = Json::new(r#"{"msgtype":"m.text","body":"\ud800"}"#).unwrap();
        let refused = outbox.enqueue(Draft::new(room.clone(), kind, surrogate)).await;
        assert!(matches!(refused, Err(EnqueueError::Unsendable(_))), "{refused:?}");
        assert!(Json::new(r#"{"msgtype":"m.text","body":"#).is_err());
        let nobody = TxnId::new("never-written").unwrap();
        let reply = compose::reply(&room, &About::Unsent(nobody.clone()), None, "yes").unwrap();
        let refused = outbox.enqueue(reply).await;
        assert!(
            matches!(&refused, Err(EnqueueError::UnknownParent(parent)) if *parent == nobody),
            "{refused:?}"
        );
        assert_eq!(party.device.rows().await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
#[ignore = "needs Synapse: cargo xtask e2e"]
async fn the_same_reaction_twice_parks_and_others_flow() {
    let synapse = shared().await;
    on_every_store(async |kind| {
        let mut party = Party::new(synapse, kind, "reacts").await;
        let [lobby, side] = [party.room("Lobby").await, party.room("Side").await];
        let hello = party.plain.send_text(lobby.as_str(), "t1", "hello").await.unwrap();
        let hello = About::Event(EventId::new(hello).unwrap());
        party.device.start();
        let outbox = party.device.client().outbox();
        outbox.enqueue(compose::reaction(&lobby, &hello, "👋").unwrap()).await.unwrap();
        let twice = outbox.enqueue(compose::reaction(&lobby, &hello, "👋").unwrap()).await.unwrap();
        party.write(&lobby, "behind").await;
        party.write(&side, "aside").await;
        let invalid = PendingState::Parked(ParkReason::Invalid);
        let parked = async || {
            let rows = party.device.rows().await.unwrap();
            rows.len() == 2 && rows[0].txn_id == twice.txn_id && rows[0].state == invalid
        };
        party.device.until("the second reaction is parked", parked).await.unwrap();
        let error = party.device.rows().await.unwrap()[0].error.clone().unwrap();
        assert!(error.contains("M_DUPLICATE_ANNOTATION"), "{error}");
        assert_eq!(
            (party.texts(&lobby).await, party.texts(&side).await),
            (vec!["hello".into()], vec!["aside".into()])
        );
        outbox.cancel(&twice.txn_id).await.unwrap();
        party.device.until_delivered().await.unwrap();
        assert_eq!(party.texts(&lobby).await, ["hello", "behind"], "{}", party.user);
        let history = party.plain.history(lobby.as_str()).await.unwrap();
        assert_eq!(history.iter().filter(|event| event.kind == "m.reaction").count(), 1);
        party.device.stop().await.unwrap();
    })
    .await;
}
