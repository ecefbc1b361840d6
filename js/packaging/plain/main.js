// The same screen as the other applications have, without React and without a bundler.

import { open } from "@haos/web";

/** @import { Haos } from "@haos/client" */

/** @template {Element} T @param {string} selector @param {new () => T} type @returns {T} */
function find(selector, type) {
  const found = document.querySelector(selector);
  if (!(found instanceof type)) throw new Error(`The page has no ${selector}`);
  return found;
}

const [toggle, composer] = [find("#toggle", HTMLButtonElement), find("#composer", HTMLFormElement)];
const [text, form] = [find("#text", HTMLInputElement), find("#login", HTMLFormElement)];
const [timeline, unsent] = [find("#timeline", HTMLOListElement), find("#unsent", HTMLElement)];

/** @param {unknown} thrown */
const fail = (thrown) => (find("[role=alert]", HTMLElement).textContent = String(thrown));

/** @param {Haos} chat */
async function logIn(chat) {
  const account = await chat.account();
  if (account?.isLoggedIn) return;
  const query = new URLSearchParams(location.search);
  const given = query.has("server") ? query : await submitted();
  const [server, user, password] = ["server", "user", "password"].map((name) => String(given.get(name) ?? ""));
  await chat.login(server ?? "", { user: user ?? "", password: password ?? "" });
}

/** @returns {Promise<FormData>} */
function submitted() {
  form.hidden = false;
  return new Promise((done) => {
    form.onsubmit = (event) => {
      event.preventDefault();
      form.hidden = true;
      done(new FormData(form));
    };
  });
}

/** @param {Haos} chat */
async function show(chat) {
  const connection = chat.connection();
  connection.subscribe(() => (find("#connection", HTMLElement).textContent = connection.value?.state ?? ""));
  const outbox = chat.outbox();
  outbox.subscribe(() => (unsent.textContent = String(outbox.value?.length ?? "")));
  await logIn(chat);
  const room = await firstRoom(chat);
  if (room === undefined) return;
  const draft = await chat.draft(room);
  text.value = draft?.text ?? "";
  composer.onsubmit = (event) => {
    event.preventDefault();
    chat.send(room, text.value).then(() => (text.value = ""), fail);
  };
  for await (const items of chat.timeline(room, { limit: 50 })) {
    const rows = items.flatMap((item) => {
      if ((item.type !== "event" && item.type !== "local") || item.content.type !== "text") return [];
      const row = document.createElement("li");
      row.textContent = item.content.body;
      row.dataset["state"] = item.type === "local" ? "unsent" : "sent";
      return [row];
    });
    timeline.replaceChildren(...rows);
  }
}

/** @param {Haos} chat */
async function firstRoom(chat) {
  for await (const rooms of chat.rooms()) if (rooms[0] !== undefined) return rooms[0].id;
}

/** @type {Promise<Haos> | undefined} */
let opened;

function enter() {
  const query = new URLSearchParams(location.search);
  const thread = query.get("thread") === "here" ? "here" : "worker";
  const engine = query.get("engine");
  const at = (/** @type {string} */ name) => (engine === null ? undefined : new URL(name, engine));
  const files = {
    first: at("haos_client_web_bg.wasm"),
    rest: at("haos_client_web_rest.wasm"),
    keys: at("haos_client_web_keys.wasm"),
  };
  opened = open({ name: "packaging", thread, files });
  opened.then(show).catch((thrown) => {
    // It was left while it was read.
    if (thrown?.code !== "closed") fail(thrown);
  });
}

toggle.onclick = () => {
  if (opened === undefined) {
    enter();
  } else {
    opened.then((chat) => chat.close()).catch(fail);
    opened = undefined;
    timeline.replaceChildren();
  }
  toggle.textContent = opened === undefined ? "Come back" : "Leave";
};
enter();
