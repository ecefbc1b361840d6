/** How long a start waits for a tab that is being closed, in milliseconds. */
const WAIT_MS = 250;

/** The right to keep what syncs bring, which one of an origin's tabs has. */
export class Writer {
  readonly #abort = new AbortController();
  readonly #first: Promise<void>;
  #isFit: () => Promise<boolean> = () => Promise.resolve(true);
  #isLate = false;
  #end: () => void = () => {};
  /** True while it is held. */
  isHeld = false;

  /** Asks for it. */
  constructor(name: string) {
    const locks = (globalThis.navigator as Partial<Navigator> | undefined)?.locks;
    const { signal } = this.#abort;
    this.#first = new Promise((tell) => {
      const hold = async () => {
        if (this.#isLate && !(await this.#isFit())) return;
        this.isHeld = !signal.aborted;
        tell();
        await new Promise<void>((end) => (this.#end = end));
      };
      // It is refused where there is no storage, too.
      if (locks === undefined) void hold();
      else locks.request(`haos-sdk-store-${name}`, { signal }, hold).catch(() => void hold());
    });
  }

  /** Waits a moment for it; one that comes later is taken if `isFit` says so. */
  async begin(isFit: () => Promise<boolean>): Promise<void> {
    this.#isFit = isFit;
    await Promise.race([this.#first, new Promise((done) => setTimeout(done, WAIT_MS))]);
    this.#isLate = !this.isHeld;
  }

  /** Gives it up. */
  end(): void {
    this.isHeld = false;
    this.#abort.abort();
    this.#end();
  }
}
