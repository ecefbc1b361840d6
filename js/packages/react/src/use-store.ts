import { useCallback, useState, useSyncExternalStore } from "react";

import { hold, peek, type Store } from "./store.js";

/** What one component reads of a store. */
class Reader<S extends object> {
  readonly #reads = new Set<keyof S>();
  #state: S | undefined;
  #view: S | undefined;
  #viewed: S | undefined;
  #now!: () => S;

  /** The state to render: the one before, as long as what the component reads is the same. */
  choose(now: S): S {
    const before = this.#state;
    if (before !== undefined && [...this.#reads].every((key) => Object.is(before[key], now[key]))) return before;
    return (this.#state = now);
  }

  /** A state that notes what is read of it. `now`: what it is at the time of a first reading. */
  view(state: S, now: () => S): S {
    this.#now = now;
    if (this.#viewed === state && this.#view !== undefined) return this.#view;
    const view = {} as S;
    const late: Partial<S> = {};
    for (const key in state) {
      Object.defineProperty(view, key, {
        enumerable: true,
        get: () => {
          // A field that nobody read may have changed since.
          if (!this.#reads.has(key)) {
            this.#reads.add(key);
            late[key] = this.#now()[key];
          }
          return key in late ? late[key] : state[key];
        },
      });
    }
    this.#viewed = state;
    return (this.#view = view);
  }
}

/**
 * The state of a store, which all components that name it share. A component renders again when a field changes that it
 * reads.
 *
 * @param owner what the store is of; `undefined` as long as there is none
 * @param name its name among those of the owner
 * @param make makes it
 * @param empty its state before it is open, and on a server
 */
export function useStore<O extends object, S extends object>(
  owner: O | undefined,
  name: string,
  make: (owner: O) => Store<S>,
  empty: S,
): S {
  const [reader] = useState(() => new Reader<S>());
  const now = (): S => (owner && peek<S>(owner, name)) ?? empty;
  const subscribe = useCallback(
    (changed: () => void) => (owner ? hold(owner, name, () => make(owner), changed) : () => {}),
    // What makes the store says the same whenever the name is the same.
    [owner, name],
  );
  const state = useSyncExternalStore(
    subscribe,
    () => reader.choose(now()),
    () => empty,
  );
  return reader.view(state, now);
}
