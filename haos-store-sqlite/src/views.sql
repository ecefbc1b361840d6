-- For people with a SQLite shell; the library does not read them, and makes them when it is asked to: each connection
-- would parse them. They show nothing of a sealed store, whose payloads are no JSON. CROSS JOIN fixes the order: room by room, each a range of rowids.

CREATE VIEW IF NOT EXISTS rooms AS
SELECT
    payload ->> 'room_id' AS room_id,
    payload ->> 'name' AS name,
    payload ->> 'topic' AS topic,
    payload ->> 'avatar' AS avatar,
    payload ->> 'kind' AS kind,
    payload ->> 'membership' AS membership,
    payload -> 'spaces' AS spaces,
    last_activity_ms,
    payload ->> '$.unread.notifications' AS notifications,
    payload ->> '$.unread.highlights' AS highlights,
    revision
FROM room;

CREATE VIEW IF NOT EXISTS messages AS
SELECT
    r.payload ->> 'room_id' AS room_id,
    m.payload ->> 'event_id' AS event_id,
    m.pos & 0xffffffffff AS position,
    m.payload ->> 'sender' AS sender,
    m.timestamp_ms,
    m.payload ->> 'type' AS type,
    m.payload ->> 'state_key' AS state_key,
    m.payload -> 'content' AS content,
    m.payload ->> '$.relation.kind' AS relation,
    m.payload ->> '$.relation.target' AS target,
    m.payload ->> '$.relation.key' AS relation_key,
    m.payload ->> 'txn_id' AS txn_id,
    m.payload ->> 'redacted_by' AS redacted_by,
    coalesce(m.payload ->> 'provisional', 0) AS provisional,
    m.payload -> 'extra' AS extra
FROM room AS r
CROSS JOIN message AS m ON m.pos BETWEEN r.nr << 40 AND (r.nr << 40) + 0xffffffffff;

CREATE VIEW IF NOT EXISTS gaps AS
SELECT
    r.payload ->> 'room_id' AS room_id,
    g.pos & 0xffffffffff AS position,
    g.payload ->> 'token' AS token,
    g.revision
FROM room AS r
CROSS JOIN gap AS g ON g.pos BETWEEN r.nr << 40 AND (r.nr << 40) + 0xffffffffff;

CREATE VIEW IF NOT EXISTS outbox AS
SELECT
    seq,
    payload ->> 'txn_id' AS txn_id,
    payload ->> 'room_id' AS room_id,
    payload ->> 'type' AS type,
    payload -> 'content' AS content,
    payload ->> 'state' AS state,
    coalesce(payload ->> 'attempts', 0) AS attempts,
    not_before_ms,
    payload ->> 'created_ms' AS created_ms,
    payload ->> 'last_attempt_ms' AS last_attempt_ms,
    payload ->> 'parent' AS parent,
    payload ->> 'event_id' AS event_id,
    payload ->> 'error' AS error,
    revision
FROM pending;

CREATE VIEW IF NOT EXISTS media_items AS
SELECT
    payload ->> '$.key.uri' AS uri,
    payload ->> '$.key.format' AS format,
    size,
    payload ->> 'mime' AS mime,
    payload -> 'rooms' AS rooms,
    last_access_ms,
    payload ->> 'fetched_at_ms' AS fetched_at_ms,
    pinned
FROM media;

CREATE VIEW IF NOT EXISTS states AS
SELECT
    payload ->> '$.scope.room' AS room_id,
    payload ->> 'kind' AS kind,
    payload ->> 'key' AS key,
    payload -> 'value' AS value,
    payload ->> 'event_id' AS event_id
FROM state;
