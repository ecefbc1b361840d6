// A homeserver with people and rooms, for somebody to try and for the tests.

import { Homeserver } from "@haos/testing";

import { face, landscape } from "./png.mjs";

export const ROOMS = {
  walk: "!walk:haos.test",
  bob: "!bob:haos.test",
  family: "!family:haos.test",
  books: "!books:haos.test",
  garden: "!garden:haos.test",
  invite: "!choir:haos.test",
};
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const FACES = { bob: [46, 120, 190], cleo: [200, 92, 70], dan: [96, 140, 60], noor: [150, 84, 170] };

/** Makes it. `latency` is what every request takes, in milliseconds. */
export async function makeWorld({ latency = 0 } = {}) {
  let now = Date.now() - 2 * DAY;
  const homeserver = new Homeserver({ latency, now: () => now });
  const later = (ms) => void (now += ms);
  for (const [id, displayName] of Object.entries({ noor: "نور", cleo: "Cleo Marsh", dan: "Dan", bob: "Bob" })) {
    homeserver.user(id, { displayName });
  }
  homeserver.user("ada", { password: "secret", displayName: "Ada" });

  const avatars = Object.fromEntries(
    Object.entries(FACES).map(([id, colour]) => [id, homeserver.addFile(face(colour), "image/png")]),
  );
  const room = (id, name, members, topic) => {
    homeserver.room(id, { ...(name && { name }), ...(topic && { topic }), members: ["ada", ...members] });
    for (const member of members) {
      const user = homeserver.user(member);
      const content = { membership: "join", displayname: displayNames[member], avatar_url: avatars[member] };
      homeserver.event(id, { type: "m.room.member", sender: member, stateKey: user, content });
    }
  };
  const displayNames = { noor: "نور", cleo: "Cleo Marsh", dan: "Dan", bob: "Bob" };
  const say = (id, sender, body) => (later(MINUTE), homeserver.say(id, sender, body));
  const send = (id, sender, content, type = "m.room.message") => (
    later(MINUTE),
    homeserver.event(id, { type, sender, content })
  );
  const react = (id, sender, target, key) =>
    send(id, sender, { "m.relates_to": { rel_type: "m.annotation", event_id: target, key } }, "m.reaction");

  room(ROOMS.garden, "Community garden", ["dan", "cleo"]);
  say(ROOMS.garden, "dan", "The tomatoes are in. Who waters on Thursday?");
  room(ROOMS.books, "Book club", ["cleo", "dan"], "Next: The Left Hand of Darkness");
  say(ROOMS.books, "cleo", "Chapter five, no spoilers please");
  homeserver.room(ROOMS.invite, { name: "Choir", members: ["cleo"], invited: ["ada"] });

  room(ROOMS.family, "العائلة", ["noor"]);
  say(ROOMS.family, "noor", "مساء الخير! هل نلتقي يوم الجمعة؟");
  say(ROOMS.family, "ada", "نعم، عندي في البيت. Can you bring the olives?");
  say(ROOMS.family, "noor", "طبعاً، وسأحضر الخبز أيضاً.");

  room(ROOMS.walk, "Harbour walk", ["bob", "cleo", "dan"], "Saturday, nine o'clock at the lighthouse");
  for (let n = 1; n <= 120; n += 1) {
    say(ROOMS.walk, ["bob", "cleo", "dan"][Math.floor(n / 3) % 3], `Note ${n} from the last walk`);
  }
  later(DAY);
  const asked = say(ROOMS.walk, "cleo", "Is everybody still in for Saturday? The forecast says sun until noon.");
  react(ROOMS.walk, "bob", asked, "👍");
  react(ROOMS.walk, "dan", asked, "👍");
  react(ROOMS.walk, "dan", asked, "🎉");
  say(ROOMS.walk, "dan", "I am. I will bring the big thermos.");
  send(ROOMS.walk, "bob", {
    msgtype: "m.image",
    body: "hills.png",
    url: homeserver.addFile(landscape(), "image/png"),
    info: { w: 480, h: 320, mimetype: "image/png" },
  });
  const path = say(ROOMS.walk, "bob", "That was the path last year. The map is at https://example.org/harbour");
  send(ROOMS.walk, "bob", {
    msgtype: "m.text",
    body: "* That was the path last year, the map is at https://example.org/harbour",
    "m.new_content": {
      msgtype: "m.text",
      body: "That was the path last year, and it is dry now. The map is at https://example.org/harbour",
    },
    "m.relates_to": { rel_type: "m.replace", event_id: path },
  });
  say(ROOMS.walk, "ada", "Count me in. There is no network behind the second bay, so do not worry if I go quiet.");
  send(ROOMS.walk, "cleo", {
    msgtype: "m.text",
    body: "Nine at the lighthouse, then.",
    "m.relates_to": { "m.in_reply_to": { event_id: asked } },
  });

  room(ROOMS.bob, undefined, ["bob"]);
  say(ROOMS.bob, "bob", "Did you find the ferry times?");

  await direct(homeserver);
  now = Date.now();
  const clock = setInterval(() => (now = Date.now()), 50);
  clock.unref();
  return homeserver;
}

/** Notes that the room with Bob is a conversation of two. */
async function direct(homeserver) {
  const ask = async (method, path, body, token) => {
    const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
    const url = `https://haos.test/_matrix/client/v3/${path}`;
    return (await homeserver.handle(new Request(url, { method, headers, body: JSON.stringify(body) }))).json();
  };
  const identifier = { type: "m.id.user", user: "ada" };
  const { access_token: token } = await ask("POST", "login", {
    type: "m.login.password",
    identifier,
    password: "secret",
  });
  const direct = { "@bob:haos.test": [ROOMS.bob] };
  await ask("PUT", "user/@ada:haos.test/account_data/m.direct", direct, token);
  await ask("POST", "logout", {}, token);
}
