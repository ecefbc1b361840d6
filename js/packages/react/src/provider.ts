import type { Haos } from "@haos/client";
import { createContext, createElement, useContext, useState, type FunctionComponent, type ReactNode } from "react";

import { Cell, endAll, type Store } from "./store.js";
import { useStore } from "./use-store.js";

/** Where a chat comes from: an open one, a promise of one, or what opens one. */
export type HaosSource = Haos | Promise<Haos> | (() => Haos | Promise<Haos>);

/** What {@link HaosProvider} takes. */
export interface HaosProviderProps {
  /**
   * The chat. A function is called when the provider is mounted, and what it opened is closed when it is unmounted; of
   * several functions the first one counts. A chat that is given stays open.
   */
  readonly client: HaosSource;
  readonly children?: ReactNode;
}

/** The chat, as far as it is open. */
export interface HaosState {
  /** The chat; `undefined` until it is open, and on a server. */
  readonly haos: Haos | undefined;
  /** True until it is open or has failed to open. */
  readonly loading: boolean;
  /** Why it did not open. */
  readonly error: Error | undefined;
}

const EMPTY: HaosState = { haos: undefined, loading: true, error: undefined };

const Source = createContext<HaosSource | undefined>(undefined);

function opening(source: HaosSource): Store<HaosState> {
  const cell = new Cell(EMPTY);
  const isOwn = typeof source === "function";
  const opened = new Promise<Haos>((resolve) => resolve(isOwn ? source() : source));
  opened.then(
    (haos) => cell.set({ haos, loading: false }),
    (error: Error) => cell.set({ error, loading: false }),
  );
  // One that opens after all is closed then. What its hooks have to keep is kept before.
  const leave = async (): Promise<void> => {
    const haos = await opened;
    await endAll(haos);
    await haos.close();
  };
  if (isOwn) cell.ends.push(() => leave().catch(() => {}));
  return cell;
}

const useSource = (source: HaosSource): HaosState => useStore(source, "", opening, EMPTY);

/** Gives a chat to the hooks of the components inside. */
export const HaosProvider: FunctionComponent<HaosProviderProps> = ({ client, children }) => {
  const [first] = useState(() => client);
  const source = typeof client === "function" && typeof first === "function" ? first : client;
  // It holds the chat, also while no component uses it.
  useSource(source);
  return createElement(Source.Provider, { value: source }, children);
};

/** The chat of the nearest {@link HaosProvider}, with what it can do beside the other hooks. */
export function useHaos(): HaosState {
  const source = useContext(Source);
  if (source === undefined) throw new Error("There is no chat here: put a <HaosProvider> around this component");
  return useSource(source);
}

/**
 * The state of a store of the chat.
 *
 * @internal
 */
export function useOfHaos<S extends object>(name: string, make: (haos: Haos) => Store<S>, empty: S): S {
  return useStore(useHaos().haos, name, make, empty);
}
