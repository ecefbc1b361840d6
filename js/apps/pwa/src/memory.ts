// What the application itself remembers in this browser, beside the chat: how it looks, and that there was a chat.

import { useSyncExternalStore } from "react";

const listeners = new Set<() => void>();

/** A browser that keeps nothing, or refuses to, is as one that is new. */
function get(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function set(key: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    // It holds until the page is closed, where it is shown at all.
  }
  listeners.forEach((changed) => changed());
}

function subscribe(changed: () => void): () => void {
  listeners.add(changed);
  addEventListener("storage", changed);
  return () => {
    listeners.delete(changed);
    removeEventListener("storage", changed);
  };
}

/** A setting of this browser, and what changes it. */
export function useSetting<T extends string>(name: string, usual: T): [T, (value: T) => void] {
  const value = useSyncExternalStore(subscribe, () => get(`haos ${name}`)) as T | null;
  return [value ?? usual, (next) => set(`haos ${name}`, next)];
}

/** That a chat was kept here: whoever finds the mark without the chat knows that the browser removed it. */
export interface Mark {
  readonly user: string;
  readonly unsent: number;
}

const MARK = "haos mark";

export function readMark(): Mark | null {
  try {
    return JSON.parse(get(MARK) ?? "null") as Mark | null;
  } catch {
    return null;
  }
}

export function writeMark(mark: Mark | null): void {
  const text = mark && JSON.stringify(mark);
  if (text !== get(MARK)) set(MARK, text);
}
