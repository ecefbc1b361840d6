import type { RoomItem, RoomQuery, RoomsOptions } from "@haos/client";

import { useOfHaos } from "./provider.js";
import { following, guard, LOADING, nothing, type Status } from "./state.js";

/** A list of rooms. */
export interface RoomsState extends Status {
  /** The rooms, the latest first. A room that did not change is the same object. */
  readonly rooms: readonly RoomItem[];
  /** Shows so many rooms more; true if there are others still. Never rejects: see `error`. */
  readonly more: (rooms: number) => Promise<boolean | undefined>;
}

const EMPTY: RoomsState = { ...LOADING, rooms: [], more: nothing };

/** The rooms that a query chooses: those joined, if nothing is said. 50 of them at first, or `limit`. */
export function useRooms(query: RoomQuery = {}, { limit }: Pick<RoomsOptions, "limit"> = {}): RoomsState {
  return useOfHaos(
    `rooms ${JSON.stringify([query, limit])}`,
    (haos) => {
      const live = haos.rooms(query, { limit });
      const cell = following(live, EMPTY, (rooms) => ({ rooms }));
      cell.set({ more: guard(cell, (rooms: number) => live.more(rooms)) });
      return cell;
    },
    EMPTY,
  );
}
