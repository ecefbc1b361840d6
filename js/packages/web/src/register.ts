/**
 * The page's side of the service worker of `@haos/web/sw`.
 *
 * @packageDocumentation
 */

import { type Haos, HaosError } from "@haos/client";

import type { EngineFiles } from "./options.js";
import { failureOf } from "./sw-failure.js";
import { note, noted } from "./sw-notes.js";
import { type Answer, type Asked, isLeftAfter, TAG, type Told, type Word } from "./sw-talk.js";

/** How the service worker is registered. */
export interface RegisterOptions {
  /** The address of the application's script, which calls `serve` of `@haos/web/sw`. */
  readonly script: string | URL;
  /** The chat of this page, which may still be opening. It gives the worker the bytes of media, and sends at its word. */
  readonly chat: Haos | Promise<Haos>;
  /** What it controls; the script's folder, if nothing is said. */
  readonly scope?: string | undefined;
  /** `classic`, if nothing is said, as bundlers make it. */
  readonly type?: "classic" | "module" | undefined;
  /** Where the engine's files are, for a worker that sends with every page closed; beside this module if nothing is said. */
  readonly files?: EngineFiles | undefined;
  /**
   * The key or the passphrase of a sealed store, for the worker to send with every page closed. It keeps it in memory alone, and
   * has lost it once the browser ends it.
   */
  readonly secret?: Uint8Array | string | undefined;
}

/** What the worker did last while it sent on its own. */
export interface BackgroundReport {
  /** When it began, in milliseconds since 1970. */
  readonly atMs: number;
  /** What woke it: `sync`, `periodicsync` or `push`. */
  readonly by: string;
  /** `sent`: nothing is left; `left`: it is tried again; `failed`: see `error`. */
  readonly outcome: "sent" | "left" | "failed";
  /** Why it failed. `sealed`: the worker has no key, and a page has to be opened. */
  readonly error: HaosError | undefined;
}

/** The service worker, as this page has it. What changes is told to those who subscribe. */
export interface AppWorker {
  /** Why there is none; the chat works all the same. */
  readonly missing: HaosError | undefined;
  /** True while addresses of `mediaUrl` work in this page. */
  readonly servesMedia: boolean;
  /** `sync` where the browser wakes the worker when there is a network, even if every page is closed. */
  readonly background: "sync" | "none";
  /** True if a new version waits, or has taken over in another tab: this page shows it after `reload`. */
  readonly updateReady: boolean;
  /** Calls a function after every change, until the function that is returned is called. */
  subscribe(changed: () => void): () => void;
  /** Looks for a new version. Browsers do so by themselves with each navigation. */
  check(): Promise<void>;
  /** Closes the chat, lets the new version take over, and loads the page again. What is unsent stays in the outbox. */
  reload(): Promise<void>;
  /** What the worker did last in the background. */
  lastBackground(): Promise<BackgroundReport | undefined>;
  /** Ends what this page does for the worker; the worker stays. */
  close(): void;
}

/** Background Sync, which not every browser has. */
type Registration = ServiceWorkerRegistration & {
  readonly sync?: { register(tag: string): Promise<void> };
  readonly periodicSync?: { register(tag: string, options: { minInterval: number }): Promise<void> };
};

/** How often the worker may be woken without a reason, in milliseconds; browsers take longer as they see fit. */
const PERIOD_MS = 12 * 3600 * 1000;
/** How long a new version may take to start, in milliseconds. */
const START_MS = 10_000;

/**
 * Registers the service worker of an application. It never rejects: without one, `missing` says why, and all but the addresses
 * of media, the shell and Background Sync is as it was.
 */
export async function register(options: RegisterOptions): Promise<AppWorker> {
  const { serviceWorker } = (globalThis.navigator ?? {}) as { serviceWorker?: ServiceWorkerContainer };
  if (serviceWorker === undefined) {
    const why =
      globalThis.isSecureContext === false ? "the page does not come over https" : "the browser has none here";
    return new PageWorker(options, undefined, missing(`there is no service worker: ${why}`));
  }
  try {
    const { script, scope, type = "classic" } = options;
    const how = { type, updateViaCache: "none", ...(scope === undefined ? {} : { scope }) } as const;
    const registration = await serviceWorker.register(script, how);
    return new PageWorker(options, { container: serviceWorker, registration }, undefined);
  } catch (thrown) {
    return new PageWorker(
      options,
      undefined,
      missing(`the service worker was not taken: ${failureOf(thrown).message}`),
    );
  }
}

async function loggedIn(chat: Haos): Promise<void> {
  if ((await chat.account())?.isLoggedIn === true) return;
  throw new HaosError({ code: "not_logged_in", message: "nobody is logged in: log in first" });
}

const missing = (message: string) => new HaosError({ code: "unsupported", message });

class PageWorker implements AppWorker {
  readonly missing: HaosError | undefined;
  readonly #chat: Haos | Promise<Haos>;
  readonly #container: ServiceWorkerContainer | undefined;
  readonly #registration: Registration | undefined;
  readonly #secret: Uint8Array | string | undefined;
  readonly #life = new AbortController();
  readonly #listeners = new Set<() => void>();
  /** True once a worker other than the first one has taken over. */
  #isReplaced = false;
  #hadController: boolean;
  #isAsked = false;

