// What `sdk-start.mjs` prints: the start of a client out of its store, to the list of rooms, in one page.

import { HaosStore } from "@haos/matrix-js-sdk-store";
import * as sdk from "matrix-js-sdk";

const ROUNDS = 5;

const stores = {
  haos: (name) => new HaosStore({ name }),
  IndexedDBStore: (name) => new sdk.IndexedDBStore({ indexedDB, dbName: name }),
};

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
const timed = async (act) => {
  const begun = performance.now();
  const made = await act();
  return [performance.now() - begun, made];
};

/** Without a network. */
const fetchFn = () => Promise.reject(new TypeError("offline"));

/** Starts a client until it shows its rooms by their names. */
async function start(store) {
  const client = sdk.createClient({
    baseUrl: "https://offline.test",
    userId: "@u:x",
    accessToken: "t",
    store,
    fetchFn,
  });
  await store.startup();
  const prepared = new Promise((done) => client.on("sync", (state) => state === "PREPARED" && done()));
  await client.startClient({ pendingEventOrdering: "detached" });
  await prepared;
  const rooms = client.getRooms().sort((a, b) => b.getLastActiveTimestamp() - a.getLastActiveTimestamp());
  return { client, names: rooms.map((room) => room.name) };
}

const eventsOf = (client) =>
  client.getRooms().reduce((sum, room) => sum + room.getLiveTimeline().getEvents().length, 0);

export async function run(captured) {
  const sync = await (await fetch(captured)).json();
  const name = `start-${crypto.randomUUID()}`;
  for (const make of Object.values(stores)) {
    const store = make(name);
    store.setUserCreator((id) => new sdk.User(id));
    await store.startup();
    await store.setSyncData(structuredClone(sync));
    await store.save(true);
    await store.destroy();
  }
  const times = Object.fromEntries(Object.keys(stores).map((which) => [which, { list: [], alone: [], filled: [] }]));
  const shown = {};
  // The first round is not counted.
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const [which, make] of Object.entries(stores)) {
      const alone = make(name);
      alone.setUserCreator((id) => new sdk.User(id));
      const [aloneMs] = await timed(async () => {
        await alone.startup();
        await alone.getSavedSync();
      });
      await alone.destroy();
      let store;
      const [filledMs, [listMs, { client, names }]] = await timed(async () => {
        const list = await timed(() => start((store = make(name))));
        await store.whenFilled?.();
        return list;
      });
      const told = JSON.stringify([[...names].sort(), eventsOf(client)]);
      client.stopClient();
      await store.destroy();
      shown[which] = told;
      if (round === 0) continue;
      times[which].list.push(listMs);
      times[which].alone.push(aloneMs);
      times[which].filled.push(filledMs);
    }
  }
  if (new Set(Object.values(shown)).size > 1) throw new Error(`they show different rooms: ${JSON.stringify(shown)}`);
  return Object.fromEntries(
    ["list", "alone", "filled"].map((what) => [
      what,
      Object.fromEntries(Object.keys(stores).map((which) => [which, median(times[which][what])])),
    ]),
  );
}
