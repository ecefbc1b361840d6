-- Format 1.
--
-- Rooms are interned to small numbers; the rowid of a message or a gap packs the room's number and its
-- position (`nr << 40 | position`), so that a page of a timeline is one range of one table.
-- Keys are the first 16 bytes of a hash over an id; a short key is their first 8 bytes as a number, that
-- of a sender the first 4.
-- `written` is the revision of the commit that wrote a payload; a sealed payload is bound to it.
-- Ids and content are in the payload: JSON text in a plain store, bytes in a sealed one.

CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value ANY NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO meta (name, value) VALUES
    ('revision', 0),
    ('last_seq', 0),
    ('message_rows', 0),
    ('message_bytes', 0),
    -- A number of chance for the commit before and one for this commit, 8 bytes each: they tell a log that was not
    -- written on top of this file.
    ('commit', CAST(zeroblob(8) || randomblob(8) AS BLOB));

-- Who can open a sealed store; empty in a plain one.
CREATE TABLE keyring (
    nr INTEGER PRIMARY KEY CHECK (nr = 1),
    payload BLOB NOT NULL
) STRICT;

CREATE TABLE room (
    nr INTEGER PRIMARY KEY,
    key BLOB NOT NULL,
    last_activity_ms INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    payload ANY NOT NULL
) STRICT;
CREATE UNIQUE INDEX room_by_key ON room (key);
CREATE INDEX room_by_activity ON room (last_activity_ms);

CREATE TABLE message (
    pos INTEGER PRIMARY KEY,
    key BLOB NOT NULL,
    sender INTEGER NOT NULL,
    target INTEGER,
    txn INTEGER,
    timestamp_ms INTEGER NOT NULL,
    written INTEGER NOT NULL,
    payload ANY NOT NULL
) STRICT;
-- Each begins with the room, so that a commit dirties pages of the rooms it is about, and no others.
-- Senders and times have none: every insert would pay for it, and a walk through the room answers them.
CREATE UNIQUE INDEX message_by_key ON message (pos >> 40, key);
CREATE INDEX message_by_target ON message (pos >> 40, target) WHERE target IS NOT NULL;
CREATE INDEX message_by_txn ON message (txn) WHERE txn IS NOT NULL;

CREATE TABLE gap (
    pos INTEGER PRIMARY KEY,
    revision INTEGER NOT NULL,
    payload ANY NOT NULL
) STRICT;

CREATE TABLE pending (
    seq INTEGER PRIMARY KEY,
    key BLOB NOT NULL,
    room INTEGER NOT NULL,
    not_before_ms INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    payload ANY NOT NULL
) STRICT;
CREATE UNIQUE INDEX pending_by_key ON pending (key);
CREATE INDEX pending_by_room ON pending (room);

-- The number of an item survives its renaming and is never given twice; its chunks of 64 KiB stand at
-- `nr << 24 | index`. The only chunk of a small item is in `bytes`, so that it is one row.
CREATE TABLE media (
    nr INTEGER PRIMARY KEY AUTOINCREMENT,
    key BLOB NOT NULL,
    size INTEGER NOT NULL,
    last_access_ms INTEGER NOT NULL,
    pinned INTEGER NOT NULL,
    written INTEGER NOT NULL,
    payload ANY NOT NULL,
    bytes BLOB
) STRICT;
CREATE UNIQUE INDEX media_by_key ON media (key);
CREATE INDEX media_by_access ON media (last_access_ms);

CREATE TABLE media_chunk (
    pos INTEGER PRIMARY KEY,
    payload BLOB NOT NULL
) STRICT;

CREATE TABLE state (
    nr INTEGER PRIMARY KEY,
    scope BLOB NOT NULL,
    kind INTEGER NOT NULL,
    key BLOB NOT NULL,
    written INTEGER NOT NULL,
    payload ANY NOT NULL
) STRICT;
CREATE UNIQUE INDEX state_by_place ON state (scope, kind, key);
