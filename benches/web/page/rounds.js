// A round: every contender does every kind of work, on a database of its own. They take turns at each of them, in short
// blocks, so that a moment in which the machine is slow meets all. Times are in milliseconds.

import { Feed, roomId } from "./data.js";
import { Script } from "./script.js";
import { fill as filled, fresh, load, remove, rest, timed } from "./stores.js";
import { PAGE, WORKS, sums } from "./works.js";

const databaseOf = (contender) => `bench-${contender}`;

/** A contender in a round. */
class Lane {
  times = {};
  wrong = 0;

  constructor(contender, store) {
    this.contender = contender;
    this.store = store;
  }

  static async open(contender) {
    return new Lane(contender, await fresh(contender, databaseOf(contender)));
  }

  /** As after a start: what the store keeps in memory is gone. */
  async reopen() {
    const { open } = await load(this.contender);
    await this.store.close();
    this.store = await open(databaseOf(this.contender));
  }

  add(name, ms) {
    this.times[name] = (this.times[name] ?? 0) + ms;
  }

  async run(work, prepared, script) {
    let laps = 0;
    const clock = performance.now();
    const lap = (name) => {
      laps += 1;
      this.add(name, performance.now() - clock);
    };
    const [ms, made] = await timed(() => work.run(this.store, prepared, lap));
    if (laps === 0) this.add(work.name, ms * (work.share ?? 1));
    this.wrong += work.wrong?.(made, script, prepared) ?? 0;
  }

  async close() {
    await this.store.close();
    await remove(this.contender, databaseOf(this.contender));
  }
}

const turned = (list, by) => list.map((_, i) => list[(i + by) % list.length]);

/** The whole workload; `turn` says who begins. */
export async function round(contenders, messages, turn) {
  const script = new Script(messages);
  const lanes = [];
  for (const contender of contenders) lanes.push(await Lane.open(contender));
  let by = turn;
  for (const work of WORKS) {
    const able = lanes.filter((lane) => work.needs in lane.store);
    for (let block = 0; block < (work.blocks ?? 1); block += 1) {
      by += 1;
      const blocks = turned(able, by).map((lane) => [lane, work.ready?.(lane.store, script, block)]);
      if (work.reopens && block === 0) for (const [lane] of blocks) await lane.reopen();
      for (const [lane, prepared] of blocks) {
        await rest(work.rests ?? 30);
        await lane.run(work, prepared, script);
      }
    }
  }
  for (const lane of lanes) await lane.close();
  await rest(200);
  return Object.fromEntries(lanes.map(({ contender, times, wrong }) => [contender, { times: sums(times), wrong }]));
}

/** A database that stays, for cold starts: so many messages in their final form, and commits that came after. */
export async function fill(contender, name, messages) {
  const feed = new Feed();
  const store = await filled(contender, name, messages, feed);
  await store.fold?.();
  for (const batch of feed.commits(20, 5, 5)) await store.commit(store.prepare(batch));
  const page = await store.newest(roomId(0), PAGE);
  await store.keep?.(roomId(0), PAGE);
  await store.close();
  return { room: roomId(0), first: page[0].content.body, last: page[PAGE - 1].content.body };
}
