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
