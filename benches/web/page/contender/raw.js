// IndexedDB by hand, as lean as the job allows: one record a message, one index, every put fired at once.

const LAST = 2 ** 40;
// An order for `getAll` is in some engines only; where it is not, a cursor walks.
const ORDERED = "getAllRecords" in IDBIndex.prototype;

export const settled = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

export const completed = (transaction) =>
  new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
  });

export async function open(name) {
  const request = indexedDB.open(name, 1);
  request.onupgradeneeded = () => {
    const messages = request.result.createObjectStore("messages", { keyPath: ["roomId", "eventId"] });
    messages.createIndex("timeline", ["roomId", "position"]);
  };
  return new Raw(await settled(request));
}

class Raw {
  constructor(database) {
    this.database = database;
  }

  /** Nothing has to be made ready: objects are stored as they are. */
  prepare(messages) {
    return messages;
  }

  async commit(messages) {
    const transaction = this.database.transaction("messages", "readwrite", { durability: "relaxed" });
    const store = transaction.objectStore("messages");
    for (const message of messages) store.put(message);
    await completed(transaction);
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
    const transaction = this.database.transaction("messages", "readwrite", { durability: "relaxed" });
    const store = transaction.objectStore("messages");
    const request = store.get([room, id]);
    request.onsuccess = () => store.put({ ...request.result, content });
    await completed(transaction);
  }

  async newest(room, limit) {
    return this.page(room, LAST, limit);
  }

  /** Older than the oldest of a page. */
  async older(room, page, limit) {
    return this.page(room, page[0].position, limit);
  }

  async page(room, before, limit) {
    const index = this.database.transaction("messages").objectStore("messages").index("timeline");
    const range = IDBKeyRange.bound([room, -1], [room, before], true, true);
    const rows = ORDERED
      ? await settled(index.getAll({ query: range, count: limit, direction: "prev" }))
      : await walk(index, range, limit);
    return rows.reverse();
  }

  async message(room, id) {
    return settled(this.database.transaction("messages").objectStore("messages").get([room, id]));
  }

  async close() {
    this.database.close();
  }
}

function walk(index, range, limit) {
  return new Promise((resolve, reject) => {
    const rows = [];
    const request = index.openCursor(range, "prev");
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      const cursor = request.result;
      if (cursor) rows.push(cursor.value);
      if (!cursor || rows.length === limit) resolve(rows);
      else cursor.continue();
    };
  });
}
