import { errorOf, HaosError } from "./errors.js";
import type { Call } from "./wire.js";

/** A media item. */
export interface EngineMedia {
  /** Its bytes. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Its media type, if it is known. */
  readonly mime: string | undefined;
  /** The number of all its bytes, where these are a part. */
  readonly size: number;
}

/** What answers calls: WebAssembly in a worker or in the page, or the port of an application. */
export interface Engine {
  /** Answers a call: JSON text in and out. What it throws is a failure as JSON text, or anything. */
  call(call: string): Promise<string>;
  /** Sends a file: room, what is known of it as JSON text, and its bytes. */
  sendFile(room: string, facts: string, file: Blob): Promise<string>;
  /** Reads a media item, by what is wanted as JSON text. */
  media(wanted: string): Promise<EngineMedia>;
  /** Closes it. Calls that wait are answered before. */
  close(): Promise<void>;
  /** Resolves if it is gone without having been closed, such as a worker that was killed. */
  readonly gone?: Promise<void>;
}

/** Starts an engine: for the first call, and again when one is gone. */
export type StartEngine = () => Promise<Engine>;

/** How long to wait before another engine is started, in milliseconds, when one is gone soon after it was started. */
const AGAIN_MS = [0, 250, 1000, 4000];
/** An engine that lived so long, in milliseconds, was a good one. */
const GOOD_MS = 10_000;

const closed = () => new HaosError({ code: "closed", message: "the chat is closed: open it again" });

/** What is waited for comes no more. */
export const GONE = Symbol("gone");

/** Who waits for an answer of an engine. A promise that lives as long as the engine would keep each answer alive. */
const waiting = new WeakMap<Engine, Set<() => void>>();

/** Waits for an answer of an engine, unless that is gone before. */
export function unlessGone<T>(engine: Engine, answer: Promise<T>): Promise<T | typeof GONE> {
  if (engine.gone === undefined) return answer;
  let all = waiting.get(engine);
  if (all === undefined) {
    const made = (all = new Set<() => void>());
    waiting.set(engine, made);
    void engine.gone.then(() => made.forEach((tell) => tell()));
  }
  const those = all;
  return new Promise((resolve, reject) => {
    const tell = () => resolve(GONE);
    those.add(tell);
    answer.then(resolve, reject).finally(() => those.delete(tell));
  });
}

/** Keeps an engine running: one that is gone is replaced. */
export class Keeper {
  readonly #start: StartEngine;
  #engine: Promise<Engine> | undefined;
  #isClosed = false;
  #losses = 0;
  #startedMs = 0;
  readonly #closes = new Set<() => void>();

  constructor(start: StartEngine) {
    this.#start = start;
  }

  /** True once it is closed. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Does something once it is closed, unless the function that is returned is called before. */
  onClose(act: () => void): () => void {
    this.#closes.add(act);
    return () => void this.#closes.delete(act);
  }

  /** The engine that runs, or is started for this. Rejects with a {@link HaosError}. */
  engine(): Promise<Engine> {
    if (this.#isClosed) return Promise.reject(closed());
    return (this.#engine ??= this.#begin());
  }

  /**
   * Makes a call. One whose engine goes before the answer is made again where `again` says that this changes nothing;
   * else it fails as `closed`.
   */
  async call<T>(call: Call, again: boolean): Promise<T> {
    const text = JSON.stringify(call);
    return JSON.parse(await this.with((engine) => engine.call(text), again)) as T;
  }

  /** Does something with the engine; see {@link Keeper.call}. */
  async with<T>(act: (engine: Engine) => Promise<T>, again: boolean): Promise<T> {
    for (;;) {
      const engine = await this.engine();
      let done;
      try {
        done = await unlessGone(engine, act(engine));
      } catch (thrown) {
        throw errorOf(thrown);
      }
      if (done !== GONE) return done;
      if (!again || this.#isClosed) {
        const message = "the engine ended before it answered: look whether it was done, then try again";
        throw this.#isClosed ? closed() : new HaosError({ code: "closed", message, retryable: true });
      }
    }
  }

  /** Closes the engine, for good. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const act of [...this.#closes]) act();
    const engine = await this.#engine?.catch(() => undefined);
    await engine?.close();
  }

  async #begin(): Promise<Engine> {
    const wait = AGAIN_MS[Math.min(this.#losses, AGAIN_MS.length - 1)] ?? 0;
    if (wait > 0) await new Promise((done) => setTimeout(done, wait));
    this.#startedMs = Date.now();
    try {
      const engine = await this.#start();
      void engine.gone?.then(() => {
        this.#losses = Date.now() - this.#startedMs > GOOD_MS ? 1 : this.#losses + 1;
        this.#engine = undefined;
      });
      return engine;
    } catch (thrown) {
      // The next call tries again.
      this.#engine = undefined;
      throw errorOf(thrown);
    }
  }
}
