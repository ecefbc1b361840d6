// The engine in a dedicated worker: it answers the page that made it.

import type { Engine } from "@haos/client";

import { startHere } from "./here.js";
import { type Answer, failureOf, type Request } from "./port.js";

interface Scope {
  onmessage: ((event: MessageEvent<Request>) => void) | null;
  postMessage(answer: Answer, transfer: Transferable[]): void;
}

const scope = globalThis as unknown as Scope;
let engine: Engine | undefined;

scope.onmessage = ({ data }) => {
  answer(data).then(
    ([ok, transfer]) => scope.postMessage({ id: data.id, ok }, transfer ?? []),
    (thrown: unknown) => scope.postMessage({ id: data.id, failure: failureOf(thrown) }, []),
  );
};

async function answer(request: Request): Promise<[unknown, Transferable[]?]> {
  if ("open" in request) {
    await live(request.life);
    engine = await startHere(request.open, request.files);
    return [null];
  }
  if (engine === undefined) throw new Error("the engine is not open: it is opened first");
  if ("call" in request) return [await engine.call(request.call)];
  if ("sendFile" in request) return [await engine.sendFile(...request.sendFile)];
  if ("media" in request) {
    const media = await engine.media(request.media);
    return [media, [media.bytes.buffer]];
  }
  return [await engine.close()];
}

/** Holds a lock for life, so that the page sees it when this worker is gone. */
function live(name: string): Promise<void> {
  return new Promise((done) => {
    if (navigator.locks === undefined) return done();
    void navigator.locks.request(name, () => {
      done();
      return new Promise<never>(() => {});
    });
  });
}
