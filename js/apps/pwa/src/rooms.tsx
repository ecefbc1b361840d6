// The list of rooms.

import type { RoomItem, RoomQuery } from "@haos/client";
import { useConnection, useHaos, useRooms, useSyncProgress } from "@haos/react";
import { memo, useDeferredValue, useState, type KeyboardEvent } from "react";

import { go, href } from "./route";
import { Announce, Avatar, Dialog, Icon, IconButton, Skeleton } from "./ui";
import { ago, count, listed, nameOf, sendWords } from "./words";

const PAGE = 50;
const FILTERS: Record<string, RoomQuery> = {
  All: {},
  Unread: { unread: true },
  People: { direct: true },
  Favourites: { favourites: true },
  Invites: { membership: "invite" },
};

export function Rooms({ current }: { current: string | undefined }) {
  const [filter, setFilter] = useState("All");
  const [text, setText] = useState("");
  const name = useDeferredValue(text.trim());
  const query = { ...FILTERS[filter], ...(name && { name }) };
  const { rooms, loading, error, more } = useRooms(query, { limit: PAGE });
  const [hasMore, setMore] = useState(true);
  const [isMaking, setMaking] = useState(false);
  const isSearching = name !== "" || filter !== "All";

  return (
    <nav className="rooms" aria-label="Rooms">
      <header className="bar">
        <h1>Chats</h1>
        <IconButton icon="edit" label="New room" onClick={() => setMaking(true)} />
        <a className="icon-button" href={href({ page: "storage" })} aria-label="Storage" title="Storage">
          <Icon name="disk" />
        </a>
        <a className="icon-button" href={href({ page: "settings" })} aria-label="Settings" title="Settings">
          <Icon name="gear" />
        </a>
      </header>
      <div className="search">
        <Icon name="search" />
        <input
          type="search"
          value={text}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={(event) => event.key === "Escape" && setText("")}
          placeholder="Search rooms"
          aria-label="Search rooms"
        />
      </div>
      <div className="filters" role="group" aria-label="Which rooms">
        {Object.keys(FILTERS).map((it) => (
          <button key={it} aria-pressed={it === filter} onClick={() => setFilter(it)}>
            {it}
          </button>
        ))}
      </div>
      <Progress />
      {error && (
        <p className="notice warn" role="alert">
          {error.message}
        </p>
      )}
      {loading ? (
        <Skeleton rows={8} kind="rooms" />
      ) : (
        <ul className="room-list" onKeyDown={walk}>
          {rooms.map((room) => (
            <li key={room.id}>
              <Row room={room} isCurrent={room.id === current} />
            </li>
          ))}
          {hasMore && rooms.length >= PAGE && (
            <li className="row center">
              <button className="quiet" onClick={() => void more(PAGE).then((there) => setMore(there ?? true))}>
                More rooms
              </button>
            </li>
          )}
        </ul>
      )}
      {!loading && rooms.length === 0 && (isSearching ? <p className="empty">No room is like that.</p> : <NoRoom />)}
      {isSearching && <Announce>{loading ? "" : count(rooms.length, "room")}</Announce>}
      {isMaking && <NewRoom close={() => setMaking(false)} />}
    </nav>
  );
}

/** Arrow keys walk through the rooms; Home and End go to the first and last. */
function walk(event: KeyboardEvent<HTMLUListElement>): void {
  const links = [...event.currentTarget.querySelectorAll<HTMLElement>("a, button")];
  const at = links.indexOf(document.activeElement as HTMLElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: links.length - 1 }[event.key];
  if (to === undefined || at < 0) return;
  event.preventDefault();
  links[Math.max(0, Math.min(links.length - 1, to))]?.focus();
}

/** In the place of the rooms: that there are none is known once the server said so. */
function NoRoom() {
  switch (useConnection()?.state) {
    case undefined:
    case "connecting":
    case "catching_up":
      return <Skeleton rows={8} kind="rooms" />;
    case "live":
    case "elsewhere":
      return <NoRoomAtAll />;
    default:
      return <p className="empty">Your rooms come once the server is reached.</p>;
  }
}

