import type { HaosError, Live } from "@haos/client";

import { Cell } from "./store.js";

/** What every hook tells beside what it is about. */
export interface Status {
  /** True until the first answer, be it an error. */
  readonly loading: boolean;
  /** Why something failed; `undefined` again once it works. */
  readonly error: HaosError | undefined;
}

/** Nothing was read yet. */
export const LOADING: Status = { loading: true, error: undefined };

/** A cell that follows a live value. */
export function following<T, S extends Status>(
  live: Live<T>,
  state: S,
  read: (value: T, before: S) => Partial<S>,
): Cell<S> {
  const cell = new Cell(state);
  let known: unknown;
  const follow = (): void => {
    const { value, error } = live;
    if (value === undefined && error === undefined) return;
    const fields = value === undefined ? {} : read(value, cell.get());
    // The error of what the user did stays where reading goes on well.
    const status = error === known ? { loading: false } : { loading: false, error };
    known = error;
    cell.set({ ...fields, ...status } as Partial<S>);
  };
  const stop = live.subscribe(follow);
  follow();
  cell.ends.push(() => live.close(), stop);
  return cell;
}

/**
 * Makes a function of one that may fail: the promise always resolves, with `undefined` after a failure, which the state
 * has as its error.
 */
export function guard<A extends unknown[], T>(
  cell: Cell<Status & object>,
  act: (...args: A) => Promise<T>,
): (...args: A) => Promise<T | undefined> {
  return async (...args) => {
    try {
      const done = await act(...args);
      cell.set({ error: undefined });
      return done;
    } catch (error) {
      cell.set({ error: error as HaosError });
      return undefined;
    }
  };
}

/** What a function does before there is a chat. */
export const nothing = (): Promise<undefined> => Promise.resolve(undefined);
