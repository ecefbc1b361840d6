// The store under test, compiled to WebAssembly. Messages become batches before the clock runs, and pages
// come back as the same plain objects that the peers give.

import { early } from "/store/early.js";
import init, * as pkg from "/pkg/haos_benches_web.js";

const { Batch, Store } = pkg;

export const open = (name) => opened(name, false);

let instance;
let before;

async function load() {
  if (instance) return;
  instance = await init();
  before = instance.memory.buffer.byteLength;
}

/** The first half shows pages. What writes and seals is the rest, which is loaded when the page has nothing else to do,
 * if it was not wanted before. */
export async function opened(name, sealed) {
  const close = early(name);
  await (sealed ? Promise.all([load(), pkg.loadRest?.()]) : load());
  const store = await Store.open(name, sealed);
  close();
  idle(() => pkg.loadRest?.());
  return new Haos(store);
}

const idle = globalThis.requestIdleCallback ?? ((work) => setTimeout(work, 100));

/** The store's own way: it also forgets what it keeps beside the database. */
export async function remove(name) {
  await load();
  await Store.delete(name);
}

/** The bytes by which the module's memory grew since it was made an instance of. It never shrinks. */
export const grown = () => instance.memory.buffer.byteLength - before;

class Haos {
  constructor(store) {
    this.store = store;
  }

  /** Messages need their rooms. */
  async rooms(ids) {
    await pkg.loadRest?.();
    const batch = new Batch();
    for (const id of ids) batch.room(id);
    await this.store.apply(batch);
  }

  prepare(messages) {
    const batch = new Batch();
    for (const { roomId, eventId, position, sender, timestamp, type, content, edits } of messages) {
      batch.put(roomId, eventId, position, sender, timestamp, type, JSON.stringify(content), edits);
    }
    return batch;
  }

  async commit(batch) {
    await this.store.apply(batch);
  }

  /** An edit is a message of its own, and is put in its target's place where that is shown. */
  prepareEdit(event) {
    return this.prepare([event]);
  }

  async edit(batch) {
    await this.store.apply(batch);
  }

  prepareRedaction({ roomId, target, eventId }) {
    const batch = new Batch();
    batch.redact(roomId, target, eventId);
    return batch;
  }

  async redact(batch) {
    await this.store.apply(batch);
  }

  async fold() {
    await this.store.fold();
  }

  async newest(room, limit) {
    return JSON.parse(await this.store.newest(room, limit));
  }

  async older(room, page, limit) {
    return JSON.parse(await this.store.older(room, page[0].cursor, limit));
  }

  /** The newest page as it is shown, or the one before `page`. */
  async shown(room, page, limit) {
    const { older, messages } = JSON.parse(await this.store.shown(room, page?.older, limit));
    const shown = messages.map((message) =>
      message.edit ? { ...message, content: message.edit["m.new_content"] } : message,
    );
    return Object.assign(shown, { older });
  }

  async message(room, id) {
    return JSON.parse(await this.store.message(room, id));
  }

  /** Keeps a page for the next start. */
  async keep(room, limit) {
    if (!(await this.store.keep(room, limit))) throw new Error("the page was not kept");
  }

  async close() {
    await this.store.close();
    this.store.free();
  }
}
