import type { Haos, KeptName, ToKeep } from "@haos/client";

/** Rows that wait to be kept: the latest of each name. A commit that fails leaves them. */
export class Rows {
  readonly #waiting = new Map<string, ToKeep | KeptName>();

  /** True if none waits. */
  get isEmpty(): boolean {
    return this.#waiting.size === 0;
  }

  /** Keeps a text. */
  put(row: ToKeep): void {
    this.#waiting.set(nameOf(row), row);
  }

  /** Removes one. */
  remove(name: KeptName): void {
    this.#waiting.set(nameOf(name), name);
  }

  /** The text that waits under a name; null for one that is to be removed, undefined where nothing waits. */
  text(name: KeptName): string | null | undefined {
    const row = this.#waiting.get(nameOf(name));
    return row === undefined ? undefined : "text" in row ? row.text : null;
  }

  /** Forgets what waits. */
  clear(): void {
    this.#waiting.clear();
  }

  /** Keeps all that waits, in one commit. */
  async commit(chat: Haos): Promise<void> {
    if (this.isEmpty) return;
    const rows = [...this.#waiting];
    const put = rows.flatMap(([, row]) => ("text" in row ? [row] : []));
    const remove = rows.flatMap(([, row]) => ("text" in row ? [] : [row]));
    await chat.keep({ put, remove });
    // What came meanwhile waits for the next one.
    for (const [name, row] of rows) if (this.#waiting.get(name) === row) this.#waiting.delete(name);
  }
}

const nameOf = ({ kind, name }: KeptName) => `${kind}\0${name}`;
