import { Refusal } from "./answer.js";

/** Tells if a fault is about a request. */
export type Match = (request: Request) => boolean;

/** What a server that refuses says. */
export interface RefuseOptions {
  readonly status: number;
  readonly errcode: string;
  /** Members of the answer beside these, such as `soft_logout`. */
  readonly more?: Readonly<Record<string, unknown>>;
  /** How many requests are refused. Default: all, until {@link Network.online}. */
  readonly times?: number;
  /** Which requests. Default: all. */
  readonly match?: Match;
}

/** A request that was made. */
export interface RequestLine {
  readonly method: string;
  readonly path: string;
}

interface Fault {
  times: number;
  readonly match: Match;
  readonly strike: (pass: () => Promise<Response>, life: AbortSignal) => Promise<Response>;
}

const KEPT_LINES = 1000;

/** The way to the server, and everything that goes wrong on it. */
export class Network {
  #isOffline = false;
  #latencyMs: number;
  #faults: Fault[] = [];
  #limitedUntil = 0;
  readonly #lives = new Set<AbortController>();
  /** The newest thousand requests, those that a fault met included. */
  readonly requests: RequestLine[] = [];

  readonly #now: () => number;

  constructor(latencyMs: number, now: () => number) {
    this.#now = now;
    this.#latencyMs = latencyMs;
  }

  /** From now on no request passes, and those on their way fail. */
  offline(): void {
    this.#isOffline = true;
    this.#cut();
  }

  /** Ends every fault; the latency stays. Requests that hang fail, as on a connection that was lost. */
  online(): void {
    const hung = this.#faults.length > 0;
    this.#isOffline = false;
    this.#faults = [];
    this.#limitedUntil = 0;
    if (hung) this.#cut();
  }

  /** Every request takes this long, beside the time that the server takes. */
  latency(ms: number): void {
    this.#latencyMs = ms;
  }

  /** The next `count` requests are carried out, and their answers are lost. Default: of requests that change something. */
  dropAnswers(count: number, match: Match = (request) => request.method !== "GET"): void {
    this.#add(count, match, async (pass) => {
      await pass();
      throw lost();
    });
  }

  /** Requests are refused with an error of Matrix's. */
  refuse({ status, errcode, more, times = Infinity, match = () => true }: RefuseOptions): void {
    const refusal = new Refusal(status, errcode, "The test wants it so", more);
    this.#add(times, match, () => Promise.resolve(refusal.toResponse()));
  }

  /** For this long, every request is refused with the wish to wait until it is over. */
  rateLimit(ms: number): void {
    this.#limitedUntil = this.#now() + ms;
  }

  /** Requests are not answered, until {@link Network.online}. */
  hang(match: Match = () => true): void {
    this.#add(Infinity, match, (_, life) => {
      return new Promise((_, reject) => life.addEventListener("abort", () => reject(life.reason as Error)));
    });
  }

  /** Carries a request to whoever answers it. Rejects as `fetch` does. */
  async carry(
    request: Request,
    respond: (request: Request, life: AbortSignal) => Promise<Response>,
  ): Promise<Response> {
    this.requests.push({ method: request.method, path: new URL(request.url).pathname });
    if (this.requests.length > KEPT_LINES) this.requests.shift();
    if (this.#isOffline) throw lost();
    const life = new AbortController();
    const abort = (): void => life.abort(request.signal.reason);
    this.#lives.add(life);
    request.signal.addEventListener("abort", abort);
    if (request.signal.aborted) abort();
    try {
      return await Promise.race([this.#pass(request, respond, life.signal), ended(life.signal)]);
    } finally {
      this.#lives.delete(life);
      request.signal.removeEventListener("abort", abort);
    }
  }

  async #pass(
    request: Request,
    respond: (request: Request, life: AbortSignal) => Promise<Response>,
    life: AbortSignal,
  ): Promise<Response> {
    await sleep(this.#latencyMs / 2);
    life.throwIfAborted();
    const waitMs = this.#limitedUntil - this.#now();
    if (waitMs > 0) {
      return new Refusal(429, "M_LIMIT_EXCEEDED", "Too many requests", { retry_after_ms: waitMs }).toResponse();
    }
    const fault = this.#faults.find((it) => it.times > 0 && it.match(request));
    if (fault !== undefined) fault.times -= 1;
    const pass = (): Promise<Response> => respond(request, life);
    const response = await (fault === undefined ? pass() : fault.strike(pass, life));
    await sleep(this.#latencyMs / 2);
    return response;
  }

  #add(times: number, match: Match, strike: Fault["strike"]): void {
    this.#faults.push({ times, match, strike });
  }

  #cut(): void {
    for (const life of this.#lives) life.abort(lost());
  }
}

/** The error of a `fetch` that got no answer. */
function lost(): TypeError {
  return new TypeError("Failed to fetch");
}

function ended(life: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const over = (): void => reject(life.reason as Error);
    life.addEventListener("abort", over);
    if (life.aborted) over();
  });
}

function sleep(ms: number): Promise<void> | undefined {
  return ms > 0 ? new Promise((resolve) => setTimeout(resolve, ms)) : undefined;
}
