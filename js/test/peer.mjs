// An encrypted Matrix client of another project, as a process: matrix-js-sdk with its own use of the cryptography and
// its own store, in memory. It speaks as the end-to-end tests' other clients do: a plan, then a line of JSON for each
// command, answered by a line with its number. `testing/e2e/tests/encrypted` uses it.
import { webcrypto as crypto } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { createInterface } from "node:readline";

// The SDK wants node 22; this is what it uses of that.
Promise.withResolvers ??= function withResolvers() {
  let resolve, reject;
  const promise = new this((yes, no) => ([resolve, reject] = [yes, no]));
  return { promise, resolve, reject };
};

// Its logs would come amid the answers.
const tells = process.env.HAOS_PEER_LOG ? (...words) => console.error(...words) : () => {};
for (const name of ["debug", "info", "log", "trace", "warn"]) console[name] = tells;
if (!process.env.HAOS_PEER_LOG) console.error = () => {};

const sdk = await import("matrix-js-sdk");

const ALGORITHM = "m.megolm.v1.aes-sha2";
const CLIENT_FILE = "/_matrix/client/v1/media/download/";
const PAGE = 100;

const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
const base64 = (bytes) => Buffer.from(bytes).toString("base64").replace(/=+$/, "");
const bytesOf = (text) => Buffer.from(text, "base64");

/** Logs a new device in, and syncs. */
async function login(plan) {
  const body = {
    type: "m.login.password",
    identifier: { type: "m.id.user", user: plan.user },
    password: plan.password,
    initial_device_display_name: plan.device_name,
  };
  const session = await sdk.createClient({ baseUrl: plan.homeserver }).loginRequest(body);
  const client = sdk.createClient({
    baseUrl: plan.homeserver,
    userId: session.user_id,
    deviceId: session.device_id,
    accessToken: session.access_token,
    timelineSupport: true,
  });
  await client.initRustCrypto({ useIndexedDB: false });
  const { promise, resolve } = Promise.withResolvers();
  client.on("sync", (state) => state === "PREPARED" && resolve());
  await client.startClient({ initialSyncLimit: PAGE, pollTimeout: plan.poll_ms ?? 3000 });
  await promise;
  // Nobody can write to a device before its keys are there.
  await known(client, session.user_id, session.device_id);
  return client;
}

/** Looks again and again until it is there. */
async function until(what, found) {
  for (let n = 0; n < 1200; n += 1) {
    const value = await found();
    if (value) return value;
    await new Promise((go) => setTimeout(go, 50));
  }
  throw new Error(`not within a minute: ${what}`);
}

/** Waits until the server has the keys of a device. */
const known = (client, user, device) =>
  until(`the keys of ${user} ${device}`, async () => {
    const answer = await client.downloadKeysForUsers([user]);
    return answer.device_keys?.[user]?.[device];
  });

/** AES-CTR with the key and IV in the event, and SHA-256 of the ciphertext, as the specification has it. */
async function seal(bytes) {
  const iv = new Uint8Array(16);
  crypto.getRandomValues(iv.subarray(0, 8));
  const key = await crypto.subtle.generateKey({ name: "AES-CTR", length: 256 }, true, ["encrypt", "decrypt"]);
  const counter = { name: "AES-CTR", counter: iv, length: 64 };
  const data = await crypto.subtle.encrypt(counter, key, bytes);
  const hash = await crypto.subtle.digest("SHA-256", data);
  const file = { v: "v2", key: await crypto.subtle.exportKey("jwk", key), iv: base64(iv) };
  return { data, file: { ...file, hashes: { sha256: base64(hash) } } };
}

/** Its opposite, which accepts nothing that differs from the specification. */
async function open(file, data) {
  const must = (so, what) => {
    if (!so) throw new Error(`${what} in ${JSON.stringify(file)}`);
  };
  must(file.v === "v2", "another version");
  must(file.key.alg === "A256CTR" && file.key.kty === "oct" && file.key.ext === true, "another key");
  must(file.key.key_ops.includes("encrypt") && file.key.key_ops.includes("decrypt"), "other operations");
  must(!/[=]/.test(file.iv + file.hashes.sha256), "padded base64");
  const hash = base64(await crypto.subtle.digest("SHA-256", data));
  must(hash === file.hashes.sha256, `the hash is ${hash}, not the one`);
  const iv = bytesOf(file.iv);
  must(iv.length === 16 && iv.subarray(8).every((byte) => byte === 0), "a counter that does not begin at 0");
  const key = await crypto.subtle.importKey("jwk", file.key, "AES-CTR", false, ["decrypt"]);
  return crypto.subtle.decrypt({ name: "AES-CTR", counter: iv, length: 64 }, key, data);
}

/** Uploads a file as its ciphertext. */
async function upload(client, path) {
  const bytes = await readFile(path);
  const { data, file } = await seal(bytes);
  const { content_uri: url } = await client.uploadContent(Buffer.from(data), {
    includeFilename: false,
    type: "application/octet-stream",
  });
  return { file: { ...file, url }, size: bytes.length };
}

async function download(client, file) {
  const place = `${client.baseUrl}${CLIENT_FILE}${file.url.slice("mxc://".length)}`;
  const answer = await fetch(place, { headers: { authorization: `Bearer ${client.getAccessToken()}` } });
  if (!answer.ok) throw new Error(`${file.url}: ${answer.status}`);
  return Buffer.from(await open(file, await answer.arrayBuffer()));
}

