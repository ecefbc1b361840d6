import type { MediaUri } from "./wire.js";

/** What an address of media names beside the uri. */
export interface MediaUrlOptions {
  /** The width of a thumbnail, in pixels. */
  readonly width?: number | undefined;
  /** The height of a thumbnail, in pixels. */
  readonly height?: number | undefined;
  /** True to fill the size and cut what is over. */
  readonly crop?: boolean | undefined;
  /** The name under which it is saved instead of being shown. */
  readonly download?: string | undefined;
}

/** Under which path the service worker of `@haos/web/sw` answers. */
export const MEDIA_PATH = "/haos/media/";

/** What stands for the server in an address of a file that waits for its upload. */
const LOCAL = "haos-local";

/**
 * The address of media for `<img>`, `<video>` and `<audio>`, in a page that a service worker of `@haos/web/sw` serves.
 *
 * ```ts
 * mediaUrl("mxc://example.org/ada", { width: 96, height: 96, crop: true });
 * // "/haos/media/example.org/ada?width=96&height=96&method=crop"
 * ```
 */
export function mediaUrl(uri: MediaUri, options: MediaUrlOptions = {}): string {
  const [, server = LOCAL, id = uri.replace(/^[^:]*:/, "")] = /^mxc:\/\/([^/]*)\/(.*)$/s.exec(uri) ?? [];
  const query = new URLSearchParams();
  const { width, height, crop, download } = options;
  if (width !== undefined && height !== undefined) {
    query.set("width", String(width));
    query.set("height", String(height));
    query.set("method", crop === true ? "crop" : "scale");
  }
  if (download !== undefined) query.set("download", download);
  const text = query.size === 0 ? "" : `?${query}`;
  return `${MEDIA_PATH}${encodeURIComponent(server)}/${encodeURIComponent(id)}${text}`;
}
