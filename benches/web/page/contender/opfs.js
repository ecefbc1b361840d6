// SQLite in the origin's private file system: a worker has the database, the page asks it one call a message.

/** One context has the files: others have to ask it. */
export const alone = true;

export async function open(name) {
  const store = new Opfs();
  await store.ask("open", name);
  return store;
}

export async function remove(name) {
  const root = await navigator.storage.getDirectory();
  // The files of a worker that ended are let go of a little later.
  for (let tries = 0; ; tries += 1) {
    try {
      return await root.removeEntry(name, { recursive: true });
    } catch (error) {
      if (error.name === "NotFoundError") return undefined;
      if (tries === 50) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/** Why it cannot be had here; nothing if it can. */
export async function missing() {
  try {
    const store = await open("probe");
    await store.close();
    await remove("probe");
    return undefined;
  } catch (error) {
    return error.message;
  }
}

class Opfs {
  asked = new Map();
  number = 0;

  constructor() {
    this.worker = new Worker(new URL("./opfs_worker.js", import.meta.url), { type: "module" });
    this.worker.onmessage = ({ data: { number, value, error } }) => {
      const { resolve, reject } = this.asked.get(number);
      this.asked.delete(number);
      if (error === undefined) resolve(value);
      else reject(new Error(error));
    };
    this.worker.onerror = (event) => {
      for (const { reject } of this.asked.values()) reject(new Error(event.message ?? "the worker failed"));
      this.asked.clear();
    };
  }

  ask(call, ...args) {
    return new Promise((resolve, reject) => {
      this.number += 1;
      this.asked.set(this.number, { resolve, reject });
      this.worker.postMessage({ number: this.number, call, args });
    });
  }

  prepare(messages) {
    return messages;
  }

  async commit(messages) {
    await this.ask("commit", messages);
  }

  prepareEdit(event) {
    return event;
  }

  async edit({ roomId, edits, content }) {
    await this.ask("change", roomId, edits, content["m.new_content"]);
  }

  prepareRedaction(event) {
    return event;
  }

  async redact({ roomId, target }) {
    await this.ask("change", roomId, target, {});
  }

  async newest(room, limit) {
    return this.ask("page", room, 2 ** 40, limit);
  }

  async older(room, page, limit) {
    return this.ask("page", room, page[0].position, limit);
  }

  async message(room, id) {
    return this.ask("message", room, id);
  }

  async close() {
    await this.ask("close");
    this.worker.terminate();
  }
}
