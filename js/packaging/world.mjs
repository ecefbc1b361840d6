// A model homeserver for one application, served, which counts what is asked of it at the same time.

import { Homeserver } from "@haos/testing";
import { serve } from "@haos/testing/node";

export const ROOM = "!lobby:haos.test";

/** Begins one, with a room of some messages. */
export async function beginWorld() {
  const homeserver = new Homeserver();
  homeserver.room(ROOM, { name: "Lobby", members: ["ada", "bob"] });
  for (let i = 0; i < 30; i += 1) homeserver.say(ROOM, "bob", `message ${i}`);
  const syncs = { now: 0, most: 0 };
  let logins = 0;
  const served = await serve({
    homeserver: {
      async handle(request) {
        const { pathname } = new URL(request.url);
        if (pathname.endsWith("/login") && request.method === "POST") logins += 1;
        if (!pathname.endsWith("/sync")) return homeserver.handle(request);
        syncs.now += 1;
        syncs.most = Math.max(syncs.most, syncs.now);
        try {
          return await homeserver.handle(request);
        } finally {
          syncs.now -= 1;
        }
      },
    },
  });
  return {
    url: served.url,
    network: homeserver.network,
    say: (body) => homeserver.say(ROOM, "bob", body),
    bodies: () => homeserver.bodies(ROOM),
    logins: () => logins,
    /** The most contexts that sync at the same time while something is done. */
    async mostSyncs(act) {
      syncs.most = syncs.now;
      await act();
      return syncs.most;
    },
    close: served.close,
  };
}
