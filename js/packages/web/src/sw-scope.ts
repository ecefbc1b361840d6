// What a service worker has, as far as it is used here: the types of pages and those of workers exclude each other.

/** An event that keeps the worker running. */
export interface LongEvent extends Event {
  waitUntil(done: Promise<unknown>): void;
}

/** A request of a page. */
export interface FetchEvent extends LongEvent {
  readonly request: Request;
  /** The page or the worker that asks; empty for a navigation. */
  readonly clientId: string;
  respondWith(response: Promise<Response>): void;
}

/** A word of a page. */
export interface MessageEventOfPage extends LongEvent {
  readonly data: unknown;
}

/** Background Sync, and its periodic kin. */
export interface SyncEvent extends LongEvent {
  readonly tag: string;
}

/** A page. */
export interface Client {
  readonly id: string;
  postMessage(message: unknown, transfer: Transferable[]): void;
}

interface Events {
  fetch: FetchEvent;
  message: MessageEventOfPage;
  sync: SyncEvent;
  periodicsync: SyncEvent;
  push: LongEvent;
  activate: LongEvent;
}

/** The worker itself. */
export interface Scope {
  readonly registration: ServiceWorkerRegistration;
  readonly location: Location;
  readonly clients: {
    get(id: string): Promise<Client | undefined>;
    matchAll(options: { type: "window" }): Promise<readonly Client[]>;
    claim(): Promise<void>;
  };
  skipWaiting(): Promise<void>;
  addEventListener<K extends keyof Events>(type: K, listener: (event: Events[K]) => void): void;
}

export const scope = globalThis as unknown as Scope;
