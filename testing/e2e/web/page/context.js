// What a page and a service worker do alike: each is a context with an outbox over the same store.
import init, { Context } from './pkg/haos_e2e_web.js';
import { pause, post } from './request.js';

let opening;
let who;
let context;

// Once a context: another call finds it running, and says what it is called.
export const start = ({ name, called, patience_ms, drive = true }) => {
  opening ??= (async () => {
    await init();
    context = await Context.open(name, called, patience_ms);
    if (drive) context.drive();
    who = called;
  })();
  return opening.then(() => who);
};

// Writes so many messages, one after the other, and tells of each before it begins the next.
const write = async ({ slot, rooms, count, pause_ms }) => {
  for (let i = 0; i < count; i += 1) {
    const body = `${who} ${i}`;
    const room = rooms[Math.floor(Math.random() * rooms.length)];
    const seq = await context.enqueue(room, body);
    await post('/wrote', { slot, room, body, seq });
    await pause(Math.random() * pause_ms);
  }
};

// Follows what the server has until the context ends.
const follow = async ({ pause_ms }) => {
  for (;;) {
    await context.sync();
    await pause(pause_ms);
  }
};

// What a service worker does when the browser wakes it up.
export const sent = async (name) => {
  await init();
  const own = await Context.open(name, 'woken', 3000);
  const nothing_left = await own.on_sync(20_000);
  if (!nothing_left) throw new Error('messages are left');
};

const told = (promise) => promise.catch((error) => post('/failed', `${who}: ${error.stack || error}`));

// What a test asks for. What takes long is begun, and goes on.
export const commands = {
  start,
  write: (args) => { told(write(args)); return who; },
  follow: (args) => { told(follow(args)); return who; },
  enqueue: async ({ room, body }) => {
    const seq = await context.enqueue(room, body);
    await post('/wrote', { slot: who, room, body, seq });
    return seq;
  },
  role: () => context?.role(),
  rows: async () => JSON.parse(await context.rows()),
  sync: () => context.sync(),
  timelines: async () => JSON.parse(await context.timelines()),
  // The page hangs, as under a debugger: nothing of it runs.
  hang: ({ ms }) => {
    setTimeout(() => { const end = Date.now() + ms; while (Date.now() < end); }, 20);
    return who;
  },
};
