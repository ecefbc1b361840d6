// Dexie with the index that the job needs and no other.

import { Dexie } from "/peer/dexie.min.mjs";

export async function open(name) {
  const database = new Dexie(name);
  database.version(1).stores({ messages: "[roomId+eventId], [roomId+timestamp]" });
  await database.open();
  return new Store(database);
}

export class Store {
  constructor(database) {
    this.database = database;
  }

  prepare(messages) {
    return messages;
  }

  async commit(messages) {
    await this.database.transaction("rw", this.database.messages, () => this.database.messages.bulkPut(messages));
  }

  prepareEdit(event) {
    return event;
  }

  async edit({ roomId, edits, content }) {
    await this.change(roomId, edits, content["m.new_content"]);
  }

  prepareRedaction(event) {
    return event;
  }

  async redact({ roomId, target }) {
    await this.change(roomId, target, {});
  }

  async change(room, id, content) {
    const { messages } = this.database;
    await this.database.transaction("rw", messages, async () => {
      const row = await messages.get([room, id]);
      await messages.put({ ...row, content });
    });
  }

  async newest(room, limit) {
    return this.page(room, Dexie.maxKey, limit);
  }

  async older(room, page, limit) {
    return this.page(room, page[0].timestamp, limit);
  }

  async page(room, before, limit) {
    const range = this.database.messages
      .where("[roomId+timestamp]")
      .between([room, Dexie.minKey], [room, before], true, false);
    return (await range.reverse().limit(limit).toArray()).reverse();
  }

  async message(room, id) {
    return this.database.messages.get([room, id]);
  }

  async close() {
    this.database.close();
  }
}
