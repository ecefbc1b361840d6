//! Content of people and servers comes back byte for byte.

use crate::conformance::check::*;
use crate::conformance::make::*;
use crate::conformance::{Harness, Outcome};
use crate::*;

async fn kept(store: &Store, content: &str) -> Outcome {
    let own = Message { content: json(content), extra: Some(json(content)), ..message(1) };
    let row = Pending { content: json(content), wire: Some(json(content)), ..pending(1) };
    let entry = state(Scope::Account, "k", "", content);
    put(store, |batch| batch.put_message(own).put_pending(row).put_state(entry)).await?;
    let found = some(store.message(&room(0), &event(1)).await?)?;
    let texts = [found.content.as_str(), found.extra.as_ref().map_or("", Json::as_str)];
    holds(texts == [content; 2], "a message's content comes back byte for byte")?;
    let rows = store.pending(PendingQuery::default()).await?;
    let row = some(rows.first())?;
    let texts = [row.content.as_str(), row.wire.as_ref().map_or("", Json::as_str)];
    holds(texts == [content; 2], "an outbox row's content comes back byte for byte")?;
    let entries = store.state(StateQuery::all(Scope::Account)).await?;
    holds(some(entries.first())?.value.as_str() == content, "a state's value comes back byte for byte")
}

pub(crate) async fn json_is_kept_byte_for_byte(harness: &mut dyn Harness) -> Outcome {
    let store = with_room(harness).await?;
    let texts = [
        "{}",
        "null",
        r#""""#,
        r#"{"big":123456789012345678901234567890,"small":-0.0,"exp":1E+400}"#,
        r#"{ "b" : 1 , "a" : [ ] , "b" : 2 }"#,
        r#"{"slash":"\/","escape":"\u00e9","quote":"\"'\\","del":"\u007f","line":"\u2028"}"#,
        "{\n\t\"white\":\r\n\"space\"}",
        r#"{"emoji":"👩‍👩‍👧‍👦","rtl":"שלום‏","zalgo":"Z̸̛͎","nul":"\u0000"}"#,
        r#"{"sql":"'; DROP TABLE messages; --","type":"x","event_id":"$fake","content":{}}"#,
    ];
    for text in texts {
        kept(&store, text).await?;
    }
    Ok(())
}

pub(crate) async fn deep_json_is_kept_or_refused(harness: &mut dyn Harness) -> Outcome {
    let store = with_room(harness).await?;
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    kept(&store, &nested(MAX_JSON_DEPTH)).await?;
    let found = some(store.message(&room(0), &event(1)).await?)?;
    holds(found.content.parse::<serde_json::Value>().is_ok(), "the deepest content can be read")?;
    for depth in [MAX_JSON_DEPTH + 1, 100_000] {
        fails(Json::new(nested(depth)), ErrorKind::Invalid)?;
    }
    Ok(())
}

