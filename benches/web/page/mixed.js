// A reader of pages beside a writer without pause, which is a worker with a connection of its own. A contender whose
// files one context alone can have is read and written through it by the same page.

import { Feed, ROOMS, roomId } from "./data.js";
import { fill, load, remove } from "./stores.js";
import { PAGE } from "./works.js";
import { write } from "./writer.js";

const OLDER = 4;

/** The writer's next message; an error is one, too. */
function told(worker) {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => (data.error ? reject(new Error(data.error)) : resolve(data));
    worker.onerror = (event) => reject(new Error(event.message ?? "the writer failed"));
  });
}

/** A writer that has begun, and how to end it. */
async function writer(contender, store, name, messages) {
  if ((await load(contender)).alone) {
    let stopped = false;
    const written = write(store, new Feed(messages), () => stopped);
    return async () => {
      stopped = true;
      return written;
    };
  }
  const worker = new Worker(new URL("./writer.js", import.meta.url), { type: "module" });
  worker.postMessage({ contender, name, messages });
  await told(worker);
  return async () => {
    const written = told(worker);
    worker.postMessage("stop");
    const seen = await written;
    worker.terminate();
    return seen;
  };
}

/** Pages and commits a second, for that long. */
export async function mixed(contender, messages, ms) {
  const name = `mixed-${contender}`;
  const store = await fill(contender, name, messages, new Feed());
  const stop = await writer(contender, store, name, messages);
  const clock = performance.now();
  let pages = 0;
  for (let i = 0; performance.now() - clock < ms; i += 1) {
    let page = await store.newest(roomId(i % ROOMS), PAGE);
    for (let older = 0; older < OLDER; older += 1) page = await store.older(roomId(i % ROOMS), page, PAGE);
    pages += OLDER + 1;
  }
  const read = performance.now() - clock;
  const written = await stop();
  const newest = await store.newest(written.last.roomId, 1);
  const wrong = newest[0]?.eventId === written.last.eventId ? 0 : 1;
  await store.close();
  await remove(contender, name);
  return { pages: (pages * 1000) / read, commits: (written.commits * 1000) / written.ms, wrong };
}
