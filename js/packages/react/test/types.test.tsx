// What the types let pass and what they refuse. It is compiled, and never runs.

import type { Haos, HaosError, RoomItem, TimelineItem, UserId } from "@haos/client";
import {
  HaosProvider,
  useComposer,
  useConnection,
  useHaos,
  useMediaUrl,
  useRooms,
  useTimeline,
  useTyping,
} from "@haos/react";
import type { ReactNode } from "react";

declare const haos: Haos;
declare function is<T>(value: T): void;

export function Sources(): ReactNode {
  return (
    <>
      <HaosProvider client={haos} />
      <HaosProvider client={Promise.resolve(haos)} />
      <HaosProvider client={() => haos}>text</HaosProvider>
      <HaosProvider client={async () => haos} />
      {/* @ts-expect-error a provider needs a chat */}
      <HaosProvider />
      {/* @ts-expect-error a name is no chat */}
      <HaosProvider client="chat" />
    </>
  );
}

export function Hooks(): ReactNode {
  is<Haos | undefined>(useHaos().haos);
  // @ts-expect-error it may not be open yet
  useHaos().haos.send("!room", "hello");

  const { rooms, error } = useRooms({ membership: "invite", unread: true }, { limit: 20 });
  is<readonly RoomItem[]>(rooms);
  is<HaosError | undefined>(error);
  // @ts-expect-error there is no such membership
  useRooms({ membership: "joined" });
  // @ts-expect-error a list of rooms is not the reader's to change
  rooms.push(rooms[0]);

  const timeline = useTimeline("!room", { limit: 50, around: "$event" });
  is<TimelineItem | undefined>(timeline.items[0]);
  is<boolean>(timeline.isLive);
  void timeline.older(10);
  // @ts-expect-error a timeline has a room
  useTimeline();
  // @ts-expect-error a state is not the reader's to change
  timeline.items = [];
  for (const item of timeline.items) {
    // @ts-expect-error a gap has no event
    is<string>(item.eventId);
    if (item.type === "event") is<string>(item.eventId);
    if (item.type === "local") is<string>(item.status.status);
  }

  const composer = useComposer("!room");
  is<string>(composer.text);
  is<Promise<boolean>>(composer.send({ mentions: ["@bob:haos.test"] }));
  // @ts-expect-error the text is what was typed
  void composer.send({ body: "other" });
  // @ts-expect-error an answer is to an event's id
  composer.reply({});

  const connection = useConnection();
  if (connection?.state === "degraded") is<number>(connection.nextTryMs);
  // @ts-expect-error only a degraded connection has a next try
  is<number>(connection?.nextTryMs);
  is<readonly UserId[]>(useTyping("!room").users);
  is<string | undefined>(useMediaUrl("mxc://server/id", { width: 96, height: 96 }).url);
  return null;
}
