import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";

import type { Homeserver } from "./homeserver.js";

/** What is served. */
export interface ServeOptions {
  /** Answers what begins with `/_matrix/` or `/.well-known/matrix/`. */
  readonly homeserver?: Homeserver;
  /** Folders by the path under which their files are, such as `{ '/': 'dist' }`. The longest path counts. */
  readonly folders?: Readonly<Record<string, string>>;
  /** Default: one that is free. */
  readonly port?: number;
  /** Headers of every file. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A server on the loopback. */
export interface Served {
  /** Its origin, such as `http://127.0.0.1:4711`. */
  readonly url: string;
  /** Ends it and every connection. */
  close(): Promise<void>;
}

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".ico": "image/x-icon",
  ".jpg": "image/jpeg",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".map": "application/json",
  ".mjs": "text/javascript; charset=utf-8",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".wasm": "application/wasm",
  ".webmanifest": "application/manifest+json",
  ".woff2": "font/woff2",
};

/** Serves a model homeserver and static files over HTTP, on the loopback. */
export async function serve({ homeserver, folders = {}, port = 0, headers = {} }: ServeOptions): Promise<Served> {
  const server = createServer((incoming, outgoing) => {
    const url = new URL(incoming.url ?? "/", `http://${incoming.headers.host ?? "127.0.0.1"}`);
    const isMatrix = /^\/(_matrix|\.well-known\/matrix)\//.test(url.pathname);
    const done =
      homeserver !== undefined && isMatrix
        ? relay(homeserver, url, incoming, outgoing)
        : sendFile(folders, url.pathname, headers, outgoing);
    // A network that fails is a connection that ends.
    done.catch(() => outgoing.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const { port: given } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${given}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function relay(
  homeserver: Homeserver,
  url: URL,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const life = new AbortController();
  outgoing.once("close", () => life.abort());
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const method = incoming.method ?? "GET";
  const request = new Request(url, {
    method,
    headers: Object.entries(incoming.headers).flatMap(([name, value]) =>
      typeof value === "string" && name !== "connection" ? [[name, value] as [string, string]] : [],
    ),
    body: method === "GET" || method === "HEAD" ? null : Buffer.concat(chunks),
    signal: life.signal,
  });
  const response = await homeserver.handle(request);
  const body = Buffer.from(await response.arrayBuffer());
  outgoing.writeHead(response.status, Object.fromEntries(response.headers)).end(body);
}

async function sendFile(
  folders: Readonly<Record<string, string>>,
  pathname: string,
  headers: Readonly<Record<string, string>>,
  outgoing: ServerResponse,
): Promise<void> {
  const file = await find(folders, decodeURIComponent(pathname));
  if (file === undefined) {
    outgoing.writeHead(404, { "Content-Type": "text/plain" }).end(`There is no file ${pathname}`);
    return;
  }
  const type = MEDIA_TYPES[extname(file.path)] ?? "application/octet-stream";
  outgoing.writeHead(200, {
    "Content-Type": type,
    "Content-Length": file.size,
    "Cache-Control": "no-cache",
    ...headers,
  });
  createReadStream(file.path)
    .once("error", () => outgoing.destroy())
    .pipe(outgoing);
}

async function find(
  folders: Readonly<Record<string, string>>,
  path: string,
): Promise<{ path: string; size: number } | undefined> {
  const under = (prefix: string): boolean => path === prefix || path.startsWith(prefix.replace(/\/?$/, "/"));
  const prefix = Object.keys(folders)
    .filter(under)
    .sort((a, b) => b.length - a.length)[0];
  const folder = prefix === undefined ? undefined : folders[prefix];
  if (prefix === undefined || folder === undefined) return undefined;
  // What is normal from the root does not leave the folder.
  const rest = normalize(`/${path.slice(prefix.length)}`);
  for (const candidate of [join(folder, rest), join(folder, rest, "index.html")]) {
    const found = await stat(candidate).catch(() => undefined);
    if (found?.isFile() === true) return { path: candidate, size: found.size };
  }
  return undefined;
}
