import { createClient, type Engine, type EngineMedia, type Haos } from "@haos/client";

/**
 * Opens a chat of the memory alone, over the same engine as in production, in browsers and in node: what is written is
 * gone when it is closed. Install a {@link Homeserver} first, and log in.
 *
 * @example
 * ```ts
 * const server = new Homeserver();
 * const { uninstall } = install(server);
 * const chat = await openInMemory();
 * await chat.login('https://haos.test', { user: 'ada', password: 'any' });
 * ```
 */
export async function openInMemory(options: { readonly held?: boolean } = {}): Promise<Haos> {
  const { default: init, Port } = await import("./engine/haos_client_web.js");
  loaded ??= init(await module());
  await loaded;
  return createClient(async (): Promise<Engine> => {
    const opening = { url: "memory:", held: options.held ?? false };
    // It is loaded whole; keys are used from the first encrypted room on, as in production.
    const port = await Port.open(JSON.stringify(opening), undefined, () => Promise.resolve());
    return {
      call: (call) => port.call(call),
      sendFile: (room, facts, file) => port.sendFile(room, facts, file),
      async media(wanted): Promise<EngineMedia> {
        const item = await port.media(wanted);
        return { mime: item.mime, size: item.size, bytes: item.takeBytes() };
      },
      close: () => port.close(),
    };
  });
}

let loaded: Promise<unknown> | undefined;

/** What the engine is made of: a file in node, and what it fetches by itself elsewhere. */
async function module(): Promise<{ module_or_path: BufferSource } | undefined> {
  // Tests of components have a window in node, too; a page that is bundled may have a `process`.
  const { process } = globalThis as { process?: { versions?: { node?: string } } };
  if (process?.versions?.node === undefined) return undefined;
  // By a name that bundlers do not follow.
  const name = "node:fs/promises";
  const { readFile } = (await import(/* @vite-ignore */ /* webpackIgnore: true */ name)) as {
    readFile(file: URL): Promise<BufferSource>;
  };
  return { module_or_path: await readFile(new URL("./engine/haos_client_web_bg.wasm", import.meta.url)) };
}
