export type { NewEvent, ServerEvent } from "./event.js";
export { Homeserver, type HomeserverOptions, type RoomOptions } from "./homeserver.js";
export { install, type InstallOptions } from "./install.js";
export { openInMemory } from "./memory.js";
export { Network, type Match, type RefuseOptions, type RequestLine } from "./network.js";
