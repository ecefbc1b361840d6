import { HaosError, type Diff, type Live, type LiveList, type WatchOptions } from "@haos/client";

/** A value that a test sets. */
export class FakeLive<T> implements Live<T> {
  readonly ready: Promise<T>;
  #value: T | undefined;
  #error: HaosError | undefined;
  #isClosed = false;
  readonly #listeners = new Set<() => void>();
  readonly #onClose: () => void;
  #settle!: { resolve(value: T): void; reject(error: HaosError): void };

  constructor(onClose: () => void, options: WatchOptions = {}) {
    this.#onClose = onClose;
    this.ready = new Promise((resolve, reject) => (this.#settle = { resolve, reject }));
    this.ready.catch(() => {});
    options.signal?.addEventListener("abort", () => this.close(), { once: true });
  }

  get value(): T | undefined {
    return this.#value;
  }

  get error(): HaosError | undefined {
    return this.#error;
  }

  /** The number of functions that are called after a change. */
  get listeners(): number {
    return this.#listeners.size;
  }

  subscribe(changed: () => void): () => void {
    const listener = (): void => changed();
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Gives it a value; nothing is told of the one that it has. */
  set(value: T): void {
    if (this.#isClosed || (value === this.#value && this.#error === undefined)) return;
    this.#value = value;
    this.#error = undefined;
    this.#settle.resolve(value);
    this.tell();
  }

  /** Lets reading fail, until a value comes. */
  fail(error: HaosError): void {
    if (this.#isClosed) return;
    this.#error = error;
    this.#settle.reject(error);
    this.tell();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#settle.reject(new HaosError({ code: "closed", message: "this is watched no longer: watch it again" }));
    this.tell();
    this.#listeners.clear();
    this.#onClose();
  }

  async *[Symbol.asyncIterator](): AsyncIterableIterator<T> {
    let seen: T | undefined;
    let wake: () => void = () => {};
    const stop = this.subscribe(() => wake());
    try {
      while (!this.#isClosed) {
        if (this.#value !== undefined && this.#value !== seen) yield (seen = this.#value);
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      stop();
    }
  }

  /** Tells everybody that something changed. */
  protected tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

/** A list that a test sets. Each change is told as a whole. */
export class FakeList<T> extends FakeLive<readonly T[]> implements LiveList<T> {
  /** Gives it items; nothing is told of those that it has. */
  override set(items: readonly T[]): void {
    const { value } = this;
    const isSame = items.length === value?.length && items.every((item, i) => item === value[i]);
    super.set(isSame ? value : items);
  }

  async *diffs(): AsyncIterableIterator<Diff<T>[]> {
    for await (const items of this) yield [{ type: "reset", items: [...items] }];
  }
}
