// A client over the IndexedDB store, as a browser application has it, without a worker and without encryption.

import { readFileSync } from "node:fs";
import "fake-indexeddb/auto";
import { ClientEvent, IndexedDBStore, createClient } from "matrix-js-sdk";

export const database = "bench";

export const [homeserver, user, token, file] = process.argv.slice(2);
if (!file) throw new Error("usage: node <script> <homeserver> <user> <access token> <database file>");

// Nothing is logged: a line for each of 20,000 events would be measured, not the sync.
const nothing = () => {};
const logger = { trace: nothing, debug: nothing, info: nothing, warn: nothing, error: console.error };
logger.getChild = () => logger;
console.log = console.info = console.debug = console.warn = nothing;

/** A client over the database, not yet started. */
export function open() {
    const store = new IndexedDBStore({ indexedDB, dbName: database });
    store.on("degraded", (error) => fail(error));
    const client = createClient({
        baseUrl: homeserver,
        userId: user,
        accessToken: token,
        deviceId: "BENCH",
        store,
        logger,
        timelineSupport: true,
    });
    return { client, store };
}

/** Starts the client; resolves when it is prepared, with what it says of it. */
export async function start(client) {
    const prepared = new Promise((resolve) => {
        client.on(ClientEvent.Sync, (state, _, data) => state === "PREPARED" && resolve(data));
    });
    client.on(ClientEvent.SyncUnexpectedError, (error) => fail(error));
    await client.startClient({ initialSyncLimit: 100_000, lazyLoadMembers: true, disablePresence: true });
    return await prepared;
}

/** Bytes resident in memory: the most so far, and now. */
export function memory() {
    // What getrusage tells includes the parent's pages at the fork.
    const status = process.platform === "linux" ? readFileSync("/proc/self/status", "utf8") : "";
    const peak = /VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? process.resourceUsage().maxRSS;
    return { peak: peak * 1024, now: process.memoryUsage.rss() };
}

/** Says it to whoever started this process, and ends. */
export function tell(result) {
    process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
}

function fail(error) {
    console.error(error);
    process.exit(1);
}
setTimeout(() => fail(new Error("nothing came of it in five minutes")), 300_000).unref();
