// The engine, in a dedicated worker.

import { type Engine, type EngineMedia, HaosError } from "@haos/client";

import type { EngineFiles, StoreOptions } from "./options.js";
import type { Answer, Request } from "./port.js";

type Asked = Request extends infer R ? (R extends Request ? Omit<R, "id"> : never) : never;

interface Waiting {
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** Starts the engine in a worker. */
export async function startRemote(make: () => Worker, options: StoreOptions, files: EngineFiles): Promise<Engine> {
  const engine = new RemoteEngine(make());
  try {
    await engine.open(options, files);
    return engine;
  } catch (thrown) {
    engine.end();
    throw thrown;
  }
}

class RemoteEngine implements Engine {
  readonly gone: Promise<void>;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #last = 0;
  #isClosed = false;
  #lost!: () => void;

  constructor(worker: Worker) {
    this.#worker = worker;
    this.gone = new Promise((resolve) => (this.#lost = resolve));
    worker.onmessage = ({ data }: MessageEvent<Answer>) => {
      const waiting = this.#waiting.get(data.id);
      this.#waiting.delete(data.id);
      if ("ok" in data) waiting?.resolve(data.ok);
      else waiting?.reject(data.failure);
    };
    // A script that does not load, or that ends by itself.
    worker.onerror = (event) => {
      event.preventDefault();
      this.#lose(event.message || "its script was not loaded");
    };
  }

  async open(options: StoreOptions, files: EngineFiles): Promise<void> {
    const life = `haos-life-${crypto.randomUUID()}`;
    await this.#ask({ open: options, files, life });
    // It is given once the worker is gone, whoever ended it.
    void navigator.locks?.request(life, () => this.#lose("its worker was ended"));
  }

  async call(call: string): Promise<string> {
    return (await this.#ask({ call })) as string;
  }

  async sendFile(room: string, facts: string, file: Blob): Promise<string> {
    return (await this.#ask({ sendFile: [room, facts, file] })) as string;
  }

  async media(wanted: string): Promise<EngineMedia> {
    return (await this.#ask({ media: wanted })) as EngineMedia;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    try {
      await this.#ask({ close: true });
    } finally {
      this.end();
    }
  }

  /** Ends the worker. */
  end(): void {
    this.#isClosed = true;
    this.#worker.terminate();
    this.#refuse("the chat is closed: open it again");
  }

  #ask(asked: Asked): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#last += 1;
      this.#waiting.set(this.#last, { resolve, reject });
      this.#worker.postMessage({ ...asked, id: this.#last });
    });
  }

  #lose(reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#worker.terminate();
    // First, so that what waits is asked again of the next one.
    this.#lost();
    queueMicrotask(() => this.#refuse(`the engine ended (${reason}): it is started again with the next call`));
  }

  #refuse(message: string): void {
    const error = new HaosError({ code: "closed", message, retryable: true });
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    waiting.forEach(({ reject }) => reject(error));
  }
}
