// The service worker: a page passes on what a test asks for.
import { commands, sent } from './context.js';

self.addEventListener('install', (event) => event.waitUntil(self.skipWaiting()));
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));
self.addEventListener('message', (event) => {
  const { command, args } = event.data;
  const answer = Promise.resolve().then(() => commands[command](args ?? {})).then(
    (value) => event.ports[0].postMessage({ value }),
    (error) => event.ports[0].postMessage({ error: String(error.stack || error) }),
  );
  // What was begun goes on for as long as the browser lets it: the tests end before.
  event.waitUntil(answer.then(() => new Promise((resolve) => setTimeout(resolve, 60_000))));
});
// Background Sync: the tag is the store's name.
self.addEventListener('sync', (event) => event.waitUntil(sent(event.tag)));
