// The timeline of a room: of what is read, a screenful is in the page.

import type { RoomId, TimelineItem } from "@haos/client";
import { useHaos, useTimeline, useTyping, type TimelineState } from "@haos/react";
import { defaultRangeExtractor, useVirtualizer, type Range } from "@tanstack/react-virtual";
import { memo, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState, type KeyboardEvent } from "react";

import { Message } from "./message";
import { Announce, Icon, Skeleton } from "./ui";
import { day, listed, nameOf, textOf } from "./words";

/** As much of a timeline as everything here watches together. */
export const WINDOW = { limit: 50 };
/** So many items before the first one older ones are asked for: a quick scroll does not meet the end. */
const EARLY = 30;
/** As near to the end as this, in pixels, news scroll in. */
const NEAR_END = 80;
/** Messages of one person within this time are one group, in milliseconds. */
const GROUP_MS = 5 * 60_000;
const TOP_PX = 64;
const WALK: Record<string, number> = {
  ArrowUp: -1,
  ArrowDown: 1,
  PageUp: -8,
  PageDown: 8,
  Home: -Infinity,
  End: Infinity,
};

interface TimelineProps {
  readonly id: RoomId;
  readonly me: string;
  readonly name: string;
  /** The name of a person here. */
  readonly called: (user: string) => string;
}

const isMessage = (item: TimelineItem | undefined) => item?.type === "event" || item?.type === "local";
const isStop = (item: TimelineItem | undefined): boolean => isMessage(item) || item?.type === "gap";

/** Tells if a message goes on with the one before it. */
function isGrouped(item: TimelineItem | undefined, before: TimelineItem | undefined): boolean {
  if (item?.type !== "event" && item?.type !== "local") return false;
  if (before?.type !== "event" && before?.type !== "local") return false;
  const isTalk = item.content.type !== "state" && before.content.type !== "state" && item.reply === null;
  return isTalk && item.sender.id === before.sender.id && item.timestampMs - before.timestampMs < GROUP_MS;
}

