// The engine, in the context that loads this. A worker has no import map: nothing is imported here by a package's name.

import type { Engine, EngineMedia, Failure } from "@haos/client";

import { early } from "./engine/early.js";
import init, { loadKeys, loadRest, Port } from "./engine/haos_client_web.js";
import type { EngineFiles, StoreOptions } from "./options.js";

/** How long a first screen may take until the rest is loaded nevertheless, in milliseconds. */
const REST_MS = 400;

/** Starts the engine here. */
export async function startHere(options: StoreOptions, files: EngineFiles = {}): Promise<Engine> {
  // The database opens while the module loads.
  const isKept = options.storage !== "memory";
  const close = isKept ? early(options.name) : () => {};
  try {
    await init(files.first === undefined ? undefined : { module_or_path: files.first });
    // What needs the rest at once looks for it beside the first half alone: one that is elsewhere is there before.
    if (files.rest !== undefined) await loadRest(files.rest).catch(() => {});
    const { name, key, passphrase, deviceName, held } = options;
    // A first screen needs the first half alone: syncing and sending begin once the rest is there.
    const opening = { url: isKept ? `idb:${name}` : "memory:", passphrase, deviceName, held: true };
    const port = await Port.open(JSON.stringify(opening), key, async () => {
      // That comes first, and may be elsewhere.
      await loadRest(files.rest);
      await loadKeys(files.keys);
    });
    const engine = new HereEngine(port);
    setTimeout(() => void engine.complete(files, held === true), REST_MS);
    return engine;
  } finally {
    close();
  }
}

/** How often the rest is asked for again, in milliseconds. */
const AGAIN_MS = 5000;

class HereEngine implements Engine {
  readonly #port: Port;
  #isClosed = false;
  /** What waits for an answer. */
  readonly #waiting = new Set<(failure: string) => void>();
  #failure: string | undefined;

  constructor(port: Port) {
    this.#port = port;
    globalThis.addEventListener?.("error", this.#fail);
  }

  /** Loads the rest, and syncs and sends from then on. */
  async complete(files: EngineFiles, held: boolean): Promise<void> {
    while (!this.#isClosed) {
      try {
        await loadRest(files.rest);
        if (!held && !this.#isClosed) await this.#port.call('{"call":"start"}');
        return;
      } catch {
        // Without a network and a cache it cannot be had; what is stored is shown all the same.
        await new Promise((done) => setTimeout(done, AGAIN_MS));
      }
    }
  }

  call(call: string): Promise<string> {
    return this.#or(this.#port.call(call));
  }

  sendFile(room: string, facts: string, file: Blob): Promise<string> {
    return this.#or(this.#port.sendFile(room, facts, file));
  }

  async media(wanted: string): Promise<EngineMedia> {
    const item = await this.#or(this.#port.media(wanted));
    try {
      return { mime: item.mime, size: item.size, bytes: item.takeBytes() };
    } finally {
      item.free();
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    globalThis.removeEventListener?.("error", this.#fail);
    await this.#or(this.#port.close());
  }

  /** The engine cannot go on after a trap: what waits is told. */
  readonly #fail = (event: ErrorEvent): void => {
    if (!(event.error instanceof WebAssembly.RuntimeError)) return;
    const message = "the engine failed: reload the page; what was written is kept";
    const detail = event.error.stack ?? null;
    const failure: Failure = { code: "other", message, retryable: false, retryAfterMs: null, detail };
    const text = (this.#failure = JSON.stringify(failure));
    this.#waiting.forEach((reject) => reject(text));
  };

  #or<T>(answer: Promise<T>): Promise<T> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#waiting.add(reject);
      answer.then(resolve, reject).finally(() => this.#waiting.delete(reject));
    });
  }
}
