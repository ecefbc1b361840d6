import { shown, type Stored } from "./event.js";
import { passes, type Filter } from "./filter.js";
import type { Room } from "./room.js";
import type { Device, World } from "./world.js";

/** What was asked for. */
export interface SyncQuery {
  readonly device: Device;
  /** The position up to which the device knows everything; `undefined` for a first sync. */
  readonly since: number | undefined;
  readonly filter: Filter;
}

type Json = Record<string, unknown>;

/** The answer to a sync, and whether it says anything. */
export function sync(world: World, query: SyncQuery): { body: Json; isNews: boolean } {
  const { device, since = 0 } = query;
  const join: Json = {};
  const invite: Json = {};
  const leave: Json = {};
  for (const room of world.rooms.values()) {
    const now = room.membership(device.user.id);
    const before = query.since === undefined ? undefined : room.membership(device.user.id, since);
    if (now === "join") {
      const part = joined(room, query, before === "join" ? since : 0, before !== "join");
      if (part !== undefined) join[room.id] = part;
    } else if (now === "invite") {
      if ((room.state("m.room.member", device.user.id)?.position ?? 0) > since) {
        invite[room.id] = { invite_state: { events: stripped(room, device) } };
      }
    } else if (now !== undefined) {
      const wasThere = before === "join" || before === "invite";
      if (wasThere || (query.since === undefined && query.filter.room?.include_leave === true)) {
        leave[room.id] = left(room, query, wasThere ? since : 0);
      }
    }
  }
  const account = [...device.user.accountData].filter(([, { position }]) => position > since);
  const keys = world.keys.told(device, query.since);
  const body = {
    ...keys.body,
    next_batch: `s${world.position}`,
    rooms: { join, invite, leave },
    account_data: { events: account.map(([type, { value }]) => ({ type, content: value })) },
  };
  const hasRooms = [join, invite, leave].some((rooms) => Object.keys(rooms).length > 0);
  const isNews = hasRooms || account.length > 0 || keys.isNews;
  return { body, isNews };
}

function joined(room: Room, query: SyncQuery, since: number, isNew: boolean): Json | undefined {
  const me = query.device.user.id;
  const { timeline, state } = timelineOf(room, Infinity, query, since, isNew);
  const ephemeral = ephemeralOf(room, query, since);
  const account = [...room.accountData.values()].filter(({ position, value }) => position > since && value.user === me);
  const isQuiet = timeline.events.length + state.length + ephemeral.length + account.length === 0;
  if (isQuiet && !isNew) return undefined;
  const others = room.members("join").filter((user) => user !== me);
  return {
    timeline,
    state: { events: state },
    ephemeral: { events: ephemeral },
    account_data: { events: account.map(({ value }) => ({ type: value.type, content: value.content })) },
    summary: {
      "m.heroes": [...others, ...room.members("invite")].slice(0, 5),
      "m.joined_member_count": others.length + 1,
      "m.invited_member_count": room.members("invite").length,
    },
    unread_notifications: { notification_count: room.unread(me), highlight_count: 0 },
  };
}

/** A room that the user is no longer in, up to the event that says so. */
function left(room: Room, query: SyncQuery, since: number): Json {
  const end = room.state("m.room.member", query.device.user.id)?.position ?? 0;
  const { timeline, state } = timelineOf(room, end, query, since, since === 0);
  return { timeline, state: { events: state } };
}

/** The newest events behind `since` and up to `end`, and the state before the oldest of them. */
function timelineOf(room: Room, end: number, query: SyncQuery, since: number, isNew: boolean) {
  const { timeline: { limit = 10 } = {}, state: { lazy_load_members: lazy = false } = {} } = query.filter.room ?? {};
  const news = room.after(since).filter(({ position }) => position <= end);
  const told = limit === 0 ? [] : news.slice(-limit);
  const limited = told.length < news.length;
  const start = (told[0]?.position ?? room.world.position + 1) - 1;
  const timeline = {
    events: told.map((stored) => shown(stored, query.device.id)),
    limited,
    prev_batch: token(start),
  };
  let state: Stored[] = isNew || limited ? room.stateBetween(since, start) : [];
  if (lazy) {
    const wanted = new Set([...told.map(({ event }) => event.sender), query.device.user.id]);
    const isMember = ({ event }: Stored): boolean => event.type === "m.room.member";
    const members = room
      .stateBetween(0, start)
      .filter((stored) => isMember(stored) && wanted.has(stored.event.state_key ?? ""));
    state = [...state.filter((stored) => !isMember(stored)), ...(told.length > 0 || isNew ? members : [])];
  }
  return { timeline, state: state.map((stored) => shown(stored, query.device.id)) };
}

function ephemeralOf(room: Room, query: SyncQuery, since: number): Json[] {
  const events: Json[] = [];
  if (room.typingPosition > since && (since > 0 || room.typing.length > 0)) {
    events.push({ type: "m.typing", content: { user_ids: room.typing } });
  }
  const receipts: Record<string, Record<string, Record<string, { ts: number }>>> = {};
  for (const { position, value } of room.receipts.values()) {
    const isOthersPrivate = value.kind === "m.read.private" && value.user !== query.device.user.id;
    if (position <= since || isOthersPrivate) continue;
    ((receipts[value.event] ??= {})[value.kind] ??= {})[value.user] = { ts: value.ts };
  }
  if (Object.keys(receipts).length > 0) events.push({ type: "m.receipt", content: receipts });
  return events.filter(({ type }) => passes(query.filter.room?.ephemeral, String(type)));
}

/** The state that who is invited may see. */
function stripped(room: Room, device: Device): Json[] {
  const shownTypes = [
    ["m.room.create", ""],
    ["m.room.name", ""],
    ["m.room.avatar", ""],
    ["m.room.join_rules", ""],
    ["m.room.canonical_alias", ""],
    ["m.room.encryption", ""],
    ["m.room.member", device.user.id],
  ] as const;
  return shownTypes.flatMap(([type, key]) => {
    const event = room.state(type, key)?.event;
    return event === undefined ? [] : [{ type, state_key: key, sender: event.sender, content: event.content }];
  });
}

/** A place between events, for paging: everything up to a position is older. */
export function token(position: number): string {
  return `p${position}`;
}

/** The position that a token of a sync or a page stands for. */
export function positionOf(text: string): number | undefined {
  return /^[sp]\d{1,15}$/.test(text) ? Number(text.slice(1)) : undefined;
}
