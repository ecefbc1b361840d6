import type { Keeper } from "./engine.js";
import { ListWatcher, type LiveList, type WatchOptions } from "./live.js";
import type { RoomItem, RoomQuery, Watched } from "./wire.js";

/** A list of rooms, the latest first. */
export interface LiveRooms extends LiveList<RoomItem> {
  /** Shows so many rooms more. Returns true if there are others still. */
  more(rooms: number): Promise<boolean>;
}

/** Which rooms, and how many at first. */
export interface RoomsOptions extends WatchOptions {
  /** Rooms that are shown at first; 50 if nothing is said. */
  readonly limit?: number | undefined;
}

/** @internal */
export class RoomsWatcher extends ListWatcher<RoomItem> implements LiveRooms {
  readonly #query: RoomQuery;
  #limit: number;

  constructor(keeper: Keeper, query: RoomQuery, options: RoomsOptions = {}) {
    super(keeper, options);
    this.#query = query;
    this.#limit = options.limit ?? 50;
  }

  async more(rooms: number): Promise<boolean> {
    this.#limit += rooms;
    const watch = await this.number;
    return this.keeper.call({ call: "more", watch, want: rooms }, false);
  }

  /** @internal */
  protected override what(): Watched {
    return { list: "rooms", query: this.#query, limit: this.#limit };
  }
}
