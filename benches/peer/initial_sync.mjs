// The initial sync into the store. The clock runs from opening the store until it is saved.

import { database, file, memory, open, start, tell } from "./client.mjs";
import { dump, save } from "./database.mjs";

const before = memory().now;
const clock = performance.now();
const { client, store } = open();
await store.startup();
await start(client);
const prepared = performance.now();
await store.save(true);
const saved = performance.now();
const peak = memory().peak;

client.stopClient();
const timelines = client.getRooms().map((room) => room.getLiveTimeline().getEvents());
const held = new Set(timelines.flat().map((event) => event.getId())).size;
const dumped = await dump(database);
const [sync] = dumped.stores.find(({ store }) => store === "sync").values;
const joined = Object.values(sync.roomsData.join);
save(file, dumped);
tell({
    seconds: (saved - clock) / 1000,
    usable_seconds: (prepared - clock) / 1000,
    events: held,
    stored: joined.reduce((sum, room) => sum + room.timeline.events.length, 0),
    peak_bytes: peak,
    before_bytes: before,
});
