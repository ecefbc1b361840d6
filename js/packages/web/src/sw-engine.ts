// An engine of the worker's own, for when no page has one: it is started when it is needed, and ended soon after.

import type { Account, EngineMedia, MediaWanted, OutboxRow, Watching } from "@haos/client";
import { HaosError } from "@haos/client";

import { early } from "./engine/early.js";
import init, { loadKeys, loadRest, Port } from "./engine/haos_client_web_sw.js";
import { noted, type Notes } from "./sw-notes.js";
import { scope } from "./sw-scope.js";
import { isLeftAfter } from "./sw-talk.js";

/** How long it stays after its last use, in milliseconds. */
const IDLE_MS = 10_000;

/** The secret of a sealed store, as a page gave it: lost with the worker. */
let secret: Uint8Array | string | undefined;

/** Takes the secret of a sealed store. */
export function keepSecret(given: Uint8Array | string): void {
  secret = given;
}

/** An engine that is started and ended by its uses. */
export class OwnEngine {
  readonly #name: string;
  #port: Promise<Port> | undefined;
  #uses = 0;
  #idle: ReturnType<typeof setTimeout> | undefined;

  constructor(name: string) {
    this.#name = name;
  }

  /** Reads media, or a part of it. */
  media(wanted: MediaWanted): Promise<EngineMedia> {
    return this.#use(async (port) => {
      await loggedIn(port);
      const item = await port.media(JSON.stringify(wanted));
      try {
        return { mime: item.mime, size: item.size, bytes: item.takeBytes() };
      } finally {
        item.free();
      }
    });
  }

  /** Sends what the outbox has, for so long. Tells if something is left. */
  async send(ms: number): Promise<boolean> {
    const isLeft = await this.#use(async (port) => {
      await loggedIn(port);
      const outbox = async (): Promise<readonly OutboxRow[]> => {
        const watching = await ask<Watching>(port, { call: "watch", of: { list: "outbox" } });
        await ask(port, { call: "unwatch", watch: watching.watch });
        return watching.now as readonly OutboxRow[];
      };
      if (!(await isLeftAfter(0, outbox))) return false;
      await ask(port, { call: "start" });
      return isLeftAfter(ms, outbox);
    });
    // It syncs as well once it has begun: that is for the pages.
    await this.#end();
    return isLeft;
  }

  async #use<T>(act: (port: Port) => Promise<T>): Promise<T> {
    this.#uses += 1;
    clearTimeout(this.#idle);
    try {
      this.#port ??= start(this.#name);
      return await act(await this.#port);
    } catch (thrown) {
      // One that did not start is started anew.
      if (
        !(await this.#port?.then(
          () => true,
          () => false,
        ))
      )
        this.#port = undefined;
      throw thrown;
    } finally {
      this.#uses -= 1;
      if (this.#uses === 0) this.#idle = setTimeout(() => void this.#end(), IDLE_MS);
    }
  }

  async #end(): Promise<void> {
    if (this.#uses > 0) return;
    const port = this.#port;
    this.#port = undefined;
    await port?.then((it) => it.close()).catch(() => {});
  }
}

async function start(name: string): Promise<Port> {
  if (!(await exists(name))) throw notLoggedIn();
  const close = early(name);
  try {
    const { keys } = await load();
    const passphrase = typeof secret === "string" ? secret : undefined;
    const key = typeof secret === "string" ? undefined : secret;
    return await Port.open(JSON.stringify({ url: `idb:${name}`, passphrase, held: true }), key, async () =>
      loadKeys(await fileOf(keys)),
    );
  } finally {
    close();
  }
}

let loading: Promise<Notes["files"]> | undefined;

/** Loads both halves: a worker of this kind cannot wait for the second one within a call. Tells where the files are. */
function load(): Promise<Notes["files"]> {
  loading ??= (async () => {
    const files = await noted(scope.registration.scope, "files");
    if (files === undefined) {
      throw new HaosError({
        code: "unavailable",
        message: "no page has registered this worker yet: open the application",
      });
    }
    const [first, rest] = await Promise.all([fileOf(files.first), fileOf(files.rest)]);
    await init({ module_or_path: first });
    await loadRest(rest);
    return files;
  })().catch((thrown: unknown) => {
    loading = undefined;
    throw thrown;
  });
  return loading;
}

/** A file of the application, from what it is cached in: a request of the worker's own does not come through the worker. */
async function fileOf(url: string): Promise<Response> {
  return (await caches.match(url, { ignoreSearch: true })) ?? fetch(url);
}

/** Tells if there is such a database; it is not made. */
function exists(name: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name);
    request.onupgradeneeded = () => request.transaction?.abort();
    request.onerror = (event) => {
      event.preventDefault();
      if (request.error?.name === "AbortError") resolve(false);
      else reject(new HaosError({ code: "unavailable", message: `the store cannot be opened: ${request.error}` }));
    };
    request.onsuccess = () => {
      request.result.close();
      resolve(true);
    };
  });
}

async function ask<T>(port: Port, call: object): Promise<T> {
  return JSON.parse(await port.call(JSON.stringify(call))) as T;
}

async function loggedIn(port: Port): Promise<void> {
  if ((await ask<Account | null>(port, { call: "account" }))?.isLoggedIn !== true) throw notLoggedIn();
}

/** What needs a token is for nobody without one. */
export const notLoggedIn = (): HaosError =>
  new HaosError({ code: "not_logged_in", message: "nobody is logged in: log in in the application" });