/** The list that is shown may be a moment behind the connection, so it is asked for anew. */
function NoRoomAtAll() {
  const { rooms, loading } = useRooms({}, { limit: 1 });
  if (loading || rooms.length > 0) return <Skeleton rows={8} kind="rooms" />;
  return <p className="empty">No room yet: make one, or wait for an invite.</p>;
}

/** How far the first sync is. */
function Progress() {
  const progress = useSyncProgress();
  if (!progress) return null;
  const { done, total } = progress;
  // A server that gives all of them at once has no first of them.
  const words = !total
    ? "Loading your rooms"
    : done === 0
      ? `Loading ${count(total, "room")}`
      : `Loading your rooms, ${done} of ${total}`;
  return (
    <div className="progress">
      <p>{words}</p>
      <progress aria-label={words} {...(total && done > 0 && { value: done, max: total })} />
    </div>
  );
}

const Row = memo(function Row({ room, isCurrent }: { room: RoomItem; isCurrent: boolean }) {
  const { latest } = room;
  const isUnread = room.unread > 0 || room.isMarkedUnread;
  const isFailed = latest?.sending?.status === "parked";
  return (
    <a
      className={`room ${isUnread ? "unread" : ""}`}
      href={href({ page: "room", id: room.id })}
      aria-current={isCurrent ? "page" : undefined}
    >
      <Avatar id={room.direct[0] ?? room.id} name={room.name} uri={room.avatar} />
      <span className="room-name" dir="auto">
        {room.name}
      </span>
      {room.lastActivityMs > 0 && <time>{ago(room.lastActivityMs)}</time>}
      <span className={`preview ${isFailed ? "failed" : ""}`} dir="auto">
        {room.membership === "invite" ? (
          "You are invited"
        ) : room.typing.length > 0 ? (
          <em>{`${listed(room.typing.map(nameOf))} ${room.typing.length === 1 ? "is" : "are"} typing`}</em>
        ) : room.hasDraft ? (
          <em>Draft</em>
        ) : (
          latest && (
            <>
              {latest.sending && latest.sending.status !== "sent" && (
                <span title={sendWords(latest.sending)}>
                  <Icon name={isFailed ? "alert" : "clock"} />
                </span>
              )}
              {latest.isOwn ? "You: " : room.direct.length > 0 ? "" : `${nameOf(latest.sender)}: `}
              {latest.text}
            </>
          )
        )}
      </span>
      {isUnread && (
        <span className={`badge ${room.mentions > 0 ? "mention" : room.isMuted ? "muted" : ""}`}>
          {room.unread > 99 ? "99+" : room.unread || "•"}
          <span className="unseen"> unread</span>
        </span>
      )}
    </a>
  );
});

/** Makes a room, or joins one by its address. */
function NewRoom({ close }: { close: () => void }) {
  const { haos } = useHaos();
  const [text, setText] = useState("");
  const [problem, setProblem] = useState("");
  const isAddress = /^[#!].+/.test(text.trim());
  const make = async (): Promise<void> => {
    const name = text.trim();
    if (haos === undefined || name === "") return;
    try {
      go({ page: "room", id: await (isAddress ? haos.join(name) : haos.createRoom({ name })) });
      close();
    } catch (error) {
      setProblem((error as Error).message);
    }
  };
  return (
    <Dialog title="New room" confirm={isAddress ? "Join" : "Make it"} onConfirm={() => void make()} onClose={close}>
      <label>
        A name for it, or the address of a room to join
        <input
          value={text}
          onChange={(event) => setText(event.target.value)}
          placeholder="Picnic, or #club:example.org"
        />
      </label>
      <p className="problem" role="alert">
        {problem}
      </p>
    </Dialog>
  );
}
