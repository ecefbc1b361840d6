import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import { build } from "esbuild";

const BUDGET_BYTES = 3 * 1024;
const entry = fileURLToPath(new URL("../dist/index.js", import.meta.url));

async function bundled(external) {
  const { outputFiles, metafile } = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    external,
    metafile: true,
    write: false,
    logLevel: "error",
  });
  return { bytes: gzipSync(outputFiles[0].contents, { level: 9 }).length, inputs: Object.keys(metafile.inputs) };
}

test("all hooks together are within the budget", async (t) => {
  const { bytes } = await bundled(["react"]);
  t.diagnostic(`${bytes} bytes of ${BUDGET_BYTES}, minified and compressed`);
  assert.ok(bytes <= BUDGET_BYTES, `${bytes} bytes are more than ${BUDGET_BYTES}: see what came in`);
});

test("nothing but React is loaded: of the client there are types alone", async () => {
  const { inputs } = await bundled(["react"]);
  assert.deepEqual(
    inputs.filter((input) => !input.includes("dist/") || input.includes("client")),
    [],
  );
});

test("the built file says first that it is for clients", () => {
  assert.match(readFileSync(entry, "utf8"), /^"use client";/);
});
