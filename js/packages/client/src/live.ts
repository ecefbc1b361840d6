import { applyDiffs } from "./diff.js";
import { GONE, type Keeper, unlessGone } from "./engine.js";
import { errorOf, HaosError } from "./errors.js";
import type { Diff, Following, Watched, Watching } from "./wire.js";

/** A value that stays as the engine has it, until it is closed. */
export interface Live<T> {
  /** The value, undefined until it was read first. It is another object when it changes, and only then. */
  readonly value: T | undefined;
  /** Why it could not be read just now; it is tried on. */
  readonly error: HaosError | undefined;
  /** Resolves with the first value. Rejects if it cannot be read, or is closed before. */
  readonly ready: Promise<T>;
  /** Calls a function after every change of `value` or `error`, until the function that is returned is called. */
  subscribe(changed: () => void): () => void;
  /** The value now and after every change; whoever is slow sees the latest one. */
  [Symbol.asyncIterator](): AsyncIterableIterator<T>;
  /** Ends it. */
  close(): void;
}

/** A list that stays as the engine has it. Each item keeps its id for life. */
export interface LiveList<T> extends Live<readonly T[]> {
  /** The steps from the value at the time of the call on, batch by batch; a `reset` first if there is a value. */
  diffs(): AsyncIterableIterator<Diff<T>[]>;
}

/** What ends a watch from outside. */
export interface WatchOptions {
  /** Closes it when it is aborted. */
  readonly signal?: AbortSignal | undefined;
}

/** A promise that is settled from outside, and that nobody needs to look at. */
interface Promised<T> {
  readonly promise: Promise<T>;
  isSettled: boolean;
  resolve(value: T): void;
  reject(error: unknown): void;
}

function promised<T>(): Promised<T> {
  let settle!: Pick<Promised<T>, "resolve" | "reject">;
  const promise = new Promise<T>((resolve, reject) => (settle = { resolve, reject }));
  promise.catch(() => {});
  const settled =
    <A>(act: (value: A) => void) =>
    (value: A) => {
      made.isSettled = true;
      act(value);
    };
  const made = { promise, isSettled: false, resolve: settled(settle.resolve), reject: settled(settle.reject) };
  return made;
}

/** The longest pause between two tries, in milliseconds. */
const LONGEST_MS = 10_000;

/** Whatever is watched: it begins at once, and begins anew when the engine was replaced. */
export abstract class Watcher<T> implements Live<T> {
  /** @internal */
  protected readonly keeper: Keeper;
  /** The number of the watch that runs. */
  #number = promised<number>();
  readonly ready: Promise<T>;
  #value: T | undefined;
  #error: HaosError | undefined;
  #isClosed = false;
  readonly #listeners = new Set<() => void>();
  readonly #first = promised<T>();
  readonly #unlink: () => void;

  constructor(keeper: Keeper, options?: WatchOptions) {
    this.keeper = keeper;
    this.ready = this.#first.promise;
    const [signal, close] = [options?.signal, () => this.close()];
    const forget = keeper.onClose(close);
    this.#unlink = () => {
      forget();
      signal?.removeEventListener("abort", close);
    };
    signal?.addEventListener("abort", close, { once: true });
    if (signal?.aborted || keeper.isClosed) close();
    // What is watched is known once those who extend this are made.
    queueMicrotask(() => void this.#run());
  }

  get value(): T | undefined {
    return this.#value;
  }

  get error(): HaosError | undefined {
    return this.#error;
  }