pub(crate) async fn a_megabyte_of_content(harness: &mut dyn Harness) -> Outcome {
    let store = with_room(harness).await?;
    kept(&store, &format!(r#"{{"body":"{}"}}"#, "é".repeat(512 << 10))).await?;
    put(&store, |batch| batch.redact(redaction(1, 2))).await?;
    same(store.message(&room(0), &event(1)).await?.map(|message| message.content), Some(Json::empty()))
}

/// Makes ids that a careless backend mixes up, cuts or trips over.
fn odd_ids() -> Vec<String> {
    let mut ids: Vec<String> = [
        "1",
        "01",
        "1.0",
        "1e0",
        " ",
        "a",
        "A",
        "a ",
        " a",
        "%",
        "_",
        "'",
        "\"",
        "\\",
        "/",
        "..",
        "a/b",
        "a:b",
        "é",
        "e\u{301}",
        "\u{feff}",
        "\u{1f680}",
        "\u{10ffff}",
        "\n",
        "true",
        "null",
        "NULL",
        "-",
        "--",
        "*",
        "?",
        "a?",
        "[a]",
        "{}",
        "a\u{1}b",
        "\u{ffff}",
        "\u{fffd}",
    ]
    .map(str::to_owned)
    .into();
    ids.push("x".repeat(MAX_ID_BYTES));
    ids.push("x".repeat(MAX_ID_BYTES - 1));
    ids.push(format!("{}y", "x".repeat(MAX_ID_BYTES - 1)));
    ids.push("é".repeat(MAX_ID_BYTES / 2));
    ids
}

pub(crate) async fn odd_ids_are_all_different(harness: &mut dyn Harness) -> Outcome {
    let store = harness.open().await?;
    let ids = odd_ids();
    let mut batch = WriteBatch::relaxed();
    for (n, id) in ids.iter().enumerate() {
        let n = n as u64;
        let content = Json::of(id)?;
        let room = Room { name: Some(id.clone()), ..Room::new(room_id(id), Membership::Join) };
        batch.put_room(room).put_message(Message {
            room: room_id(id),
            id: event_id(id),
            sender: user_id(id),
            txn_id: Some(TxnId::new(id)?),
            content: content.clone(),
            ..message(n)
        });
        batch.put_pending(Pending { txn_id: TxnId::new(id)?, content: content.clone(), ..pending(n) });
        let media_key = MediaKey { uri: MediaUri::new(id)?, format: MediaFormat::new(id)? };
        batch.put_media(MediaInfo { key: media_key, ..media(n, n as i64) }, id.clone().into_bytes());
        batch.put_state(StateEntry { value: content, ..state(Scope::Account, id, id, "0") });
    }
    store.apply(batch).await?;
    same(store.rooms(RoomQuery::default()).await?.len(), ids.len())?;
    same(store.pending(PendingQuery::default()).await?.len(), ids.len())?;
    same(store.media_index(MediaQuery::default()).await?.len(), ids.len())?;
    same(store.state(StateQuery::all(Scope::Account)).await?.len(), ids.len())?;
    for id in &ids {
        let content = Json::of(id)?;
        same(store.room(&room_id(id)).await?.and_then(|room| room.name).as_ref(), Some(id))?;
        let found = some(store.message(&room_id(id), &event_id(id)).await?)?;
        same(found.content, content.clone())?;
        let sender = MessageQuery::Sender { room: room_id(id), sender: user_id(id), limit: 9 };
        same(store.messages(sender).await?.len(), 1)?;
        same(store.messages(MessageQuery::Txn(TxnId::new(id)?)).await?.len(), 1)?;
        let row = PendingQuery { txn_id: Some(TxnId::new(id)?), ..Default::default() };
        let rows = store.pending(row).await?;
        same(rows.into_iter().map(|row| row.content).collect::<Vec<_>>(), [content.clone()])?;
        let media_key = MediaKey { uri: MediaUri::new(id)?, format: MediaFormat::new(id)? };
        let found = store.media(&media_key, ByteRange::ALL).await?;
        same(found.map(|media| media.bytes).as_deref(), Some(id.as_bytes()))?;
        let entry = StateQuery::one(Scope::Account, kind(id), key(id));
        let entries = store.state(entry).await?;
        same(entries.into_iter().map(|entry| entry.value).collect::<Vec<_>>(), [content])?;
    }
    Ok(())
}

pub(crate) async fn keys_do_not_run_into_each_other(harness: &mut dyn Harness) -> Outcome {
    let store = harness.open().await?;
    put(&store, |batch| {
        batch
            .put_state(state(Scope::Account, "ab", "c", "1"))
            .put_state(state(Scope::Account, "a", "bc", "2"))
            .put_state(state(Scope::Account, "abc", "", "3"))
    })
    .await?;
    same(store.state(StateQuery::all(Scope::Account)).await?.len(), 3)?;
    let key = |uri: &str, format: &str| -> Result<MediaKey> {
        Ok(MediaKey { uri: MediaUri::new(uri)?, format: MediaFormat::new(format)? })
    };
    let (first, second) = (key("ab", "c")?, key("a", "bc")?);
    put(&store, |batch| {
        batch
            .put_media(MediaInfo { key: first.clone(), ..media(1, 0) }, vec![1])
            .put_media(MediaInfo { key: second.clone(), ..media(1, 0) }, vec![2])
    })
    .await?;
    same(store.media(&first, ByteRange::ALL).await?.map(|media| media.bytes), Some(vec![1]))?;
    same(store.media(&second, ByteRange::ALL).await?.map(|media| media.bytes), Some(vec![2]))
}

pub(crate) async fn times_before_1970_and_after_the_end(harness: &mut dyn Harness) -> Outcome {
    let store = with_room(harness).await?;
    for (n, ms) in [i64::MIN, -1, 0, 1 << 53, (1 << 53) + 1, i64::MAX].into_iter().enumerate() {
        let n = n as u64;
        let own = Message { timestamp_ms: ms, ..message(n) };
        let row = Pending { created_ms: ms, not_before_ms: ms, expires_at_ms: Some(ms), ..pending(n) };
        let item = MediaInfo { fetched_at_ms: ms, ..media(n, ms) };
        put(&store, |batch| {
            batch
                .put_room(Room { last_activity_ms: ms, ..a_room(0) })
                .put_message(own.clone())
                .put_pending(row)
                .put_media(item.clone(), vec![1])
        })
        .await?;
        same(store.room(&room(0)).await?.map(|room| room.last_activity_ms), Some(ms))?;
        same(store.message(&room(0), &own.id).await?, Some(own))?;
        let query = PendingQuery { txn_id: Some(txn(n)), ..Default::default() };
        let rows = store.pending(query).await?;
        let times = rows.first().map(|row| (row.created_ms, row.not_before_ms, row.expires_at_ms));
        same(times, Some((ms, ms, Some(ms))))?;
        let query = MediaQuery { key: Some(item.key.clone()), ..Default::default() };
        let times = store.media_index(query).await?;
        same(times.first().map(|info| (info.last_access_ms, info.fetched_at_ms)), Some((ms, ms)))?;
    }
    Ok(())
}

pub(crate) async fn errors_and_names_carry_no_content(harness: &mut dyn Harness) -> Outcome {
    const SECRET: &str = "correct horse battery staple";
    let store = with_room(harness).await?;
    let content = Json::of(SECRET)?;
    let own = Message { content: content.clone(), ..message(1) };
    put(&store, |batch| batch.put_message(own.clone())).await?;
    let taken = put(&store, |batch| batch.put_message(Message { id: event(2), ..own.clone() })).await;
    let tried = Pending { first_attempt_ms: Some(1), content, ..pending(1) };
    put(&store, |batch| batch.put_pending(tried.clone())).await?;
    let reused = put(&store, |batch| batch.put_pending(Pending { content: Json::empty(), ..tried })).await;
    for error in [some(taken.err())?, some(reused.err())?] {
        holds(!format!("{error} {error:?}").contains(SECRET), "an error tells no content")?;
    }
    holds(!format!("{own:?} {store:?}").contains(SECRET), "Debug tells no content")
}
