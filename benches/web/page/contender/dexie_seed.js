// Dexie with the schema and the query of the sketch that the project grew from, which an index does not serve:
// a page is cut out of a room in the order of event ids, so its rows are not the newest.

import { Dexie } from "/peer/dexie.min.mjs";
import { Store } from "./dexie.js";

export async function open(name) {
  const database = new Dexie(name);
  database.version(1).stores({
    rooms: "id, lastActivity, spaceId",
    messages: "[roomId+eventId], roomId, timestamp, sender",
    pendingMessages: "localId, roomId, status",
  });
  await database.open();
  return new Sketch(database);
}

class Sketch extends Store {
  async newest(room, limit) {
    return this.page(room, undefined, limit);
  }

  async older(room, page, limit) {
    return this.page(room, page[0]?.timestamp, limit);
  }

  async page(room, before, limit) {
    const rows = this.database.messages
      .where("roomId")
      .equals(room)
      .and((message) => !before || message.timestamp < before);
    return (await rows.reverse().limit(limit).toArray()).reverse();
  }
}
