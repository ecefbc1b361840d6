export type { NewEvent, ServerEvent } from "./event.js";
export { Homeserver, type HomeserverOptions, type RoomOptions } from "./homeserver.js";
export { install, type InstallOptions } from "./install.js";
export { Network, type Match, type RefuseOptions, type RequestLine } from "./network.js";
export { MemoryHaos, type MemoryHaosOptions } from "./memory/haos.js";
export { MemoryList, MemoryLive } from "./memory/live.js";
export { MemoryTimeline } from "./memory/timeline.js";
