// Tests within a page: a module collects them, and exports `run`.

/**
 * A list of tests, and what runs them one after the other.
 *
 * @example
 * const { test, run } = suite();
 * test('adds', () => equal(1 + 1, 2));
 * export { run };
 */
export function suite() {
  const tests = [];
  return {
    /** Adds a test, which may be async; it fails if it throws. It is given what `run` is. A text that it returns says why it was
     * skipped. */
    test(name, body) {
      tests.push({ name, body });
    },
    /** Runs all of them. */
    async run(...args) {
      const results = [];
      for (const { name, body } of tests) {
        try {
          const skip = await limited(body(...args));
          results.push(typeof skip === "string" ? { name, skip } : { name });
        } catch (error) {
          results.push({ name, error: `${error}\n${error?.stack ?? ""}`.trim() });
        }
      }
      return results;
    },
  };
}

/** Fails unless two values are the same as JSON. */
export function equal(actual, expected, what = "") {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (a !== b) throw new Error(`${what && `${what}: `}${a} is not ${b}`);
}

/** Fails unless a value is true. */
export function ok(value, what = "the value is not true") {
  if (!value) throw new Error(what);
}

/** Waits until something is so, and returns it; fails after `ms`. */
export async function until(what, look, ms = 10_000) {
  const end = Date.now() + ms;
  for (;;) {
    const value = await look();
    if (value) return value;
    if (Date.now() > end) throw new Error(`Waited ${ms} ms until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** How long a test may take, in milliseconds. */
const TEST_MS = 120_000;

/** Fails what does not end. */
function limited(running) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`It takes longer than ${TEST_MS} ms`)), TEST_MS);
  });
  return Promise.race([running, late]).finally(() => clearTimeout(timer));
}
