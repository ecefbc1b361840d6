import { HaosError } from "./errors.js";
import type { Diff } from "./wire.js";

/**
 * Takes steps on a list, and returns the list that comes out; the one that is given stays as it is. A list that applies
 * every step is the list as the engine has it.
 *
 * @throws {@link HaosError} `invalid` for a step that does not fit the list: it was made for another one.
 */
export function applyDiffs<T>(list: readonly T[], steps: readonly Diff<T>[]): T[] {
  let next = [...list];
  const within = (index: number, end: number) => {
    if (!(index >= 0 && index < end)) {
      const message = `this step does not fit the list, which has ${next.length} items: subscribe again`;
      throw new HaosError({ code: "invalid", message });
    }
  };
  for (const step of steps) {
    switch (step.type) {
      case "reset":
        next = [...step.items];
        break;
      case "insert":
        within(step.index, next.length + 1);
        next.splice(step.index, 0, step.item);
        break;
      case "set":
        within(step.index, next.length);
        next[step.index] = step.item;
        break;
      case "remove":
        within(step.index, next.length);
        next.splice(step.index, 1);
        break;
      case "move":
        within(Math.max(step.from, step.to), next.length);
        next.splice(step.to, 0, ...next.splice(step.from, 1));
        break;
      case "truncate":
        within(step.len, next.length + 1);
        next.length = step.len;
        break;
    }
  }
  return next;
}
