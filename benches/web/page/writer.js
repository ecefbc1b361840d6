// A writer in a context of its own: commits of 5 messages without pause, until it is told to stop.

import { Feed } from "./data.js";
import { load } from "./stores.js";

let stopped = false;

/** Writes until `stop` says so; gives back how many commits there were, and their last message. */
export async function write(store, feed, stop) {
  const clock = performance.now();
  let commits = 0;
  let last;
  while (!stop()) {
    const [batch] = feed.commits(1, 5, 5);
    await store.commit(store.prepare(batch));
    commits += 1;
    last = batch[0];
  }
  return { commits, last, ms: performance.now() - clock };
}

async function work({ contender, name, messages }) {
  const { open } = await load(contender);
  const store = await open(name);
  self.postMessage("ready");
  const written = await write(store, new Feed(messages), () => stopped);
  await store.close();
  self.postMessage(written);
}

if (typeof WorkerGlobalScope !== "undefined") {
  self.onmessage = ({ data }) => {
    if (data === "stop") stopped = true;
    else work(data).catch((error) => self.postMessage({ error: String(error) }));
  };
}
