import { Refusal, answer, json } from "./answer.js";
import { MAX_UPLOAD_BYTES, answerSync, createRoom, fileOf, join, login, put, read, setMember } from "./acts.js";
import { bearer, bodyOf, found, memberOf, type Answering, type Asked } from "./asked.js";
import type { Filter } from "./filter.js";
import { context, messages } from "./history.js";
import { positionOf } from "./sync.js";
import type { Device, World } from "./world.js";

const CLIENT = "/_matrix/client/v3";
const ROOM = `${CLIENT}/rooms/:`;

/** What anybody may ask. */
const open: Record<string, Answering> = {
  "GET /.well-known/matrix/client": ({ url }) => ({ "m.homeserver": { base_url: url.origin } }),
  "GET /_matrix/client/versions": () => ({ versions: ["v1.1", "v1.11"], unstable_features: {} }),
  [`GET ${CLIENT}/login`]: () => ({ flows: [{ type: "m.login.password" }] }),
  [`POST ${CLIENT}/login`]: login,
};

/** What needs an access token. */
const authed: Record<string, Answering> = {
  [`POST ${CLIENT}/logout`]: ({ world, device, request }) => {
    world.devices.delete(bearer(request) ?? "");
    world.keys.forget(device);
    return {};
  },
  [`POST ${CLIENT}/keys/upload`]: async ({ world, device, body }) => world.keys.upload(device, await body()),
  [`POST ${CLIENT}/keys/query`]: async ({ world, body }) => world.keys.query(await body()),
  [`POST ${CLIENT}/keys/claim`]: async ({ world, body }) => world.keys.claim(await body()),
  [`PUT ${CLIENT}/sendToDevice/:/:`]: async (asked) => asked.world.keys.send(asked, await asked.body()),
  [`GET ${CLIENT}/room_keys/version`]: () => found(undefined),
  [`GET ${CLIENT}/account/whoami`]: ({ device }) => ({ user_id: device.user.id, device_id: device.id }),
  [`GET ${CLIENT}/capabilities`]: () => ({ capabilities: {} }),
  [`GET ${CLIENT}/profile/:`]: ({ world, parts: [user = ""] }) => ({ displayname: world.displayName(user) }),
  [`POST ${CLIENT}/user/:/filter`]: async ({ device, body }) => {
    const count = device.user.filters.push((await body()) as Filter);
    return { filter_id: String(count - 1) };
  },
  [`GET ${CLIENT}/user/:/filter/:`]: ({ device, parts: [, id = ""] }) => found(device.user.filters[Number(id)]),
  [`GET ${CLIENT}/pushrules/`]: () => ({ global: { override: [], content: [], room: [], sender: [], underride: [] } }),
  [`GET ${CLIENT}/sync`]: answerSync,
  [`PUT ${CLIENT}/user/:/account_data/:`]: async ({ world, device, parts: [, type = ""], body }) => {
    device.user.accountData.set(type, { value: await body(), position: world.next() });
    return {};
  },
  [`GET ${CLIENT}/user/:/account_data/:`]: ({ device, parts: [, type = ""] }) =>
    found(device.user.accountData.get(type)).value,
  [`PUT ${CLIENT}/user/:/rooms/:/account_data/:`]: async (asked) => {
    const [, room = "", type = ""] = asked.parts;
    memberOf(asked, room).setAccountData(asked.device.user.id, type, await asked.body());
    return {};
  },
  [`GET ${CLIENT}/joined_rooms`]: ({ world, device }) => ({
    joined_rooms: [...world.rooms.values()]
      .filter((room) => room.membership(device.user.id) === "join")
      .map((room) => room.id),
  }),
  [`POST ${CLIENT}/createRoom`]: createRoom,
  [`POST ${CLIENT}/join/:`]: join,
  [`POST ${ROOM}/join`]: join,
  [`POST ${ROOM}/leave`]: ({ world, device, parts: [id = ""] }) => {
    const room = world.rooms.get(id);
    const membership = room?.membership(device.user.id);
    if (membership === undefined) throw new Refusal(403, "M_FORBIDDEN", "You are not in the room");
    if (membership !== "leave") room?.setMembership(device.user.id, device.user.id, "leave");
    return {};
  },
  [`POST ${ROOM}/forget`]: () => ({}),
  [`POST ${ROOM}/invite`]: (asked) => setMember(asked, "invite"),
  [`POST ${ROOM}/kick`]: (asked) => setMember(asked, "leave"),
  [`POST ${ROOM}/ban`]: (asked) => setMember(asked, "ban"),
  [`GET ${ROOM}/messages`]: (asked) => messages(memberOf(asked), asked.device, asked.url.searchParams),
  [`GET ${ROOM}/context/:`]: (asked) =>
    context(memberOf(asked), asked.device, asked.parts[1] ?? "", asked.url.searchParams),
  [`GET ${ROOM}/event/:`]: (asked) => found(memberOf(asked).find(asked.parts[1] ?? "")).event,
  [`GET ${ROOM}/members`]: (asked) => ({
    chunk: memberOf(asked)
      .stateBetween(0, positionOf(asked.url.searchParams.get("at") ?? "") ?? Infinity)
      .filter(({ event }) => event.type === "m.room.member")
      .map(({ event }) => event),
  }),
  [`GET ${ROOM}/state`]: (asked) =>
    memberOf(asked)
      .stateBetween(0, Infinity)
      .map(({ event }) => event),
  [`GET ${ROOM}/state/:`]: stateOf,
  [`GET ${ROOM}/state/:/:`]: stateOf,
  [`PUT ${ROOM}/state/:/:`]: (asked) => put(asked, { type: asked.parts[1] ?? "", stateKey: asked.parts[2] ?? "" }),
  [`PUT ${ROOM}/send/:/:`]: (asked) => put(asked, { type: asked.parts[1] ?? "" }, asked.parts[2]),
  [`PUT ${ROOM}/redact/:/:`]: (asked) =>
    put(asked, { type: "m.room.redaction", redacts: asked.parts[1] ?? "" }, asked.parts[2]),
  [`PUT ${ROOM}/typing/:`]: async (asked) => {
    const room = memberOf(asked);
    const { typing, timeout } = await asked.body();
    room.setTyping(asked.device.user.id, typing === true, typeof timeout === "number" ? timeout : 30_000);
    return {};
  },
  [`POST ${ROOM}/receipt/:/:`]: (asked) => {
    read(asked, asked.parts[1] ?? "", asked.parts[2]);
    return {};
  },
  [`POST ${ROOM}/read_markers`]: async (asked) => {
    for (const [kind, event] of Object.entries(await asked.body())) read(asked, kind, event);
    return {};
  },
  "POST /_matrix/media/v1/create": ({ world }) => ({ content_uri: world.media.create() }),
  "POST /_matrix/media/v3/upload": async ({ world, request }) => ({
    content_uri: world.media.add(await fileOf(request)),
  }),
  "PUT /_matrix/media/v3/upload/:/:": async ({ world, request, parts }) => {
    world.media.put(`mxc://${parts.join("/")}`, await fileOf(request));
    return {};
  },
  "GET /_matrix/client/v1/media/config": () => ({ "m.upload.size": MAX_UPLOAD_BYTES }),
  "GET /_matrix/client/v1/media/download/:/:": ({ world, parts }) => world.media.download(`mxc://${parts.join("/")}`),
  "GET /_matrix/client/v1/media/thumbnail/:/:": ({ world, parts }) => world.media.download(`mxc://${parts.join("/")}`),
};

