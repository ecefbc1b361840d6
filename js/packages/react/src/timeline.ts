import type { EventId, LiveTimeline, Message, Reach, RoomId, TimelineItem, TimelineOptions } from "@haos/client";

import { useOfHaos } from "./provider.js";
import { following, guard, LOADING, nothing, type Status } from "./state.js";

/** How a timeline begins. */
export interface UseTimelineOptions extends Omit<TimelineOptions, "signal"> {
  /** Timelines of one room under different names move apart; those under the same one are the same. */
  readonly name?: string | undefined;
}

/** What a timeline may be busy with. */
export type Paging = "older" | "newer" | "around" | "toLive";

/**
 * A window on the timeline of a room. It can be moved and grown to both sides; items keep their ids, by which lists keep
 * their place.
 *
 * None of its functions rejects: what failed is in `error`.
 */
export interface TimelineState extends Status {
  /** Messages, gaps, days, the read marker and what is unsent, oldest first. */
  readonly items: readonly TimelineItem[];
  /**
   * A number for the first item, which goes down by as many items as are put before it: lists that anchor by index
   * keep their place with it. It is large at first, and stays where the window jumps to other items.
   */
  readonly firstIndex: number;
  /** True if there may be older items. */
  readonly hasOlder: boolean;
  /** True if the window shows the live end. */
  readonly isLive: boolean;
  /** Which way the window is being moved just now. */
  readonly paging: Paging | undefined;
  /** Shows older items, and says how far that reached. Called again while it does, it is the same call. */
  readonly older: (want?: number) => Promise<Reach | undefined>;
  /** Shows newer items, and says how far that reached. Called again while it does, it is the same call. */
  readonly newer: (want?: number) => Promise<Reach | undefined>;
  /** Shows an event and what is around it. */
  readonly around: (event: EventId, want?: number) => Promise<unknown>;
  /** Goes back to the live end. */
  readonly toLive: (want?: number) => Promise<unknown>;
  /** Fetches what a gap lacks, and says how far that reached. */
  readonly fill: (gap: TimelineItem) => Promise<Reach | undefined>;
  /** Gives a message of the user's own another text, sent or not. */
  readonly edit: (item: TimelineItem, message: string | Message) => Promise<unknown>;
  /** Reacts to a message. */
  readonly react: (item: TimelineItem, key: string) => Promise<unknown>;
  /** Takes a reaction back. */
  readonly unreact: (item: TimelineItem, key: string) => Promise<unknown>;
  /** Takes a message back, sent or not. */
  readonly redact: (item: TimelineItem, reason?: string) => Promise<unknown>;
  /** Tries an unsent message again. */
  readonly retry: (item: TimelineItem) => Promise<unknown>;
  /** Gives an unsent message up. */
  readonly cancel: (item: TimelineItem) => Promise<unknown>;
}

const FIRST_INDEX = 1_000_000;
const MOVES = ["older", "newer", "around", "toLive"] as const;
const ACTS = ["fill", "edit", "react", "unreact", "redact", "retry", "cancel"] as const;

const EMPTY: TimelineState = {
  ...LOADING,
  items: [],
  firstIndex: FIRST_INDEX,
  hasOlder: false,
  isLive: true,
  paging: undefined,
  ...functions(() => nothing),
};

type Functions = Pick<TimelineState, (typeof MOVES)[number] | (typeof ACTS)[number]>;

/** What there is to do with a timeline, made name by name. */
function functions(make: (name: keyof Functions) => unknown): Functions {
  return Object.fromEntries([...MOVES, ...ACTS].map((name) => [name, make(name)])) as unknown as Functions;
}

/** The timeline of a room, at the live end or around an event. Components that name the same one move it together. */
export function useTimeline(room: RoomId, { name, limit, around }: UseTimelineOptions = {}): TimelineState {
  return useOfHaos(
    `timeline ${JSON.stringify([room, name, limit, around])}`,
    (haos) => storeOf(haos.timeline(room, { limit, around })),
    EMPTY,
  );
}

function storeOf(live: LiveTimeline) {
  const cell = following(live, { ...EMPTY, isLive: live.isLive }, (items, before) => ({
    items,
    firstIndex: before.firstIndex - shift(before.items, items),
    ...where(live),
  }));
  let moving: Promise<unknown> | undefined;
  const move = (paging: Paging, act: (...args: never[]) => Promise<unknown>) => {
    return (...args: never[]): Promise<unknown> => {
      if (moving !== undefined && cell.get().paging === paging && paging !== "around") return moving;
      cell.set({ paging });
      const moved = act(...args).then((reach) => {
        if (moving === moved) cell.set({ paging: (moving = undefined), ...where(live) });
        return reach;
      });
      return (moving = moved);
    };
  };
  cell.set(
    functions((name) => {
      const act = guard(cell, (live[name] as (...args: never[]) => Promise<unknown>).bind(live));
      const paging = MOVES.find((it) => it === name);
      return paging ? move(paging, act) : act;
    }),
  );
  return cell;
}

const where = ({ hasOlder, isLive }: LiveTimeline) => ({ hasOlder, isLive });

/** By how many places the items moved that were there before: upwards from the first that still is. */
function shift(before: readonly TimelineItem[], now: readonly TimelineItem[]): number {
  if (before[0]?.id === now[0]?.id) return 0;
  const places = new Map(now.map(({ id }, index) => [id, index]));
  for (const [index, { id }] of before.entries()) {
    const place = places.get(id);
    if (place !== undefined) return place - index;
  }
  return 0;
}
