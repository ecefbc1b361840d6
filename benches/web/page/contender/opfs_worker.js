// The worker of the contender `opfs`. Statements are compiled once, a commit is a transaction.

import sqlite3InitModule from "/sqlite/index.mjs";

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS messages (
    room TEXT, id TEXT, position INTEGER, sender TEXT, timestamp INTEGER, type TEXT, content TEXT,
    PRIMARY KEY (room, id)
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS timeline ON messages (room, position);`;
const COLUMNS = "room, id, position, sender, timestamp, type, content";

let pool;
let database;
let statements;

async function open(name) {
  const sqlite3 = await sqlite3InitModule({ print: () => {}, printErr: () => {} });
  pool = await sqlite3.installOpfsSAHPoolVfs({ name, directory: `/${name}` });
  database = new pool.OpfsSAHPoolDb("/messages");
  // A log beside the database needs shared memory, unless one connection has all to itself.
  database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;");
  database.exec(SCHEMA);
  statements = {
    put: database.prepare(`INSERT OR REPLACE INTO messages (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)`),
    change: database.prepare("UPDATE messages SET content = ? WHERE room = ? AND id = ?"),
    page: database.prepare(
      `SELECT ${COLUMNS} FROM messages WHERE room = ? AND position < ? ORDER BY position DESC LIMIT ?`,
    ),
    message: database.prepare(`SELECT ${COLUMNS} FROM messages WHERE room = ? AND id = ?`),
  };
}

function commit(messages) {
  database.exec("BEGIN");
  try {
    for (const { roomId, eventId, position, sender, timestamp, type, content } of messages) {
      const row = [roomId, eventId, position, sender, timestamp, type, JSON.stringify(content)];
      statements.put.bind(row).stepReset();
    }
    database.exec("COMMIT");
  } catch (error) {
    database.exec("ROLLBACK");
    throw error;
  }
}

function change(room, id, content) {
  statements.change.bind([JSON.stringify(content), room, id]).stepReset();
}

function rows(statement, values) {
  const found = [];
  statement.bind(values);
  while (statement.step()) {
    const [roomId, eventId, position, sender, timestamp, type, content] = statement.get([]);
    found.push({ roomId, eventId, position, sender, timestamp, type, content: JSON.parse(content) });
  }
  statement.reset();
  return found;
}

const page = (room, before, limit) => rows(statements.page, [room, before, limit]).reverse();
const message = (room, id) => rows(statements.message, [room, id])[0];

function close() {
  for (const statement of Object.values(statements)) statement.finalize();
  database.close();
  pool.pauseVfs();
}

const calls = { open, commit, change, page, message, close };

self.onmessage = async ({ data: { number, call, args } }) => {
  try {
    self.postMessage({ number, value: await calls[call](...args) });
  } catch (error) {
    self.postMessage({ number, error: error?.message ?? String(error) });
  }
};