/** All events of a room that the server shows, decrypted where that is possible. */
async function events(client, id) {
  const room = await until(`${id} is known`, () => client.getRoom(id));
  const timeline = room.getLiveTimeline();
  while (await client.paginateEventTimeline(timeline, { backwards: true, limit: PAGE }));
  const there = timeline.getEvents().filter((event) => event.status === null);
  await Promise.all(there.map((event) => client.decryptEventIfNeeded(event)));
  return there;
}

function told(event) {
  // Not what edits have made of it: what itself says.
  const content = event.getOriginalContent();
  const wire = event.getWireContent();
  const failed = event.isDecryptionFailure();
  return {
    event: event.getId(),
    sender: event.getSender(),
    wire_type: event.getWireType(),
    type: event.getType(),
    // In place of what it cannot read the SDK says so.
    body: failed ? null : (content.body ?? null),
    content: failed ? {} : content,
    // For the server to see, and within.
    relation: wire["m.relates_to"] ?? null,
    inner_relation: content["m.relates_to"] ?? null,
    failure: failed ? (event.decryptionFailureReason ?? "unknown") : null,
    is_redacted: event.isRedacted(),
  };
}

const send = async (client, room, content, type = "m.room.message") => {
  const sent = await client.sendEvent(room, type, content);
  return { event: sent.event_id };
};
const text = (body) => ({ msgtype: "m.text", body });

const COMMANDS = {
  create: async (client, { name, invite }) => {
    const state = { type: "m.room.encryption", state_key: "", content: { algorithm: ALGORITHM } };
    const made = await client.createRoom({ name, invite, preset: "private_chat", initial_state: [state] });
    const room = made.room_id;
    await until(`${room} is encrypted`, () => client.getCrypto().isEncryptionEnabledInRoom(room));
    return { room };
  },
  invite: (client, { room, user }) => client.invite(room, user),
  join: async (client, { room }) => {
    await client.joinRoom(room);
    await until(`${room} is encrypted`, () => client.getCrypto().isEncryptionEnabledInRoom(room));
  },
  leave: (client, { room }) => client.leave(room),
  kick: (client, { room, user }) => client.kick(room, user),
  /** Waits until somebody is `join`, `invite`, or `leave` in a room for this client. */
  member: (client, { room, user, membership }) =>
    until(`${user} is ${membership}`, () => client.getRoom(room)?.getMember(user)?.membership === membership).then(
      () => ({}),
    ),
  /** Waits until the server has the keys of a device. */
  device: (client, { user, device }) => known(client, user, device).then(() => ({})),
  text: (client, { room, body }) => send(client, room, text(body)),
  edit: (client, { room, event, body }) =>
    send(client, room, {
      ...text(`* ${body}`),
      "m.new_content": text(body),
      "m.relates_to": { rel_type: "m.replace", event_id: event },
    }),
  reply: (client, { room, event, body }) =>
    send(client, room, { ...text(body), "m.relates_to": { "m.in_reply_to": { event_id: event } } }),
  react: (client, { room, event, key }) =>
    send(client, room, { "m.relates_to": { rel_type: "m.annotation", event_id: event, key } }, "m.reaction"),
  redact: async (client, { room, event }) => ({ event: (await client.redactEvent(room, event)).event_id }),
  file: async (client, { room, path, name, mime, thumbnail }) => {
    const { file, size } = await upload(client, path);
    const info = { mimetype: mime, size };
    if (thumbnail) {
      const small = await upload(client, thumbnail);
      info.thumbnail_file = small.file;
      info.thumbnail_info = { mimetype: "image/png", size: small.size };
    }
    return send(client, room, { msgtype: "m.image", body: name, info, file });
  },
  /** What it reads in a room, oldest first. */
  read: async (client, { room }) => ({ events: (await events(client, room)).map(told) }),
  /** Decrypts an attachment into a file, and its thumbnail into another one. */
  fetch: async (client, { room, event, into, into_thumbnail: small }) => {
    const content = (await events(client, room)).find((one) => one.getId() === event).getContent();
    await writeFile(into, await download(client, content.file));
    if (small) await writeFile(small, await download(client, content.info.thumbnail_file));
    return { content };
  },
  /** Decrypts a file with what an event says of it. */
  decrypt: async (client, { file, into }) => writeFile(into, await download(client, file)),
};

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const plan = JSON.parse((await lines.next()).value);
let client;
try {
  client = await login(plan);
  say({ ready: { user: client.getUserId(), device: client.getDeviceId(), resumed: false } });
} catch (error) {
  say({ failed: String(error?.stack ?? error) });
  process.exit(1);
}
for await (const line of lines) {
  const { id, do: name, ...more } = JSON.parse(line);
  if (name === "stop") {
    client.stopClient();
    say({ id, done: {} });
    break;
  }
  try {
    if (!COMMANDS[name]) throw new Error(`there is no command ${name}`);
    say({ id, done: (await COMMANDS[name](client, more)) ?? {} });
  } catch (error) {
    say({ id, error: String(error?.stack ?? error) });
  }
}
process.exit(0);
