//! One row that cannot be read stops no other, and is not lost.

use haos_backends::{Backend, Home};
use haos_store_api::*;
use rusqlite::Connection;

use crate::client::{Client, room};

fn stored(client: &Client, seq: u64) -> Option<Vec<u8>> {
    let conn = Connection::open(client.home.sqlite_path()).unwrap();
    let payload = "SELECT CAST(payload AS BLOB) FROM pending WHERE seq = ?1";
    conn.query_row(payload, [seq as i64], |row| row.get(0)).ok()
}

async fn damaged(sealed: bool) {
    let mut client = Client::new(Home::new(Backend::Sqlite, sealed)).await;
    client.text("a", "first").await;
    let spoilt = client.text("a", "spoilt").await;
    let child = client.about("a", &spoilt, "m.reaction", r#"{"to":"TARGET"}"#).await;
    for name in ["b", "c"] {
        client.text(name, name).await;
    }
    client.store.close().await.unwrap();
    let conn = Connection::open(client.home.sqlite_path()).unwrap();
    let sql = "UPDATE pending SET payload = '{\"x\":1}' WHERE seq = ?1";
    assert_eq!(conn.execute(sql, [spoilt.seq as i64]).unwrap(), 1);
    drop(conn);
    client.home.forget_mirror();
    client.store = client.home.open().await;
    client.outbox = crate::client::outbox(&client.store, crate::client::options());

    client.drive();
    let done = |rows: &[Pending]| rows.iter().filter(|row| row.state == PendingState::Sent).count() == 3;
    client.until("the others are sent", done).await;
    assert_eq!(client.state(&child).await, Some(PendingState::Blocked), "it waits for what may be unsent");
    client.restart().await;
    let late = client.text("b", "late").await;
    client.reaches(&late, PendingState::Sent).await;
    client.sync().await;
    assert_eq!(client.wire.bodies(&room("a")), ["first"]);
    assert_eq!(client.wire.bodies(&room("b")), ["b", "late"]);
    assert_eq!(stored(&client, spoilt.seq).as_deref(), Some(&b"{\"x\":1}"[..]), "it is still there");
    let error = client.store.pending(PendingQuery::default()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "and is reported");
    assert!(client.store.info().damaged > 0);
    let report = client.store.maintain(Maintenance::Check, Progress::none()).await.unwrap();
    assert_eq!(report.findings.len(), 1, "{:?}", report.findings);
    client.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_row_stops_no_other_and_stays() {
    damaged(false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_row_of_a_sealed_store_stops_no_other_and_stays() {
    damaged(true).await;
}
