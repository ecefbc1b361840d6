/**
 * An offline-first chat: its interface, its types and its errors. The engine comes from elsewhere: `@haos/web` in
 * browsers, `@haos/testing` in tests.
 *
 * @packageDocumentation
 */

export { createClient, type DraftToKeep, type Haos, type Keep, type NewRoom, type Upload } from "./client.js";
export { applyDiffs } from "./diff.js";
export type { Engine, EngineMedia, StartEngine } from "./engine.js";
export { HaosError } from "./errors.js";
export type { Live, LiveList, WatchOptions } from "./live.js";
export { MEDIA_PATH, mediaUrl, type MediaUrlOptions } from "./media-url.js";
export type { LiveRooms, RoomsOptions } from "./rooms.js";
export type { LiveTimeline, TimelineOptions } from "./timeline.js";
export type * from "./wire.js";
