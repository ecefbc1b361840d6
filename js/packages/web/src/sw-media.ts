// Media by addresses of the page's own origin.

import { type EngineMedia, HaosError, MEDIA_PATH, type MediaWanted } from "@haos/client";

import { failureOf, statusOf } from "./sw-failure.js";
import { type FetchEvent, scope } from "./sw-scope.js";

/** Reads a part of a media item for a page. */
export type Read = (wanted: MediaWanted, clientId: string) => Promise<EngineMedia>;

/** The bytes that are in memory at once: a film goes out in such pieces. */
const PIECE = 1_048_576;
/** The longest side of a thumbnail that may be asked for, in pixels. */
const LONGEST_SIDE = 4096;

/** What a browser shows without running any of it: of the specification's list what is neither markup, style nor script. */
const HARMLESS = new Set([
  ...["image/jpeg", "image/gif", "image/png", "image/apng", "image/webp", "image/avif"],
  ...["video/mp4", "video/webm", "video/ogg", "video/quicktime"],
  ...["audio/mp4", "audio/webm", "audio/aac", "audio/mpeg", "audio/ogg", "audio/wave", "audio/wav", "audio/x-wav"],
  ...["audio/x-pn-wav", "audio/flac", "audio/x-flac", "text/plain"],
]);

/** Of every answer: nothing keeps a copy but the store, and nothing of it runs or is read by another origin. */
const HEADERS = {
  "Cache-Control": "no-store",
  "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
};

/** Answers the request of a page for media. */
export async function answerMedia(event: FetchEvent, read: Read): Promise<Response> {
  try {
    return await answer(event, read);
  } catch (thrown) {
    const { code, message } = failureOf(thrown);
    return refusal(statusOf(code), message);
  }
}

async function answer({ request, clientId }: FetchEvent, read: Read): Promise<Response> {
  if (!isOwn(request)) return refusal(403, "media is for the pages of the application");
  if (request.method !== "GET" && request.method !== "HEAD") return refusal(405, "media is read alone");
  const url = new URL(request.url);
  const wanted = wantedOf(url);
  const part = (start: number, end: number): Promise<EngineMedia> => read({ ...wanted, start, end }, clientId);

  // Nothing here has a validator that an `If-Range` could name.
  const range = request.headers.has("If-Range") ? undefined : rangeOf(request.headers.get("Range"));
  const isHead = request.method === "HEAD";
  const end = range?.end ?? Infinity;
  let item = isHead || range?.last !== undefined ? await part(0, 0) : undefined;
  const start = range?.last === undefined ? (range?.start ?? 0) : Math.max(0, (item?.size ?? 0) - range.last);
  if (item === undefined || !isHead) item = await part(start, Math.min(end, start + PIECE));

  const { size, mime, bytes } = item;
  if (range !== undefined && start >= size) {
    return refusal(416, "the file has not so many bytes", { "Content-Range": `bytes */${size}` });
  }
  const until = Math.min(end, size);
  const headers = {
    ...HEADERS,
    ...typeOf(mime, url.searchParams.get("download")),
    "Accept-Ranges": "bytes",
    "Content-Length": String(until - start),
    ...(range === undefined ? {} : { "Content-Range": `bytes ${start}-${until - 1}/${size}` }),
  };
  const body = isHead ? null : bodyOf(bytes, start, until, size, part);
  return new Response(body, { status: range === undefined ? 200 : 206, headers });
}

/**
 * Tells if a page of the application asks. A worker hears only the pages of its origin, but for addresses that are opened:
 * those may come from anywhere, and are told by their referrer.
 */
function isOwn({ headers, mode, referrer }: Request): boolean {
  const site = headers.get("Sec-Fetch-Site");
  if (site !== null && site !== "same-origin") return false;
  return mode !== "navigate" || referrer.startsWith(`${scope.location.origin}/`);
}

