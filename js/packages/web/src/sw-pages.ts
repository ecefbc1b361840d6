// The engines of the pages: they are open where a picture is shown, and have the secret of a sealed store.

import { HaosError } from "@haos/client";

import { type Client, scope } from "./sw-scope.js";
import type { Answer, Asked, Told } from "./sw-talk.js";

/** How long a page may take to say that it takes the work, in milliseconds: one that is frozen never does. */
const TAKEN_MS = 150;
/** How long one that did not is left alone, in milliseconds. */
const SILENT_MS = 5000;
/** How often it is looked whether the page that took it is still there, in milliseconds. */
const LOOK_MS = 2000;

/** The pages by their ids, as far as they were asked for: browsers take their time to tell. */
let known = new Map<string, Client>();
/** Until when pages are left alone, by their ids. */
const silent = new Map<string, number>();

/** Asks the pages, that of the request first. Undefined if none of them takes it; rejects with what the page could not do. */
export async function askPages(asked: Asked, clientId = ""): Promise<Answer | undefined> {
  const page = known.get(clientId);
  return (page && (await askOne(page, asked))) ?? askAll(asked, clientId);
}

async function askAll(asked: Asked, clientId: string): Promise<Answer | undefined> {
  const pages = [...(await scope.clients.matchAll({ type: "window" }))];
  known = new Map(pages.map((page) => [page.id, page]));
  pages.sort((a, b) => Number(b.id === clientId) - Number(a.id === clientId));
  for (const page of pages) {
    const answer = await askOne(page, asked);
    if (answer !== undefined) return answer;
  }
  return undefined;
}

async function askOne(page: Client, asked: Asked): Promise<Answer | undefined> {
  if ((silent.get(page.id) ?? 0) > Date.now()) return undefined;
  silent.delete(page.id);
  const answer = await ask(page, asked);
  if (answer === undefined) silent.set(page.id, Date.now() + SILENT_MS);
  return answer;
}

function ask(page: Client, asked: Asked): Promise<Answer | undefined> {
  return new Promise((resolve, reject) => {
    const { port1, port2 } = new MessageChannel();
    let look: ReturnType<typeof setInterval> | undefined;
    const over = () => {
      clearTimeout(late);
      clearInterval(look);
      port1.close();
    };
    const give = (answer?: Answer) => {
      over();
      resolve(answer);
    };
    const late = setTimeout(give, TAKEN_MS);
    port1.onmessage = ({ data }: MessageEvent<Told>) => {
      if ("isTaken" in data) {
        clearTimeout(late);
        look = setInterval(() => void scope.clients.get(page.id).then((it) => it ?? give()), LOOK_MS);
      } else if ("failure" in data) {
        over();
        reject(new HaosError(data.failure));
      } else {
        give(data);
      }
    };
    page.postMessage(asked, [port2]);
  });
}
