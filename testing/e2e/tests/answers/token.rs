use haos_store_api::{
    EventType, Json, Membership, Scope, StateEntry, StateKey, StorageAdapterExt as _, WriteBatch, state_kind,
};

use super::world::{Party, messages, on_every_store, shared};

#[tokio::test]
#[ignore = "needs Synapse: cargo xtask e2e"]
async fn a_token_that_nobody_knows_costs_nothing_but_a_fresh_sync() {
    let synapse = shared().await;
    on_every_store(async |kind| {
        let mut party = Party::new(synapse, kind, "amnesia").await;
        let [lobby, gone] = [party.room("Lobby").await, party.room("Gone").await];
        party.device.start();
        for body in ["one", "two"] {
            party.write(&lobby, body).await;
        }
        party.write(&gone, "farewell").await;
        party.device.until_delivered().await.unwrap();
        party.device.stop().await.unwrap();

        let store = party.device.client().store().clone();
        let mut batch = WriteBatch::strict();
        batch.put_state(StateEntry {
            scope: Scope::Account,
            kind: EventType::new(state_kind::SYNC_TOKEN).unwrap(),
            key: StateKey::new("").unwrap(),
            event_id: None,
            value: Json::of("garbage").unwrap(),
        });
        store.apply(batch).await.unwrap();
        party.write(&lobby, "four").await;
        party.plain.send_text(lobby.as_str(), "t3", "three").await.unwrap();
        party.plain.leave(gone.as_str()).await.unwrap();

        party.device.start();
        party.device.until_delivered().await.unwrap();
        party.device.until_live().await.unwrap();
        assert!(store.sync_token().await.unwrap().is_some_and(|token| token != "garbage"));
        assert_eq!(party.texts(&lobby).await, ["one", "two", "three", "four"], "{}", party.user);
        assert_eq!(party.stored(&lobby).await, ["one", "two", "three", "four"], "nothing twice");
        party.until_membership(&gone, Membership::Leave).await;
        assert_eq!(party.stored(&gone).await, ["farewell"], "what was read stays");
        let all = messages(&party.device, &lobby).await;
        let stored: Vec<_> = all.iter().map(|message| message.id.as_str()).collect();
        let history = party.plain.history(lobby.as_str()).await.unwrap();
        let there: Vec<_> = history.iter().map(|event| event.event_id.as_str()).collect();
        assert_eq!(stored, there, "in the server's order");
        party.device.stop().await.unwrap();
    })
    .await;
}
