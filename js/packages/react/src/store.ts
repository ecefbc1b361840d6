/** Something that components read: its state is another object when it changes, and only then. */
export interface Store<S extends object> {
  get(): S;
  subscribe(changed: () => void): () => void;
  /** Ends it; a promise is of what is still to be done then. */
  close(): unknown;
}

/** A state that is changed field by field. */
export class Cell<S extends object> implements Store<S> {
  /** What is done at the end, the latest first. */
  readonly ends: (() => unknown)[] = [];
  isClosed = false;
  readonly #listeners = new Set<() => void>();
  #state: S;

  constructor(state: S) {
    this.#state = state;
  }

  get(): S {
    return this.#state;
  }

  /** Changes fields. Nobody is told of what is as it was. */
  set(fields: Partial<S>): void {
    if (this.isClosed || isSame(this.#state, fields)) return;
    this.#state = { ...this.#state, ...fields };
    for (const listener of [...this.#listeners]) listener();
  }

  subscribe(changed: () => void): () => void {
    this.#listeners.add(changed);
    return () => this.#listeners.delete(changed);
  }

  close(): unknown {
    this.isClosed = true;
    return Promise.all(
      this.ends
        .splice(0)
        .reverse()
        .map((end) => end()),
    );
  }
}

/** Tells if a state has these fields. */
export function isSame<S extends object>(state: S, fields: Partial<S>): boolean {
  for (const key in fields) if (!Object.is(state[key], fields[key])) return false;
  return true;
}

interface Held {
  readonly store: Store<object>;
  holders: number;
  release?: ReturnType<typeof setTimeout>;
}

/** The stores that are open, by what they are of (a chat, a source of one) and by name. */
const open = new WeakMap<object, Map<string, Held>>();

/** The state of a store that is open. */
export function peek<S extends object>(owner: object, name: string): S | undefined {
  return open.get(owner)?.get(name)?.store.get() as S | undefined;
}

/**
 * Subscribes to a store, which is made for the first who does. It is closed a tick after the last one left: in strict
 * mode, and where one component takes another's place, somebody is back by then.
 */
export function hold(owner: object, name: string, make: () => Store<object>, changed: () => void): () => void {
  let stores = open.get(owner);
  if (stores === undefined) open.set(owner, (stores = new Map()));
  let held = stores.get(name);
  if (held === undefined) stores.set(name, (held = { store: make(), holders: 0 }));
  const { store } = held;
  clearTimeout(held.release);
  held.holders += 1;
  const stop = store.subscribe(changed);
  return () => {
    stop();
    held.holders -= 1;
    if (held.holders > 0) return;
    held.release = setTimeout(() => {
      stores.delete(name);
      end(owner, store);
    });
  };
}

/** What the stores that were closed still do, by what they are of. */
const ending = new WeakMap<object, Promise<unknown>>();

function end(owner: object, store: Store<object>): void {
  ending.set(owner, Promise.all([ending.get(owner), store.close()]));
}

/** Closes all stores of an owner that goes, and waits until what they do is done. */
export function endAll(owner: object): Promise<unknown> | undefined {
  for (const { store, release } of open.get(owner)?.values() ?? []) {
    clearTimeout(release);
    end(owner, store);
  }
  open.delete(owner);
  return ending.get(owner);
}
