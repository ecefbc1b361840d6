// What a page does with the module that is weighed, whole or in halves.

import { early } from "/store/early.js";
import init, * as pkg from "/pkg/haos_size.js";

const ME = "@me:example.org";
const ROOM = "!room:example.org";
const MESSAGES = 150;

const body = (n) => JSON.stringify({ msgtype: "m.text", body: `message ${n}` });

/** A database with a room. */
export async function fill(name) {
  await init();
  const chat = await pkg.Chat.open(name, ME);
  for (let n = 0; n < MESSAGES; n += 1) {
    await chat.apply(ROOM, `$message${n}`, "@you:example.org", "m.room.message", body(n), false);
  }
  chat.free();
}

/** Shows what a person looks at first, and follows it; tells the newest line and which functions ran, where the module
 * notes that. */
export async function first(name) {
  const close = early(name);
  await init();
  const chat = await pkg.Chat.open(name, ME);
  close();
  chat.live(() => {});
  await chat.rooms();
  const page = (await chat.page(ROOM, undefined, 50)).trim().split("\n");
  const older = (await chat.page(ROOM, page[0].split(" ")[0], 50)).trim().split("\n");
  await chat.message(ROOM, older[0].split(" ")[1]);
  // What follows in idle moments.
  await new Promise((resolve) => setTimeout(resolve, 500));
  chat.free();
  return { newest: page.at(-1), ran: pkg.ran?.(), loaded: loaded() };
}

/** The modules of WebAssembly that were loaded. */
const loaded = () =>
  performance
    .getEntriesByType("resource")
    .map(({ name }) => name.split("/").pop())
    .filter((name) => name.endsWith(".wasm"));

/** Writes a message, sealed or not, which needs the rest: loaded by itself, or before. */
export async function write(name, passphrase, isAwaited) {
  if (isAwaited) await pkg.loadRest();
  else await init();
  const chat = await pkg.Chat.open(name, ME, passphrase ?? undefined);
  await chat.apply(ROOM, "$other", "@you:example.org", "m.room.message", body("of another"), false);
  await chat.enqueue(ROOM, "m.room.message", body("of mine"));
  const sent = await new Promise((resolve) => {
    chat.run(async (...row) => {
      resolve(row[3]);
      return "$mine";
    });
  });
  const page = (await chat.page(ROOM, undefined, 50)).trim().split("\n");
  chat.free();
  return { newest: page.at(-1), sent, loaded: loaded() };
}

const names = async () => (await indexedDB.databases()).map(({ name }) => name);

const isGone = (name) =>
  new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase(name);
    request.onsuccess = () => resolve(true);
    request.onerror = () => reject(request.error);
    setTimeout(() => resolve(false), 5000);
  });

/** Opens databases early: one that is absent is not made, before or after, and one that is there can be deleted. */
export async function opensEarly(name, absent) {
  early(absent);
  early(name)();
  early(name);
  await new Promise((resolve) => setTimeout(resolve, 300));
  const made = (await names()).includes(absent);
  return { made, gone: await isGone(name), left: (await names()).includes(name) };
}
