// The same store, every row sealed with AES-256-GCM under a key that is given.

import { opened } from "./haos.js";

export { grown, remove } from "./haos.js";

export const open = (name) => opened(name, true);
