// Pages over matrix-js-sdk, a bundle for each version, and the captured syncs beside them.

import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";
import { decompress } from "fzstd";

const root = fileURLToPath(new URL("..", import.meta.url));
const VERSIONS = { sdk32: { "matrix-js-sdk": "matrix-js-sdk32" }, sdk43: {} };
const CAPTURED = ["incremental_syncs.jsonl", "initial_sync_unlimited.json"];

/** Nothing here is encrypted: what does it need not be loaded. */
const withoutCrypto = {
  name: "without crypto",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^@matrix-org\/matrix-sdk-crypto-wasm/ }, () => ({ path: "none", namespace: "none" }));
    onLoad({ filter: /.*/, namespace: "none" }, () => ({ contents: "module.exports = {};", loader: "js" }));
  },
};

/** Makes the bundles of a page; the caller removes the folder in the end. */
export async function bundles(page) {
  const folder = await mkdtemp(join(tmpdir(), "haos-sdk-"));
  for (const [version, alias] of Object.entries(VERSIONS)) {
    await build({
      entryPoints: [join(root, page)],
      outfile: join(folder, `${version}.js`),
      alias,
      bundle: true,
      format: "esm",
      target: "es2022",
      platform: "browser",
      external: ["@haos/client", "@haos/web", "/test/suite.mjs"],
      plugins: [withoutCrypto],
      define: { global: "globalThis", "process.env.NODE_ENV": '"production"' },
      logLevel: "error",
    });
  }
  for (const name of CAPTURED) {
    const packed = await readFile(new URL(`../../fixtures/matrix/big/${name}.zst`, import.meta.url));
    await writeFile(join(folder, name), decompress(packed));
  }
  return { folder, versions: Object.keys(VERSIONS) };
}