export function Timeline({ id, me, name, called }: TimelineProps) {
  const timeline = useTimeline(id, WINDOW);
  const { items, hasOlder, isLive, loading, error, paging } = timeline;
  const scroller = useRef<HTMLDivElement>(null);
  const [active, setActive] = useState<string>();
  const [editing, setEditing] = useState<string>();
  /** Why older messages did not come. */
  const [stopped, setStopped] = useState<string | null>(null);
  /** What is to have the focus once it is there. */
  const wanted = useRef<string>();

  const indexOf = useCallback((it: string | undefined) => items.findIndex((item) => item.id === it), [items]);
  const last = useMemo(() => items.findLast(isStop)?.id, [items]);
  const current = active !== undefined && indexOf(active) >= 0 ? active : last;
  const currentIndex = indexOf(current);

  const virtual = useVirtualizer({
    count: items.length,
    getScrollElement: () => scroller.current,
    getItemKey: useCallback((index: number) => items[index]?.id ?? index, [items]),
    estimateSize: useCallback((index: number) => estimate(items[index], items[index - 1]), [items]),
    // What has the focus stays in the page, wherever it is.
    rangeExtractor: useCallback(
      (range: Range) => {
        const rows = defaultRangeExtractor(range);
        return currentIndex < 0 || rows.includes(currentIndex) ? rows : [...rows, currentIndex].sort((a, b) => a - b);
      },
      [currentIndex],
    ),
    anchorTo: "end",
    followOnAppend: isLive,
    scrollEndThreshold: NEAR_END,
    overscan: 8,
    paddingStart: TOP_PX,
    paddingEnd: 8,
  });
  const rows = virtual.getVirtualItems();
  const isAtEnd = virtual.isAtEnd(NEAR_END);

  const isEmpty = items.length === 0;
  /** Until the end is in sight, what is in sight says nothing of what is looked at. */
  const [isPlaced, setPlaced] = useState(false);
  useLayoutEffect(() => {
    if (isEmpty) return;
    virtual.scrollToEnd();
    const frame = requestAnimationFrame(() => setPlaced(true));
    return () => cancelAnimationFrame(frame);
  }, [virtual, isEmpty]);

  const older = useCallback(async () => {
    const reach = await timeline.older();
    setStopped(reach === undefined ? "Older messages could not be read" : reach.stopped);
  }, [timeline.older]);
  const first = rows[0]?.index ?? 0;
  const isNearTop = isPlaced && first < EARLY && rows.some((row) => row.index < EARLY && row.index !== currentIndex);
  useEffect(() => {
    if (isNearTop && hasOlder && paging === undefined && stopped === null) void older();
  }, [isNearTop, hasOlder, paging, stopped, older, items]);
  const isNearBottom = isPlaced && (rows.at(-1)?.index ?? 0) > items.length - EARLY;
  useEffect(() => {
    if (isNearBottom && !isLive && paging === undefined) void timeline.newer();
  }, [isNearBottom, isLive, paging, timeline.newer, items]);

  // A keyboard that opens leaves the end in sight.
  const wasAtEnd = useRef(true);
  useEffect(() => {
    const observer = new ResizeObserver(() => wasAtEnd.current && virtual.scrollToEnd());
    observer.observe(scroller.current!);
    return () => observer.disconnect();
  }, [virtual]);

  useRead(id, items, isLive && isAtEnd);

  useEffect(() => {
    const element = wanted.current && rowOf(scroller.current, wanted.current);
    if (!element) return;
    wanted.current = undefined;
    element.focus({ preventScroll: true });
  });
  const focusItem = (index: number): void => {
    const item = items[index];
    if (item === undefined) return;
    setActive(item.id);
    wanted.current = item.id;
    virtual.scrollToIndex(index, { align: "auto" });
  };
  // What had the focus may be gone, such as a message that was deleted.
  const place = useRef(-1);
  useEffect(() => {
    if (active !== undefined && indexOf(active) < 0 && document.activeElement === document.body) {
      focusItem(Math.min(place.current, items.length - 1));
    }
    place.current = currentIndex;
  });

  const onKeyDown = (event: KeyboardEvent): void => {
    const target = event.target as HTMLElement;
    if (event.key === "Escape") return document.getElementById("composer")?.focus();
    if (target.dataset["id"] === undefined) return;
    const by = WALK[event.key];
    if (event.key === "Enter") {
      event.preventDefault();
      target.querySelector<HTMLElement>("button, a")?.focus();
    } else if (by !== undefined) {
      event.preventDefault();
      let index = Math.max(0, Math.min(items.length - 1, currentIndex + by));
      while (index > 0 && index < items.length - 1 && !isStop(items[index])) index += Math.sign(by) || 1;
      if (isStop(items[index])) focusItem(index);
    }
  };

  const now = useRef(items);
  now.current = items;
  const show = useCallback(
    (eventId: string) => {
      const index = now.current.findIndex((item) => item.type === "event" && item.eventId === eventId);
      if (index >= 0) virtual.scrollToIndex(index, { align: "center" });
      else void timeline.around(eventId);
    },
    [virtual, timeline.around],
  );

  return (
    <div className="timeline">
      <div
        className="scroller"
        ref={scroller}
        onKeyDown={onKeyDown}
        onScroll={({ currentTarget: it }) => {
          wasAtEnd.current = it.scrollHeight - it.scrollTop - it.clientHeight <= NEAR_END;
        }}
      >
        <div className="sizer" style={{ height: virtual.getTotalSize() }}>
          <div className="top">
            {stopped !== null ? (
              <p>
                {stopped}{" "}
                <button className="link" onClick={() => void older()}>
                  Load more
                </button>
              </p>
            ) : isEmpty || hasOlder ? null : (
              <p dir="auto">This is where {name || "the room"} begins</p>
            )}
          </div>
          <div role="feed" aria-label="Messages" aria-busy={loading || paging === "older"}>
            {rows.map(({ index, key, start }) => (
              <div
                key={key}
                className="line"
                role="none"
                data-index={index}
                ref={virtual.measureElement}
                style={{ transform: `translateY(${start}px)` }}
              >
                <Line
                  item={items[index]!}
                  isGrouped={isGrouped(items[index], items[index - 1])}
                  isActive={items[index]!.id === current}
                  isEditing={items[index]!.id === editing}
                  place={index + 1}
                  {...{ room: id, me, called, timeline, show, setActive, setEditing }}
                />
              </div>
            ))}
          </div>
        </div>
      </div>
      {loading && isEmpty && <Skeleton rows={7} kind="messages" />}
      {!isEmpty && (!isAtEnd || !isLive) && (
        <button
          className="jump"
          aria-label="Go to the latest messages"
          onClick={() => (isLive ? virtual.scrollToEnd() : void timeline.toLive().then(() => virtual.scrollToEnd()))}
        >
          <Icon name="down" />
        </button>
      )}
      <Typing id={id} called={called} />
      {error && (
        <p className="notice warn" role="alert">
          {error.message}
        </p>
      )}
      <Arrivals items={items} />
    </div>
  );
}

const rowOf = (scroller: HTMLElement | null, id: string): HTMLElement | null =>
  scroller?.querySelector<HTMLElement>(`[data-id="${CSS.escape(id)}"]`) ?? null;

