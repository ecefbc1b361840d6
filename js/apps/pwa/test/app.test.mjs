// The application in Chromium, beside the model homeserver: `node test/app.test.mjs [expression for names]`, or HAOS_TESTS.
//
// HAOS_PICTURES=1 writes the pictures of the documentation.

import { appendFile, cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { install, openInMemory } from "@haos/testing";

import { Browser } from "../../../test/browser.mjs";
import { equal, ok, suite, until } from "../../../test/suite.mjs";
import { face } from "../demo/png.mjs";
import { ROOMS } from "../demo/world.mjs";
import { Key } from "./screen.mjs";
import { begin, DESKTOP, DIST, faults, PHONE, picture } from "./stage.mjs";

const { test: add, run } = suite();
const wanted = new RegExp(process.argv[2] ?? process.env.HAOS_TESTS ?? "");
let browser = await Browser.start("chromium");

/** A test with a world and a tab of its own; `change` makes another application of a copy. */
function test(name, act, { change, ...options } = {}) {
  if (!wanted.test(name)) return;
  add(name, async () => {
    const folder = change && (await mkdtemp(join(tmpdir(), "haos-pwa-")));
    if (folder) {
      await cp(DIST, folder, { recursive: true });
      await change(folder);
    }
    const begun = Date.now();
    const stage = await begin(browser, { ...options, ...(folder && { folder }) });
    try {
      await act({ ...stage, folder }, stage.screen);
    } finally {
      await stage.end();
      if (folder) await rm(folder, { recursive: true });
      console.log(`# ${name}: ${((Date.now() - begun) / 1000).toFixed(1)} s`);
    }
  });
}

const ITEM = (text) => `.message[aria-label*="${text}"]`;
const states = (screen) => screen.js(`return [...document.querySelectorAll(".message")].map((it) => it.dataset.state)`);
/** Writes in the composer and sends. */
const write = async (screen, text) => {
  await screen.fill("#composer", text);
  await screen.keys(Key.ENTER);
  await screen.shows(text, ".message");
};

/** Waits until the service worker serves the page. */
const served = (screen) =>
  screen.until(
    "the worker serves",
    "return navigator.serviceWorker.ready.then(() => navigator.serviceWorker.controller !== null)",
  );

test(
  "a login says what is wrong, at the field, and then goes through",
  async ({ url }, screen) => {
    await screen.shows("Log in", "h1");
    await screen.logIn(url, { password: "wrong" });
    await screen.shows("The name or the password is wrong", ".problem");
    equal(await screen.js("return [document.activeElement.name, document.activeElement.ariaInvalid]"), [
      "password",
      "true",
    ]);
    await screen.size(...PHONE, { mobile: true });
    await picture(screen, "app-login");
    equal(await faults(screen), []);
    await screen.fill("input[name=server]", "http://127.0.0.1:9");
    await screen.keys(Key.ENTER);
    await screen.shows("does not answer", ".problem");
    await screen.fill("input[name=server]", url);
    await screen.fill("input[name=password]", "secret");
    await screen.keys(Key.ENTER);
    await screen.shows("Harbour walk", ".room-list");
  },
  { login: false },
);

test("the rooms: what is new, pictures, a search, filters, and an invite that is accepted", async (stage, screen) => {
  await screen.shows("Nine at the lighthouse", ".preview");
  await screen.until("there are pictures", "return document.querySelectorAll('.room .avatar img').length > 0");
  await screen.until("there is a count", "return document.querySelector('.badge') !== null");
  await screen.fill("input[type=search]", "book");
  await screen.hides("Harbour walk", ".room-list");
  equal(await screen.texts(".room-name"), ["Book club"]);
  await screen.fill("input[type=search]", "zzz");
  await screen.shows("No room is like that");
  await screen.keys(Key.ESCAPE);
  await screen.click(".filters button", "People");
  await screen.until("only people are shown", "return document.querySelectorAll('.room').length === 1");
  equal(await screen.texts(".room-name"), ["Bob"]);
  await screen.click(".filters button", "Invites");
  await screen.click(".room", "Choir");
  await screen.click("button", "Join");
  await screen.until("one may write", "return document.querySelector('#composer') !== null");
  await screen.click(".filters button", "All");
  stage.homeserver.say(ROOMS.invite, "cleo", "Welcome to the choir");
  await screen.shows("Welcome to the choir", ".message");
});

test("a message: reply, reactions and who, edits, days, what others write", async ({ homeserver }, screen) => {
  await screen.open("Harbour walk");
  await screen.shows("it is dry now", ".message");
  await screen.shows("edited", ".meta");
  equal(await screen.js(`return document.querySelector('.reactions button').title`), "Bob and Dan");
  // Of what was said some minutes before midnight it is another one.
  const days = "[...document.querySelectorAll('.day')].map((day) => day.textContent.trim())";
  await screen.until("a day has its name", `return ${days}.some((day) => ["Today", "Yesterday"].includes(day))`);
  await screen.until("the picture is there", "return document.querySelector('.picture img')?.complete === true");
  await screen.until("pictures of people", "return document.querySelector('.message .avatar img') !== null");
  await picture(screen, "app-desktop");
  equal(await faults(screen), []);

  await screen.point(ITEM("big thermos"));
  await screen.click(`${ITEM("big thermos")} button`, "Reply");
  await write(screen, "Tea, please");
  await screen.shows("I will bring the big thermos", `${ITEM("Tea, please")} .quote`);
  await until("the server has it", () => homeserver.bodies(ROOMS.walk).some((body) => body.includes("Tea, please")));
  await screen.until(
    "it is there",
    `return document.querySelector('${ITEM("Tea, please")}').dataset.state === "there"`,
  );

  await screen.point(ITEM("Tea, please"));
  await screen.click(`${ITEM("Tea, please")} button`, "Edit");
  await screen.fill(".editor textarea", "Coffee, please");
  await screen.keys(Key.ENTER);
  await screen.shows("Coffee, please", ".message");
  await until("the server has the edit", () =>
    homeserver.events(ROOMS.walk).some((it) => it.content["m.new_content"]?.body === "Coffee, please"),
  );

  await screen.point(ITEM("big thermos"));
  await screen.click(`${ITEM("big thermos")} button`, "React");
  await screen.click(`${ITEM("big thermos")} button`, "React with 🎉");
  await screen.shows("🎉", `${ITEM("big thermos")} .reactions`);
  equal(await screen.js(`return document.querySelector('${ITEM("big thermos")} .reactions button').title`), "you");
  await screen.click(`${ITEM("big thermos")} .reactions button`);
  await screen.hides("🎉", `${ITEM("big thermos")} .reactions`);

  await screen.point(ITEM("Coffee, please"));
  await screen.click(`${ITEM("Coffee, please")} button`, "Delete");
  await screen.click("dialog button", "Delete");
  await screen.shows("Message removed", ".message");

  homeserver.typing(ROOMS.walk, ["bob"]);
  await screen.shows("Bob is typing", ".typing");
  homeserver.say(ROOMS.walk, "bob", "On my way");
  await screen.shows("On my way", ".message");
  await screen.shows("Bob: On my way", ".timeline [role=status]");
});

/** The first message that is seen as a whole, and where it is. */
const ANCHOR = `const top = document.querySelector(".scroller").getBoundingClientRect().top;
  const seen = [...document.querySelectorAll(".message")].find((it) => it.getBoundingClientRect().top > top + 80);
  return [seen.ariaLabel, Math.round(seen.getBoundingClientRect().top), Number(seen.ariaPosInSet)];`;
/** Scrolls to a place near the top, and notes in every frame where the first message is that is seen then. */
const WATCHED = `document.querySelector(".scroller").scrollTop = args[0];
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  const watch = async () => {
    await frame();
    const [label] = (() => { ${ANCHOR} })();
    const [tops, places, begun] = [[], [], performance.now()];
    while (performance.now() - begun < args[1]) {
      const it = [...document.querySelectorAll(".message")].find((it) => it.ariaLabel === label);
      tops.push(Math.round(it.getBoundingClientRect().top));
      places.push(Number(it.ariaPosInSet));
      await frame();
    }
    return { label, tops, places };
  };
  return watch();`;
/** Tells if the last message is the one that is named, and is seen as a whole. */
const LAST_SEEN = `const it = [...document.querySelectorAll(".message")].at(-1);
  const { bottom } = document.querySelector(".scroller").getBoundingClientRect();
  return it.ariaLabel.includes(args[0]) && it.getBoundingClientRect().bottom <= bottom + 1;`;
const PLACE = `const it = [...document.querySelectorAll(".message")].find((it) => it.ariaLabel === args[0]);
  return it && [Math.round(it.getBoundingClientRect().top), Number(it.ariaPosInSet)];`;

test(
  "the place is kept while older messages load and while new ones come",
  async ({ homeserver }, screen) => {
    await screen.open("Harbour walk");
    await screen.shows("Nine at the lighthouse", ".message");
    let grown = 0;
    for (let round = 0; round < 3; round += 1) {
      const { label, tops, places } = await screen.js(WATCHED, 600, 1500);
      if (places.at(-1) > places[0]) grown += 1;
      ok(Math.max(...tops) - Math.min(...tops) <= 2, `${label} was at ${tops}`);
    }
    ok(grown > 0, "older messages came while one looked");
    const [label, at] = await screen.js(ANCHOR);
    homeserver.say(ROOMS.walk, "bob", "Far below");
    await screen.shows("Far below", ".preview");
    equal((await screen.js(PLACE, label))[0], at);
    await screen.click("button", "Go to the latest messages");
    await screen.shows("Far below", ".message");
    homeserver.say(ROOMS.walk, "bob", "At the end it follows");
    await screen.until("what comes at the end is seen", LAST_SEEN, "At the end");
  },
  { world: { latency: 120 } },
);

test("a gap is shown as one, and filled", async ({ homeserver }, screen) => {
  await screen.open("Community garden");
  homeserver.network.offline();
  for (let n = 0; n < 80; n += 1) homeserver.say(ROOMS.garden, "dan", `Row ${n}`);
  homeserver.network.online();
  // The engine fills gaps by itself, where the server lets it.
  const isHistory = (request) => request.url.includes("/messages");
  homeserver.network.refuse({ status: 403, errcode: "M_FORBIDDEN", match: isHistory });
  await screen.shows("Row 79", ".message");
  await screen.until(
    "the gap is reached",
    `
    const scroller = document.querySelector(".scroller");
    scroller.scrollTop = scroller.scrollTop < 100 ? scroller.scrollHeight : scroller.scrollTop - 200;
    return document.querySelector(".gap") !== null`,
  );
  equal(await faults(screen), []);
  await screen.click(".gap button", "Load more");
  await screen.until("it says why not", "return !document.querySelector('.gap').innerText.includes('missing here')");
  homeserver.network.online();
  await screen.until(
    "the gap is filled from both sides",
    `
    document.querySelector(".gap button")?.click();
    document.querySelector(".scroller").scrollTop -= 200;
    return document.querySelector(".gap") === null && document.querySelector('${ITEM("Row 0,")}') !== null`,
  );
});

test("what is unsent waits, is edited and deleted, and what is refused is tried again", async (stage, screen) => {
  const { homeserver } = stage;
  await screen.open("Book club");
  await served(screen);
  homeserver.network.offline();
  await screen.online(false);
  await screen.reload();
  await screen.shows("Offline", ".indicator");
  for (const text of ["First", "Secnd", "Third"]) await write(screen, text);
  await screen.shows("Offline, 3 unsent", ".indicator");
  await screen.shows("Waiting", ".sending");
  await picture(screen, "app-offline");
  equal(await faults(screen), []);

  await screen.point(ITEM("Secnd"));
  await screen.click(`${ITEM("Secnd")} button`, "Edit");
  await screen.fill(".editor textarea", "Second");
  await screen.click(".editor button", "Save");
  await screen.shows("Second", ".message");
  await screen.point(ITEM("Third"));
  await screen.click(`${ITEM("Third")} button`, "Delete");
  await screen.shows("Delete this unsent message?", "dialog");
  await screen.click("dialog button", "Delete");
  await screen.hides("Third", ".message");
  await screen.shows("Offline, 2 unsent", ".indicator");

  const isSend = (request) => request.url.includes("/send/");
  homeserver.network.online();
  homeserver.network.refuse({ status: 403, errcode: "M_FORBIDDEN", match: isSend });
  await screen.online(true);
  await screen.shows("Not sent: you may not write here", ".unsent");
  await screen.shows("not sent", ".notices");
  await screen.size(...PHONE, { mobile: true });
  await screen.until("the end stays in sight when the page gets smaller", LAST_SEEN, "Second");
  await screen.js("document.activeElement.blur()");
  await picture(screen, "app-unsent");
  equal(await faults(screen), []);
  homeserver.network.online();
  await screen.until(
    "each is tried again",
    `
    document.querySelector(".unsent button")?.click();
    return document.querySelector(".unsent") === null;`,
  );
  await until("the server has both", () => {
    const bodies = homeserver.bodies(ROOMS.books).slice(-2);
    return bodies.includes("First") && bodies.includes("Second");
  });
  await screen.until("nothing is unsent", "return document.querySelector('.notices').innerText === ''");
  ok(!homeserver.bodies(ROOMS.books).includes("Third"), "what was deleted is not sent");
});

test("a file is sent with progress, paused, taken up and cancelled", async ({ homeserver }, screen) => {
  const folder = await mkdtemp(join(tmpdir(), "haos-pwa-"));
  try {
    const file = join(folder, "map.bin");
    await writeFile(file, Buffer.alloc(900_000, 7));
    await screen.open("Book club");
    homeserver.network.hang((request) => request.url.includes("/media/"));
    await screen.attach(file);
    await screen.shows("map.bin", ".message");
    await screen.shows("of 900 KB", ".upload");
    await screen.click("button", "Pause the file");
    await screen.shows("Paused", ".upload");
    equal(await faults(screen), []);
    homeserver.network.online();
    await screen.click("button", "Go on with the file");
    await until("the server has it", () =>
      homeserver.events(ROOMS.books).some((it) => homeserver.file(it.content.url)?.length === 900_000),
    );
    await screen.until("it is sent", "return document.querySelector('.upload') === null");

    homeserver.network.hang((request) => request.url.includes("/media/"));
    await screen.attach(file);
    await screen.click("button", "Cancel the file");
    await screen.until("it is gone", "return document.querySelector('.upload') === null");
    homeserver.network.online();
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("a draft is kept over a reload", async (_, screen) => {
  await screen.open("Book club");
  await screen.fill("#composer", "Half a sent");
  await screen.until(
    "it is noted",
    "return [...document.querySelectorAll('.preview em')].some((it) => it.innerText === 'Draft')",
  );
  await screen.reload();
  await screen.until("it is there", "return document.querySelector('#composer')?.value === 'Half a sent'");
});

/** A browser says that it allows what is in the file `quota`. */
async function saysItsQuota(folder) {
  const assets = join(folder, "assets");
  const script = join(
    assets,
    (await readdir(assets)).find((it) => it.startsWith("worker-")),
  );
  const estimate = `navigator.storage.estimate = async () => ({ usage: 0, quota: await (await fetch("/quota")).json() });`;
  await writeFile(script, `${estimate}\n${await readFile(script, "utf8")}`);
  await writeFile(join(folder, "quota"), "1000000000");
}

test(
  "storage: how much, a warning before it is full, and what is cleared",
  async ({ homeserver, folder }, screen) => {
    await screen.open("Harbour walk");
    await served(screen);
    await screen.click("a[href='#/storage']");
    await screen.shows("stored here", ".card h2");
    await picture(screen, "app-storage");
    equal(await faults(screen), []);
    const film = homeserver.addFile(Buffer.alloc(12_000_000), "video/mp4").replace("mxc://", "/haos/media/");
    equal(await screen.js("return fetch(args[0]).then((it) => it.blob()).then((it) => it.size)", film), 12_000_000);
    await writeFile(join(folder, "quota"), "15500000");
    await screen.reload();
    // A store is measured when something is written.
    homeserver.say(ROOMS.walk, "bob", "It is measured");
    await screen.shows("The storage is filling up (12 MB of 15.5 MB)", ".notice[data-level=warn]");
    await screen.shows("It is filling up", ".card [data-level=warn]");
    equal(await faults(screen), []);
    await screen.click("button", "Clear: Media");
    await screen.click("dialog button", "Clear");
    await screen.shows("Cleared", ".told");
    await screen.hides("The storage is filling up", ".notices");
    await screen.shows("There is room enough", ".card");
    await screen.click("button", "Clear: All but what is unsent");
    await screen.click("dialog button", "Clear");
    await screen.shows("Cleared", ".told");
    await screen.shows("Harbour walk", ".room-list");
  },
  { change: saysItsQuota },
);

test("storage that the browser erased is told, and what was lost with it", async ({ url, homeserver }, screen) => {
  await screen.open("Book club");
  homeserver.network.offline();
  await write(screen, "Lost");
  await screen.shows("1 unsent", ".indicator");
  await screen.goto("about:blank");
  const storageTypes = "indexeddb,cache_storage,service_workers,file_systems";
  await screen.tools("Storage.clearDataForOrigin", { origin: url, storageTypes });
  homeserver.network.online();
  await screen.goto(url);
  await screen.shows("This browser removed what was stored here for @ada:haos.test", "[role=alert]");
  await screen.shows("1 message that had not been sent went with it", "[role=alert]");
  equal(await faults(screen), []);
  await screen.logIn(url);
  await screen.shows("Harbour walk", ".room-list");
});

test("a logout asks about what is unsent, and leaves nothing", async ({ url, homeserver }, screen) => {
  await screen.open("Book club");
  const isSend = (request) => request.url.includes("/send/");
  homeserver.network.refuse({ status: 403, errcode: "M_FORBIDDEN", match: isSend });
  await write(screen, "Never sent");
  await screen.shows("Not sent", ".unsent");
  await screen.click("a[href='#/settings']");
  await screen.shows("@ada:haos.test", ".card");
  equal(await faults(screen), []);
  await screen.click(".card button", "Log out");
  await screen.shows("1 unsent message will be lost", "dialog");
  await screen.click("dialog button", "Log out");
  await screen.shows("Log in", "h1");
  ok(!(await screen.js("return document.body.innerText")).includes("removed what was stored"), "the person did it");
  homeserver.network.online();
  await screen.reload();
  await screen.shows("Log in", "h1");
  await screen.logIn(url);
  await screen.open("Book club");
  ok(!(await screen.texts(".message")).some((it) => it.includes("Never sent")), "what was unsent is gone");
});

test("a session that ended elsewhere keeps what is here, and goes on after a login", async ({
  url,
  homeserver,
}, screen) => {
  await screen.open("Book club");
  homeserver.logout("ada", { soft: true });
  await screen.shows("Your session ended", ".notices");
  await write(screen, "Written without a session");
  await screen.click("a", "Log in again");
  await screen.shows("what is unsent goes out after the login");
  await screen.fill("input[name=password]", "secret");
  await screen.keys(Key.ENTER);
  await until("it is sent", () => homeserver.bodies(ROOMS.books).includes("Written without a session"));
  await screen.shows("Harbour walk", ".room-list");
});

test("the keyboard alone does everything", async ({ homeserver }, screen) => {
  await screen.shows("Nine at the lighthouse", ".preview");
  // From the top of the page to the list, and through it.
  const order = [];
  for (let n = 0; n < 12 && !order.at(-1)?.includes("Harbour walk"); n += 1) {
    await screen.keys(Key.TAB);
    order.push(await screen.focused());
    if (order.at(-1) === "Invites") break;
  }
  equal(order, ["New room", "Storage", "Settings", "Search rooms", "All", "Unread", "People", "Favourites", "Invites"]);
  await screen.keys(Key.TAB);
  const firstRoom = await screen.focused();
  await screen.keys(Key.ARROW_DOWN);
  ok((await screen.focused()) !== firstRoom, "an arrow goes to the next room");
  await screen.keys(Key.HOME);
  equal(await screen.focused(), firstRoom);
  for (let n = 0; n < 6 && !(await screen.focused()).includes("Harbour walk"); n += 1)
    await screen.keys(Key.ARROW_DOWN);
  await screen.keys(Key.ENTER);
  await screen.shows("Nine at the lighthouse", ".message");
  await screen.until("the composer has the focus", "return document.activeElement.id === 'composer'");

  // Into the messages and back.
  await screen.keys("By keys", Key.ENTER);
  await screen.shows("By keys", ".message");
  await until("the server has it", () => homeserver.bodies(ROOMS.walk).includes("By keys"));
  await screen.until("it is there", `return document.querySelector('${ITEM("By keys")}')?.dataset.state === "there"`);
  await screen.keys(Key.ARROW_UP);
  await screen.until("a message has the focus", `return document.activeElement.ariaLabel?.includes("By keys")`);
  await screen.keys(Key.ARROW_UP);
  await screen.until("the one before has it", `return document.activeElement.ariaLabel?.includes("Nine at")`);
  await screen.keys(Key.ENTER);
  await screen.until("its first button has it", `return document.activeElement.className === "quote"`);
  await screen.keys(Key.TAB, Key.ENTER);
  await screen.until("a reaction may be chosen", `return document.activeElement.ariaLabel?.startsWith("React with")`);
  await screen.keys(Key.ENTER);
  await screen.shows("👍", `${ITEM("Nine at")} .reactions`);
  await screen.until("the focus is back", `return document.activeElement.ariaLabel?.includes("Nine at")`);

  // An edit, a dialog, and Escape.
  await screen.keys(Key.ARROW_DOWN);
  await screen.until("the own one has it", `return document.activeElement.ariaLabel?.includes("By keys")`);
  await screen.keys(Key.TAB, Key.TAB, Key.TAB);
  equal(await screen.focused(), "Edit");
  await screen.keys(Key.ENTER);
  await screen.until("one may edit", `return document.activeElement.ariaLabel === "Edit the message"`);
  await screen.keys(" alone", Key.ENTER);
  await screen.shows("By keys alone", ".message");
  await screen.until("the focus is back", `return document.activeElement.ariaLabel?.includes("By keys")`);
  await screen.keys(Key.TAB, Key.TAB, Key.TAB, Key.TAB);
  equal(await screen.focused(), "Delete");
  await screen.keys(Key.ENTER);
  await screen.shows("Delete this message", "dialog");
  await screen.keys(Key.ESCAPE);
  await screen.until("the dialog is gone", "return document.querySelector('dialog') === null");
  equal(await screen.focused(), "Delete");
  await screen.keys(Key.ESCAPE);
  await screen.until("Escape goes to the message", `return document.activeElement.ariaLabel?.includes("By keys")`);
  await screen.keys(Key.ESCAPE);
  await screen.until("and then to the composer", "return document.activeElement.id === 'composer'");

  // Far up: what has the focus stays.
  await screen.keys(Key.ARROW_UP, Key.HOME);
  await screen.until("the first that is loaded has it", `return Number(document.activeElement.ariaPosInSet) > 0`);
  await screen.js(`document.querySelector(".scroller").scrollTop = 1e6`);
  await new Promise((done) => setTimeout(done, 300));
  ok(await screen.js(`return document.activeElement.dataset.id !== undefined`), "the focus is kept out of sight");
});

test("right-to-left rooms read from the right", async (_, screen) => {
  await screen.open("العائلة");
  await screen.shows("مساء الخير", ".message");
  const look = `const it = document.querySelector(args[0]); return getComputedStyle(it).direction`;
  equal(await screen.js(look, `${ITEM("مساء الخير")} .text`), "rtl");
  equal(await screen.js(look, `${ITEM("Can you bring")} .text`), "rtl");
  equal(await screen.js(look, ".room-page h2"), "rtl");
  equal(await faults(screen), []);
});

const WIDE = `const wide = [...document.querySelectorAll("body *")].filter((it) =>
    it.getBoundingClientRect().right > innerWidth + 1 && !it.closest(".filters") && getComputedStyle(it).position !== "absolute");
  return [document.documentElement.scrollWidth <= innerWidth, wide.map((it) => it.className)];`;

test("a narrow screen, and a page at 200 %: one pane, and nothing is cut", async (_, screen) => {
  await screen.size(...PHONE, { mobile: true });
  await screen.shows("Nine at the lighthouse", ".preview");
  await picture(screen, "app-phone-rooms");
  equal(await screen.js(WIDE), [true, []]);
  await screen.open("Harbour walk");
  await screen.until("the picture is there", "return document.querySelector('.picture img')?.complete === true");
  await picture(screen, "app-phone");
  equal(await screen.js(WIDE), [true, []]);
  equal(await faults(screen), []);
  await screen.click("a.back");
  await screen.shows("Book club", ".room-list");
  // At 200 % a page is half as wide and as high.
  for (const [width, height] of [DESKTOP.map((it) => it / 2), [320, 400]]) {
    await screen.size(width, height, { scale: 2 });
    for (const at of ["#/", `#/room/${encodeURIComponent(ROOMS.walk)}`, "#/storage", "#/settings"]) {
      await screen.js("location.hash = args[0]", at);
      await new Promise((done) => setTimeout(done, 200));
      equal(await screen.js(WIDE), [true, []], `${at} at ${width}`);
    }
  }
});

test("dark, and without motion", async (_, screen) => {
  await screen.media({ "prefers-color-scheme": "dark", "prefers-reduced-motion": "reduce" });
  await screen.open("Harbour walk");
  await screen.until("the picture is there", "return document.querySelector('.picture img')?.complete === true");
  await picture(screen, "app-dark");
  equal(await faults(screen), []);
  const moving = `return [...document.querySelectorAll("*")].filter((it) => {
    const { animationName, transitionDuration } = getComputedStyle(it);
    return animationName !== "none" || parseFloat(transitionDuration) > 0;
  }).length;`;
  equal(await screen.js(moving), 0);
  // The person's choice is stronger than the device's.
  await screen.click("a[href='#/settings']");
  await screen.click("label.check", "Light");
  equal(await screen.js("return getComputedStyle(document.documentElement).colorScheme"), "light");
});

test(
  "the first sync shows how far it is",
  async ({ homeserver, url }, screen) => {
    for (let n = 0; n < 300; n += 1) homeserver.room(`!more${n}:haos.test`, { name: `Room ${n}`, members: ["ada"] });
    await screen.js(`window.seen = []; new MutationObserver(() => {
      const text = document.querySelector(".rooms")?.textContent ?? "";
      if (document.querySelector("progress")) seen.push(text);
      if (text.includes("No room yet")) seen.push("none");
    }).observe(document.body, { subtree: true, childList: true, attributes: true });`);
    await screen.logIn(url);
    await screen.until("the rooms are there", "return document.querySelectorAll('.room').length === 50");
    const seen = await screen.js("return seen");
    ok(
      seen.length > 0 && seen.every((it) => it.includes("Loading")),
      `the progress is shown, and nothing else: ${seen}`,
    );
    await screen.click("button", "More rooms");
    await screen.until("more are there", "return document.querySelectorAll('.room').length > 50");
  },
  { login: false },
);

test(
  "where nothing can be kept, a person is told and may go on",
  async ({ url }, screen) => {
    const source = "Object.defineProperty(window, 'indexedDB', { value: undefined })";
    await screen.tools("Page.addScriptToEvaluateOnNewDocument", { source });
    await screen.reload();
    await screen.shows("The chat does not open", "h1");
    equal(await faults(screen), []);
    await screen.click("button", "Go on without keeping anything");
    await screen.logIn(url);
    await screen.shows("Nothing is kept", ".notices");
    await screen.open("Book club");
    await write(screen, "From memory");
  },
  { login: false },
);

const PICTURES_SEEN = `const all = [...document.querySelectorAll(".message img, .room img")];
  return all.length > 3 && all.every((it) => it.complete && it.naturalWidth > 0)`;

test("without a server a reload shows the rooms, a timeline and its pictures, and one goes on writing", async (stage, screen) => {
  await screen.open("Harbour walk");
  await served(screen);
  await screen.until("the pictures are there", PICTURES_SEEN);
  await stage.cut();
  await screen.reload();
  await screen.shows("Offline", ".indicator");
  await screen.shows("Nine at the lighthouse", ".message");
  await screen.shows("Community garden", ".room-list");
  await screen.until("the pictures are there", PICTURES_SEEN);
  ok(
    await screen.js(`return document.querySelector(".picture img").src.includes("/haos/media/")`),
    "the worker gives them",
  );
  await screen.open("Book club");
  await write(screen, "Still here");
  await screen.shows("Offline, 1 unsent", ".indicator");
  await stage.mend();
  await until("it is sent", () => stage.homeserver.bodies(ROOMS.books).includes("Still here"), 30_000);
});

test("an encrypted room is read and written as others are, also offline", async (stage, screen) => {
  const { homeserver } = stage;
  const letters = "!letters:haos.test";
  const { uninstall } = install(homeserver);
  const bob = await openInMemory();
  try {
    await bob.login("https://haos.test", { user: "bob", password: "any" });
    homeserver.room(letters, { name: "Letters", encrypted: true, members: ["ada", "bob"] });
    for (const user of ["ada", "bob"]) {
      await until(`${user} has keys`, () => homeserver.encryptingDevices(user).length > 0, 30_000);
    }
    await bob.send(letters, "For your eyes only");
    const picture = new File([face([46, 120, 190])], "bob.png", { type: "image/png" });
    await bob.sendFile(letters, picture, { width: 96, height: 96 });
    await screen.open("Letters");
    await screen.shows("For your eyes only", ".message");
    await served(screen);
    const shown = `const [it] = document.querySelectorAll(".message .picture img"); return it?.complete && it.naturalWidth > 0`;
    await screen.until("the picture is there", shown);
    await write(screen, "And for yours");
    const hers = bob.timeline(letters);
    await until("bob reads it", () => hers.value?.some(({ content }) => content?.body === "And for yours"), 30_000);
    equal(homeserver.bodies(letters), [], "the server reads nothing");
    equal(await faults(screen), []);
    await stage.cut();
    await screen.reload();
    await screen.shows("Offline", ".indicator");
    await screen.shows("For your eyes only", ".message");
    await screen.until("the picture is there", shown);
    await write(screen, "Still secret");
    await screen.shows("Offline, 1 unsent", ".indicator");
    await stage.mend();
    await until("bob reads that", () => hers.value?.some(({ content }) => content?.body === "Still secret"), 60_000);
    equal(homeserver.bodies(letters), [], "the server reads nothing");
  } finally {
    await bob.close();
    uninstall();
  }
});

test("it can be installed", async (_, screen) => {
  await served(screen);
  const { installabilityErrors } = await screen.tools("Page.getInstallabilityErrors");
  equal(installabilityErrors, []);
  const { errors } = await screen.tools("Page.getAppManifest");
  equal(errors, []);
});

test(
  "a new version is told, is loaded when the person wants it, and what is unsent stays",
  async ({ homeserver, folder }, screen) => {
    await screen.open("Book club");
    await served(screen);
    homeserver.network.offline();
    await write(screen, "Written before the update");
    await appendFile(join(folder, "sw.js"), "\n// 2");
    await screen.js("return navigator.serviceWorker.getRegistration().then((it) => it.update())");
    await screen.shows("A new version is there", ".notices");
    equal(await faults(screen), []);
    await screen.js("window.isOld = true");
    await screen.click(".notices button", "Load it");
    await screen.until(
      "the page is new",
      "return window.isOld === undefined && document.querySelector('.message') !== null",
    );
    await screen.shows("Written before the update", ".message");
    await screen.hides("A new version is there");
    homeserver.network.online();
    const sent = () => homeserver.bodies(ROOMS.books).filter((body) => body === "Written before the update");
    await until("it is sent", () => sent().length > 0, 30_000);
    await new Promise((done) => setTimeout(done, 500));
    equal(sent().length, 1);
  },
  { change: () => {} },
);

test(
  "an engine that does not load is told, with a way to try again",
  async (_, screen) => {
    await screen.shows("The chat does not open", "h1");
    await screen.shows("Try again", "button");
  },
  {
    login: false,
    change: async (folder) => {
      const assets = join(folder, "assets");
      for (const file of await readdir(assets)) if (file.endsWith(".wasm")) await rm(join(assets, file));
    },
  },
);

if (wanted.test("50 messages of two tabs")) {
  add("50 messages of two tabs that were written offline are sent once and in order, after a kill", async () => {
    const profile = await mkdtemp(join(tmpdir(), "haos-profile-"));
    let own = await Browser.start("chromium", { profile });
    const stage = await begin(own);
    try {
      const tabs = [stage.screen, await stage.tab()];
      for (const tab of tabs) await tab.open("Book club");
      stage.homeserver.network.offline();
      const written = Array.from({ length: 50 }, (_, n) => `Note ${n + 1}`);
      for (const [n, tab] of tabs.entries()) {
        const part = written.slice(25 * n, 25 * n + 25);
        await tab.click("#composer");
        for (const text of part) await tab.keys(text, Key.ENTER);
        // What one tab has written is there before the other one goes on.
        for (const it of tabs) await it.shows(`${25 * (n + 1)} unsent`, ".indicator");
      }
      await own.kill();
      stage.homeserver.network.online();
      own = await Browser.start("chromium", { profile });
      await own.first.goto(stage.url);
      const sent = () => stage.homeserver.bodies(ROOMS.books).filter((body) => body.startsWith("Note "));
      await until("all are sent", () => sent().length >= 50, 60_000);
      await new Promise((done) => setTimeout(done, 1000));
      equal(sent(), written);
    } finally {
      await stage.end();
      await own.kill();
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    }
  });
}

const results = await run();
await browser.close();
console.log("TAP version 13");
for (const [index, { name, error }] of results.entries()) {
  console.log(`${error === undefined ? "ok" : "not ok"} ${index + 1} - ${name}`);
  if (error !== undefined) for (const line of error.split("\n")) console.log(`  # ${line}`);
}
console.log(`1..${results.length}`);
process.exitCode = results.some(({ error }) => error !== undefined) || results.length === 0 ? 1 : 0;