function stateOf(asked: Asked): unknown {
  return found(memberOf(asked).state(asked.parts[1] ?? "", asked.parts[2])).event.content;
}

/** Answers a request. */
export async function respond(world: World, request: Request, life: AbortSignal): Promise<Response> {
  if (request.method === "OPTIONS") return answer(204, null);
  try {
    const url = new URL(request.url);
    const path = url.pathname.split("/");
    const asked = (parts: readonly string[], device: Device): Asked => ({
      world,
      request,
      url,
      parts,
      device,
      life,
      body: () => bodyOf(request),
    });
    const free = match(open, request.method, path);
    if (free !== undefined) return toResponse(await free.answering(asked(free.parts, NOBODY)));
    const route = match(authed, request.method, path);
    if (route === undefined) {
      throw new Refusal(404, "M_UNRECOGNIZED", `The model server does not know ${request.method} ${url.pathname}`);
    }
    return toResponse(await route.answering(asked(route.parts, deviceOf(world, request))));
  } catch (error) {
    if (error instanceof Refusal) return error.toResponse();
    throw error;
  }
}

const NOBODY: Device = {
  id: "",
  user: { id: "", displayName: "", password: undefined, accountData: new Map(), filters: [] },
};

function match(
  routes: Record<string, Answering>,
  method: string,
  path: readonly string[],
): { answering: Answering; parts: string[] } | undefined {
  for (const [pattern, answering] of Object.entries(routes)) {
    const [verb, text = ""] = pattern.split(" ");
    const wanted = text.split("/");
    if (verb !== method || wanted.length !== path.length) continue;
    if (!wanted.every((part, i) => part === ":" || part === path[i])) continue;
    return { answering, parts: path.filter((_, i) => wanted[i] === ":").map(decodeURIComponent) };
  }
  return undefined;
}

function toResponse(value: unknown): Response {
  return value instanceof Response ? value : json(value);
}

function deviceOf(world: World, request: Request): Device {
  const token = bearer(request);
  if (token === undefined) throw new Refusal(401, "M_MISSING_TOKEN", "The request has no access token");
  const device = world.devices.get(token);
  if (device === undefined) {
    const more = { soft_logout: world.softlyLoggedOut.has(token) };
    throw new Refusal(401, "M_UNKNOWN_TOKEN", "The access token is not known", more);
  }
  return device;
}
