// The floor of a commit: a log that is only written. One record a commit, with all of it as bytes of JSON.

import { completed, settled } from "./raw.js";

export async function open(name) {
  const request = indexedDB.open(name, 1);
  request.onupgradeneeded = () => request.result.createObjectStore("log", { autoIncrement: true });
  return new Log(await settled(request));
}

class Log {
  encoder = new TextEncoder();

  constructor(database) {
    this.database = database;
  }

  prepare(messages) {
    return messages;
  }

  async commit(messages) {
    const transaction = this.database.transaction("log", "readwrite", { durability: "relaxed" });
    transaction.objectStore("log").add(this.encoder.encode(JSON.stringify(messages)));
    await completed(transaction);
  }

  async close() {
    this.database.close();
  }
}
