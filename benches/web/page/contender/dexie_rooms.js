// Dexie where a commit also keeps what a list of chats shows and other tabs ask for, as ours does: when each room
// was last active, and how many commits there were. Both are kept in memory and only written.

import { Dexie } from "/peer/dexie.min.mjs";
import { Store } from "./dexie.js";

export async function open(name) {
  const database = new Dexie(name);
  database.version(1).stores({ messages: "[roomId+eventId], [roomId+timestamp]", rooms: "id", meta: "name" });
  await database.open();
  return new WithRooms(database);
}

class WithRooms extends Store {
  active = new Map();
  revision = 0;

  async commit(messages) {
    const { messages: table, rooms, meta } = this.database;
    const changed = new Set(messages.map((message) => message.roomId));
    for (const { roomId, timestamp } of messages) this.active.set(roomId, timestamp);
    this.revision += 1;
    await this.database.transaction("rw", [table, rooms, meta], () =>
      Promise.all([
        table.bulkPut(messages),
        rooms.bulkPut([...changed].map((id) => ({ id, activity: this.active.get(id) }))),
        meta.put({ name: "head", revision: this.revision }),
      ]),
    );
  }

  async change(room, id, content) {
    const { messages, meta } = this.database;
    this.revision += 1;
    await this.database.transaction("rw", [messages, meta], async () => {
      const head = meta.put({ name: "head", revision: this.revision });
      const row = await messages.get([room, id]);
      await Promise.all([head, messages.put({ ...row, content })]);
    });
  }
}