  constructor(
    options: RegisterOptions,
    worker: { container: ServiceWorkerContainer; registration: Registration } | undefined,
    why: HaosError | undefined,
  ) {
    this.missing = why;
    this.#chat = options.chat;
    this.#secret = options.secret;
    this.#container = worker?.container;
    this.#registration = worker?.registration;
    this.#hadController = this.#container?.controller != null;
    if (worker === undefined) return;

    const { container, registration } = worker;
    const { signal } = this.#life;
    container.addEventListener("message", (event) => this.#answer(event), { signal });
    // Words that came before anybody listened.
    container.startMessages();
    container.addEventListener("controllerchange", () => this.#taken(), { signal });
    registration.addEventListener("updatefound", () => this.#found(registration.installing), { signal });
    this.#found(registration.installing);

    const { first, rest, keys } = options.files ?? {};
    const files = {
      first: new URL(first ?? new URL("./engine/haos_client_web_bg.wasm", import.meta.url), location.href).href,
      rest: new URL(rest ?? new URL("./engine/haos_client_web_rest.wasm", import.meta.url), location.href).href,
      keys: new URL(keys ?? new URL("./engine/haos_client_web_keys.wasm", import.meta.url), location.href).href,
    };
    // Without a cache the worker can do nothing on its own, and the pages do it.
    note(registration.scope, "files", files).catch(() => {});
    this.#handSecret();
    registration.periodicSync?.register(TAG, { minInterval: PERIOD_MS }).catch(() => {});
    void this.#askForSync();
  }

  get servesMedia(): boolean {
    return this.#container?.controller != null;
  }

  get background(): "sync" | "none" {
    return this.#registration?.sync === undefined ? "none" : "sync";
  }

  get updateReady(): boolean {
    return this.#isReplaced || (this.#registration?.waiting != null && this.#hadController);
  }

  subscribe(changed: () => void): () => void {
    const listener = () => changed();
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async check(): Promise<void> {
    await this.#registration?.update();
  }

  async reload(): Promise<void> {
    // What is under way has its time, and what is unsent goes on after the reload.
    await Promise.resolve(this.#chat)
      .then((chat) => chat.close())
      .catch(() => {});
    const waiting = this.#registration?.waiting;
    if (waiting != null) {
      const taken = new Promise((done) => {
        this.#container?.addEventListener("controllerchange", done, { once: true });
        setTimeout(done, START_MS);
      });
      // The one that runs ends what it does for that.
      this.#say(this.#registration?.active, { haos: "takeOver" });
      this.#say(waiting, { haos: "takeOver" });
      await taken;
    }
    location.reload();
  }

  async lastBackground(): Promise<BackgroundReport | undefined> {
    if (this.#registration === undefined) return undefined;
    const report = await noted(this.#registration.scope, "report").catch(() => undefined);
    if (report === undefined) return undefined;
    const { atMs, by, outcome, failure } = report;
    return { atMs, by, outcome, error: failure && new HaosError(failure) };
  }

  close(): void {
    this.#life.abort();
    this.#listeners.clear();
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  #say(worker: ServiceWorker | null | undefined, word: Word): void {
    worker?.postMessage(word);
  }

  #handSecret(): void {
    if (this.#secret === undefined) return;
    this.#say(this.#container?.controller ?? this.#registration?.active, { haos: "secret", secret: this.#secret });
  }

  #found(worker: ServiceWorker | null): void {
    worker?.addEventListener("statechange", () => this.#tell(), { signal: this.#life.signal });
  }

  #taken(): void {
    // The first worker that this page ever has brings nothing new.
    this.#isReplaced ||= this.#hadController;
    this.#hadController = true;
    this.#handSecret();
    this.#tell();
  }

  #answer(event: MessageEvent): void {
    const asked = event.data as Asked | undefined;
    const [port] = event.ports;
    if (port === undefined || (asked?.haos !== "media" && asked?.haos !== "send")) return;
    const tell = (told: Told, transfer: Transferable[] = []) => port.postMessage(told, transfer);
    tell({ isTaken: true });
    this.#work(asked).then(
      (answer) => tell(answer, "media" in answer ? [answer.media.bytes.buffer] : []),
      (thrown: unknown) => tell({ failure: failureOf(thrown) }),
    );
  }

  async #work(asked: Asked): Promise<Answer> {
    const chat = await this.#chat;
    if (asked.haos === "media") {
      // Both at once, for each way to the engine takes its time; without a login nothing is given.
      const reading = chat.mediaPart(asked.wanted.uri, asked.wanted);
      reading.catch(() => {});
      await loggedIn(chat);
      return { media: await reading };
    }
    await loggedIn(chat);
    const outbox = chat.outbox();
    try {
      await outbox.ready;
      await chat.tryNow();
      return {
        isLeft: await isLeftAfter(asked.deadlineMs, () => Promise.resolve(outbox.value ?? [])),
      };
    } finally {
      outbox.close();
    }
  }

  /** Asks to be woken when there is a network, whenever something may be left to send by a page that is gone. */
  async #askForSync(): Promise<void> {
    const { signal } = this.#life;
    const chat = await Promise.resolve(this.#chat).catch(() => undefined);
    if (chat === undefined || this.#registration?.sync === undefined) return;
    const connection = chat.connection({ signal });
    const look = () => {
      const { state, unsent = 0 } = connection.value ?? {};
      const isWanted = unsent > 0 && (document.hidden || !navigator.onLine || state !== "live");
      if (isWanted && !this.#isAsked) {
        this.#handSecret();
        // It is refused where the person does not allow it.
        void this.#registration?.sync?.register(TAG).catch(() => {});
      }
      this.#isAsked = isWanted;
    };
    connection.subscribe(look);
    document.addEventListener("visibilitychange", look, { signal });
    addEventListener("offline", look, { signal });
  }
}
