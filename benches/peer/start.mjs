// A start in a fresh process from the store that `initial_sync.mjs` left, to the newest room's first page.
// The database is in memory before the clock runs. It runs from opening the store until the client is
// prepared from what was saved: the SDK has no page before all rooms are built.

import { database, file, memory, open, start, tell } from "./client.mjs";
import { load } from "./database.mjs";

await load(database, file);
const before = memory().now;
const clock = performance.now();
const { client, store } = open();
await store.startup();
const { fromCache } = await start(client);
const rooms = client.getVisibleRooms();
rooms.sort((one, other) => other.getLastActiveTimestamp() - one.getLastActiveTimestamp());
const list = rooms.slice(0, 20);
const page = list[0].getLiveTimeline().getEvents().slice(-50);
const seconds = (performance.now() - clock) / 1000;
if (!fromCache) throw new Error("it started from the server, not from the store");

client.stopClient();
const peak_bytes = memory().peak;
tell({ seconds, rooms: list.length, room: list[0].roomId, messages: page.length, peak_bytes, before_bytes: before });
