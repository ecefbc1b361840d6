// What the store kept for its next start, without its module.

import { early } from "/store/early.js";

export async function open(name) {
  const close = early(name);
  return { newest: async () => (await close.kept).content, close };
}