  subscribe(changed: () => void): () => void {
    // A function of its own, so that one that subscribes twice is told twice.
    const listener = () => changed();
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async *[Symbol.asyncIterator](): AsyncIterableIterator<T> {
    let seen: T | undefined;
    for await (const _ of this.changes()) {
      if (this.#value !== undefined && this.#value !== seen) yield (seen = this.#value);
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#unlink();
    const error = new HaosError({ code: "closed", message: "this is watched no longer: watch it again" });
    this.#first.reject(error);
    this.#number.promise.then((watch) => this.keeper.call({ call: "unwatch", watch }, false)).catch(() => {});
    this.#number.reject(error);
    this.#tell();
    this.#listeners.clear();
  }

  /** The number of the watch, once it runs; rejects once it is closed. @internal */
  protected get number(): Promise<number> {
    return this.#number.promise;
  }

  /** What is watched, asked for each time that it begins. @internal */
  protected abstract what(): Watched;

  /** The value after what followed. @internal */
  protected follow(_value: T, next: unknown): T {
    return next as T;
  }

  /** Looks at what was read, before it is told. @internal */
  protected read(_next: unknown, _isFirst: boolean): void {}

  async #run(): Promise<void> {
    let failures = 0;
    while (!this.#isClosed) {
      try {
        await this.#watch(() => (failures = 0));
        // It ended with the chat.
        if (!this.#isClosed) this.close();
      } catch (thrown) {
        if (this.#isClosed) return;
        const error = errorOf(thrown);
        // Of an engine that is gone nobody needs to hear: the next one is asked at once.
        const isLost = error.code === "closed" && !this.keeper.isClosed;
        if (!isLost) {
          this.#error = error;
          this.#first.reject(error);
          this.#tell();
        }
        const wait = isLost && failures === 0 ? 0 : Math.min(LONGEST_MS, 100 * 2 ** failures);
        failures += 1;
        await new Promise((done) => setTimeout(done, wait));
      }
    }
  }

  async #watch(isThere: () => void): Promise<void> {
    // A watch of an engine that goes is gone with it: nothing is left to end.
    const engine = await this.keeper.engine();
    if (this.#number.isSettled) this.#number = promised();
    const ask = async (call: object): Promise<unknown> => {
      const answer = await unlessGone(engine, engine.call(JSON.stringify(call)));
      if (answer === GONE) throw new HaosError({ code: "closed", message: "it is gone" });
      return JSON.parse(answer) as unknown;
    };
    const { watch, now } = (await ask({ call: "watch", of: this.what() })) as Watching;
    if (this.#isClosed) return void ask({ call: "unwatch", watch });
    this.#number.resolve(watch);
    this.#put(now as T, now, true);
    isThere();
    for (;;) {
      const following = (await ask({ call: "next", watch })) as Following | null;
      if (following === null || this.#isClosed) return;
      this.#put(this.follow(this.#value as T, following.next), following.next, false);
    }
  }

  #put(value: T, next: unknown, isFirst: boolean): void {
    this.#value = value;
    this.#error = undefined;
    this.#first.resolve(value);
    this.read(next, isFirst);
    this.#tell();
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener();
      } catch (thrown) {
        // Its own, and told as such; the others are called all the same.
        (globalThis.reportError ?? console.error)(thrown);
      }
    }
  }

  /** Yields now and after every change, until it is closed. @internal */
  protected async *changes(): AsyncIterableIterator<void> {
    let wake: () => void = () => {};
    let isStale = true;
    const stop = this.subscribe(() => {
      isStale = true;
      wake();
    });
    try {
      while (!this.#isClosed) {
        if (isStale) {
          isStale = false;
          yield;
        } else {
          await new Promise<void>((done) => (wake = done));
        }
      }
    } finally {
      stop();
    }
  }
}

/** The batches of steps that a slow reader may have left: with more, the list itself is given instead. */
const MOST_LEFT = 32;

/** A list that is watched. */
export abstract class ListWatcher<T> extends Watcher<readonly T[]> implements LiveList<T> {
  readonly #readers = new Set<Diff<T>[][]>();

  async *diffs(): AsyncIterableIterator<Diff<T>[]> {
    const left: Diff<T>[][] = this.value === undefined ? [] : [[{ type: "reset", items: [...this.value] }]];
    this.#readers.add(left);
    try {
      for await (const _ of this.changes()) {
        for (let steps = left.shift(); steps !== undefined; steps = left.shift()) yield steps;
      }
    } finally {
      this.#readers.delete(left);
    }
  }

  /** @internal */
  protected override follow(value: readonly T[], next: unknown): readonly T[] {
    return applyDiffs(value, next as Diff<T>[]);
  }

  /** @internal */
  protected override read(next: unknown, isFirst: boolean): void {
    for (const left of this.#readers) {
      if (isFirst || left.length >= MOST_LEFT) {
        left.splice(0, left.length, [{ type: "reset", items: [...(this.value ?? [])] }]);
      } else {
        left.push(next as Diff<T>[]);
      }
    }
  }
}

/** A value that is watched. */
export class ValueWatcher<T> extends Watcher<T> {
  readonly #what: Watched;

  constructor(keeper: Keeper, what: Watched, options?: WatchOptions) {
    super(keeper, options);
    this.#what = what;
  }

  /** @internal */
  protected override what(): Watched {
    return this.#what;
  }
}