/** What an address names. */
function wantedOf({ pathname, searchParams }: URL): MediaWanted {
  const parts = pathname.slice(MEDIA_PATH.length).split("/");
  const [server = "", id = ""] = parts.map((part) => decoded(part));
  if (parts.length !== 2 || server === "" || id === "") throw invalid("an address of media names a server and an id");
  const uri = server === "haos-local" ? `haos-local:${id}` : `mxc://${server}/${id}`;
  const [width, height] = [side(searchParams.get("width")), side(searchParams.get("height"))];
  if ((width === undefined) !== (height === undefined)) throw invalid("a thumbnail has a width and a height");
  if (width === undefined || height === undefined) return { uri };
  return { uri, width, height, crop: searchParams.get("method") === "crop" };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw invalid("an address of media is encoded as mediaUrl does it");
  }
}

function side(text: string | null): number | undefined {
  if (text === null) return undefined;
  const pixels = Number(text);
  if (!/^\d+$/.test(text) || pixels < 1 || pixels > LONGEST_SIDE) {
    throw invalid(`a side of a thumbnail has 1 to ${LONGEST_SIDE} pixels`);
  }
  return pixels;
}

const invalid = (message: string) => new HaosError({ code: "invalid", message });

/** One range of bytes: from `start` to before `end`, or the `last` so many. */
interface Range {
  readonly start: number;
  readonly end?: number;
  readonly last?: number;
}

/** No file has so many bytes, and numbers are exact up to here. */
const MOST = 2 ** 52;

/** Reads a `Range`. What is none, or several, counts as absent: all is answered then. */
export function rangeOf(header: string | null): Range | undefined {
  const [, from = "", to = ""] = /^bytes=\s*(\d*)\s*-\s*(\d*)\s*$/i.exec(header ?? "") ?? [];
  const number = (text: string) => Math.min(Number(text), MOST);
  if (from === "") return to === "" ? undefined : { start: 0, last: number(to) };
  if (to === "") return { start: number(from) };
  return Number(to) < Number(from) ? undefined : { start: number(from), end: number(to) + 1 };
}

/** The headers that say what it is. Only what is harmless has its type, and is shown. */
function typeOf(mime: string | undefined, name: string | null): Record<string, string> {
  const type = (mime ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
  const isHarmless = HARMLESS.has(type);
  const shown = !isHarmless ? "application/octet-stream" : type === "text/plain" ? "text/plain; charset=utf-8" : type;
  const isSaved = name !== null || !isHarmless;
  // Of the characters that stay as they are there, these have a meaning here.
  const safe = encodeURIComponent(name ?? "").replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16)}`);
  const how = `${isSaved ? "attachment" : "inline"}${name ? `; filename*=UTF-8''${safe}` : ""}`;
  return { "Content-Type": shown, "Content-Disposition": how };
}

/** The bytes from `start` to `end`: the first of them are read, the others when they are wanted. */
function bodyOf(
  first: Uint8Array<ArrayBuffer>,
  start: number,
  end: number,
  size: number,
  part: (start: number, end: number) => Promise<EngineMedia>,
): BodyInit {
  if (start + first.length >= end) return first;
  let at = start + first.length;
  return new ReadableStream<Uint8Array>(
    {
      start: (stream) => stream.enqueue(first),
      async pull(stream) {
        const { bytes, size: now } = await part(at, Math.min(end, at + PIECE));
        // It was evicted and fetched again, as another file.
        if (now !== size || bytes.length === 0) throw invalid("the file changed while it was read");
        stream.enqueue(bytes);
        at += bytes.length;
        if (at >= end) stream.close();
      },
    },
    { highWaterMark: 0 },
  );
}

function refusal(status: number, message: string, headers: Record<string, string> = {}): Response {
  return new Response(message, {
    status,
    headers: { ...HEADERS, "Content-Type": "text/plain; charset=utf-8", ...headers },
  });
}
