// A room: its name, its timeline, and what one writes in it.

import type { RoomId, RoomInfo } from "@haos/client";
import { useHaos, useMembers, useTimeline } from "@haos/react";
import { useCallback, useEffect, useMemo, useState } from "react";

import { Composer } from "./composer";
import { go } from "./route";
import { Timeline, WINDOW } from "./timeline";
import { Avatar, Icon } from "./ui";
import { count, localPart, nameOf } from "./words";

/** What is known of a room, read again when its timeline says that something of it changed. */
function useRoomInfo(id: RoomId) {
  const { haos } = useHaos();
  const { items } = useTimeline(id, WINDOW);
  const change = items.findLast((it) => it.type === "event" && it.content.type === "state")?.id;
  const [info, setInfo] = useState<RoomInfo>();
  const [problem, setProblem] = useState<string>();
  useEffect(() => {
    let isOver = false;
    haos?.room(id).then(
      (it) => isOver || (setInfo(it), setProblem(undefined)),
      (error: Error) => isOver || setProblem(error.message),
    );
    return () => void (isOver = true);
  }, [haos, id, change]);
  return { info, problem };
}

export function Room({ id, me }: { id: RoomId; me: string }) {
  const { info, problem } = useRoomInfo(id);
  const { members } = useMembers(id);
  const joined = members.filter((member) => member.membership === "join");
  const names = useMemo(() => new Map(members.map((member) => [member.id, nameOf(member)])), [members]);
  const others = joined.filter((member) => member.id !== me).map(nameOf);
  const name = info?.name || others.join(", ") || (info ? "Empty room" : "");
  useEffect(() => {
    document.title = name ? `${name} · HAOS` : "HAOS";
    return () => void (document.title = "HAOS");
  }, [name]);
  const called = useCallback(
    (user: string): string => (user === me ? "you" : (names.get(user) ?? localPart(user))),
    [me, names],
  );

  return (
    <main className="room-page">
      <header className="bar">
        <a className="icon-button back" href="#/" aria-label="Back to the rooms">
          <Icon name="back" />
        </a>
        <Avatar id={id} name={name} uri={info?.avatar ?? null} small />
        <div className="titles">
          <h2 dir="auto">{name || "…"}</h2>
          <p dir="auto">{info?.topic || (joined.length > 0 ? count(joined.length, "member") : "")}</p>
        </div>
      </header>
      {problem !== undefined && info === undefined ? (
        <p className="empty" role="alert">
          {problem}
        </p>
      ) : info?.membership === "invite" ? (
        <Invite id={id} name={name} />
      ) : (
        <>
          <Timeline id={id} me={me} called={called} name={name} />
          {info?.membership === "leave" || info?.membership === "ban" ? (
            <p className="empty">You are not in this room any more.</p>
          ) : (
            <Composer id={id} />
          )}
        </>
      )}
    </main>
  );
}

/** A room that waits for an answer. */
function Invite({ id, name }: { id: RoomId; name: string }) {
  const { haos } = useHaos();
  const [problem, setProblem] = useState("");
  const answer = async (act: (room: RoomId) => Promise<unknown>): Promise<void> => {
    try {
      await act(id);
    } catch (error) {
      setProblem((error as Error).message);
    }
  };
  return (
    <div className="empty">
      <p>You are invited to {name}.</p>
      <p className="row center">
        <button className="primary" onClick={() => void answer((room) => haos!.join(room))}>
          Join
        </button>
        <button
          className="quiet"
          onClick={() => void answer((room) => haos!.leave(room).then(() => go({ page: "rooms" })))}
        >
          Decline
        </button>
      </p>
      <p className="problem" role="alert">
        {problem}
      </p>
    </div>
  );
}
