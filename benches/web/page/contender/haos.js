// The store under test, compiled to WebAssembly. Messages become batches before the clock runs, and pages
// come back as the same plain objects that the peers give.

import init, { Batch, Store } from "/pkg/haos_benches_web.js";

export const open = (name) => opened(name, false);

export async function opened(name, sealed) {
  await init();
  return new Haos(await Store.open(name, sealed));
}

/** The store's own way: it also forgets what it keeps beside the database. */
export async function remove(name) {
  await init();
  await Store.delete(name);
}

class Haos {
  constructor(store) {
    this.store = store;
  }

  /** Messages need their rooms. */
  async rooms(ids) {
    const batch = new Batch();
    for (const id of ids) batch.room(id);
    await this.store.apply(batch);
  }

  prepare(messages) {
    const batch = new Batch();
    for (const { roomId, eventId, position, sender, timestamp, type, content } of messages) {
      batch.put(roomId, eventId, position, sender, timestamp, type, JSON.stringify(content));
    }
    return batch;
  }

  async commit(batch) {
    await this.store.apply(batch);
  }

  async newest(room, limit) {
    return JSON.parse(await this.store.newest(room, limit));
  }

  async older(room, page, limit) {
    return JSON.parse(await this.store.older(room, page[0].cursor, limit));
  }

  async message(room, id) {
    return JSON.parse(await this.store.message(room, id));
  }

  async close() {
    await this.store.close();
    this.store.free();
  }
}