/** How high an item will be, nearly: what is guessed well does not move when it is measured. */
function estimate(item: TimelineItem | undefined, before: TimelineItem | undefined): number {
  if (item?.type !== "event" && item?.type !== "local") return 48;
  if (item.content.type === "state") return 32;
  const lines = "body" in item.content ? Math.ceil((item.content.body?.length ?? 1) / 60) : 1;
  const picture = item.content.type === "image" || item.content.type === "video" ? 240 : 0;
  const more = (item.reactions.length > 0 ? 30 : 0) + (item.reply ? 44 : 0) + picture;
  return (isGrouped(item, before) ? 38 : 68) + 20 * (lines - 1) + more;
}

/** Marks the room as read while its end is looked at. */
function useRead(room: RoomId, items: readonly TimelineItem[], isSeen: boolean): void {
  const { haos } = useHaos();
  const latest = items.findLast((item) => item.type === "event");
  const eventId = latest?.type === "event" ? latest.eventId : undefined;
  useEffect(() => {
    if (!isSeen || eventId === undefined) return;
    const mark = (): void => {
      if (document.visibilityState === "visible") haos?.markRead(room, eventId).catch(() => {});
    };
    mark();
    document.addEventListener("visibilitychange", mark);
    return () => document.removeEventListener("visibilitychange", mark);
  }, [haos, room, eventId, isSeen]);
}

/** Says what others write, as it comes. */
function Arrivals({ items }: { items: readonly TimelineItem[] }) {
  const seen = useRef<number>();
  const [words, setWords] = useState("");
  useEffect(() => {
    const latest = items.findLast((item) => item.type === "event" && !item.isOwn);
    if (latest?.type !== "event") return;
    if (seen.current !== undefined && latest.timestampMs > seen.current && latest.content.type !== "state") {
      setWords(`${nameOf(latest.sender)}: ${textOf(latest.content)}`);
    }
    seen.current = Math.max(seen.current ?? 0, latest.timestampMs);
  }, [items]);
  return <Announce>{words}</Announce>;
}

function Typing({ id, called }: { id: RoomId; called: (user: string) => string }) {
  const { users } = useTyping(id);
  return (
    <p className="typing" dir="auto">
      {users.length > 0 && `${listed(users.map(called))} ${users.length === 1 ? "is" : "are"} typing…`}
    </p>
  );
}

export interface LineProps {
  readonly item: TimelineItem;
  readonly isGrouped: boolean;
  readonly isActive: boolean;
  readonly isEditing: boolean;
  readonly place: number;
  readonly room: RoomId;
  readonly me: string;
  readonly called: (user: string) => string;
  readonly timeline: TimelineState;
  readonly show: (eventId: string) => void;
  readonly setActive: (id: string) => void;
  readonly setEditing: (id: string | undefined) => void;
}

/** An item: a message, or what stands between messages. */
const Line = memo(
  function Line(props: LineProps) {
    const { item, isActive, place, setActive } = props;
    switch (item.type) {
      case "event":
      case "local":
        return <Message {...props} item={item} />;
      case "gap":
        return (
          <article
            className="gap"
            data-id={item.id}
            tabIndex={isActive ? 0 : -1}
            aria-posinset={place}
            aria-setsize={-1}
            aria-label="Messages are missing here"
            onFocus={() => setActive(item.id)}
          >
            <Gap {...props} />
          </article>
        );
      case "day":
        return (
          <article className="day" aria-posinset={place} aria-setsize={-1}>
            <time dateTime={item.date}>{day(item.date)}</time>
          </article>
        );
      case "read_marker":
        return (
          <article className="new" aria-posinset={place} aria-setsize={-1}>
            <span>New</span>
          </article>
        );
    }
  },
  (a, b) =>
    a.item === b.item &&
    a.isGrouped === b.isGrouped &&
    a.isActive === b.isActive &&
    a.isEditing === b.isEditing &&
    a.place === b.place &&
    a.called === b.called,
);

/** Messages that the server has and this store has not. */
function Gap({ item, timeline, isActive }: LineProps) {
  const [stopped, setStopped] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const fill = async (): Promise<void> => {
    setBusy(true);
    const reach = await timeline.fill(item);
    setStopped(reach === undefined ? "They could not be loaded" : (reach.stopped ?? undefined));
    setBusy(false);
  };
  return (
    <>
      <span>{stopped ?? "Messages are missing here"}</span>
      <button className="quiet" disabled={isBusy} tabIndex={isActive ? 0 : -1} onClick={() => void fill()}>
        {isBusy ? "Loading…" : "Load more"}
      </button>
    </>
  );
}
