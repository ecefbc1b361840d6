import type { Haos } from "@haos/client";

/** The open chat, which is asked one thing after the other, so that what is written is read. */
export class Shelf {
  readonly #opening: Promise<Haos>;
  readonly #tell: (error: Error) => void;
  #turn: Promise<unknown> = Promise.resolve();
  #isFailing = false;

  /** @param tell hears of the first failure, and of the first one after a success */
  constructor(opening: Promise<Haos>, tell: (error: Error) => void) {
    this.#opening = opening;
    this.#tell = tell;
    // Whoever waits for it is told.
    opening.catch(() => {});
  }

  /** Does something with the chat, in turn. */
  run<T>(act: (chat: Haos) => Promise<T>): Promise<T> {
    const done = this.#turn.then(() => this.#opening).then(act);
    this.#turn = done.catch(() => {});
    return done;
  }

  /** The same, where something else is done if it fails. */
  async attempt<T>(act: (chat: Haos) => Promise<T>, instead: () => T | Promise<T>): Promise<T> {
    try {
      const done = await this.run(act);
      this.#isFailing = false;
      return done;
    } catch (error) {
      if (!this.#isFailing) this.#tell(error as Error);
      this.#isFailing = true;
      return instead();
    }
  }

  /** Resolves once all that was asked is answered. */
  async idle(): Promise<void> {
    await this.#turn;
  }
}
