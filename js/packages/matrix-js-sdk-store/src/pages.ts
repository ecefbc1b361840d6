import type { KeptName, ToKeep } from "@haos/client";

/** The values of a row. */
const SIZE = 32;

/** Values by their keys, some to a row: one that changes writes its row alone. */
export class Pages<T> {
  readonly #kind: string;
  readonly #slot: number;
  readonly #keyOf: (value: T) => string;
  readonly #pages: T[][];
  readonly #places = new Map<string, [page: number, at: number]>();
  readonly #changed = new Set<number>();

  /** Reads those of a room from the texts of their rows. */
  constructor(kind: string, slot: number, keyOf: (value: T) => string, texts: readonly string[]) {
    [this.#kind, this.#slot, this.#keyOf] = [kind, slot, keyOf];
    this.#pages = texts.map((text) => JSON.parse(text) as T[]);
    for (const [page, values] of this.#pages.entries()) {
      for (const [at, value] of values.entries()) this.#places.set(keyOf(value), [page, at]);
    }
  }

  /** The number of rows. */
  get count(): number {
    return this.#pages.length;
  }

  /** The name of a row. */
  name(page: number): KeptName {
    return { kind: this.#kind, name: `${this.#slot}.${page}` };
  }

  /** Puts a value in the place of the one with its key. */
  put(value: T): void {
    const key = this.#keyOf(value);
    const place = this.#places.get(key) ?? this.#nextPlace();
    const [page, at] = place;
    this.#places.set(key, place);
    (this.#pages[page] ??= [])[at] = value;
    this.#changed.add(page);
  }

  /** All of them. */
  all(): T[] {
    return this.#pages.flat();
  }

  /** The rows that changed since it was asked. */
  changes(): ToKeep[] {
    const rows = [...this.#changed].map((page) => ({ ...this.name(page), text: JSON.stringify(this.#pages[page]) }));
    this.#changed.clear();
    return rows;
  }

  #nextPlace(): [number, number] {
    const last = this.#pages.length - 1;
    const size = this.#pages[last]?.length ?? SIZE;
    return size < SIZE ? [last, size] : [last + 1, 0];
  }
}
