// Runs the tests under each major version of React that the package supports.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

const versions = {
  react18: { react: "react18", "react-dom": "react-dom18" },
  react19: {},
};

const bundles = [];
for (const [version, alias] of Object.entries(versions)) {
  for (const suite of ["hooks", "engine"]) {
    const outfile = here(`../build/${suite}.${version}.test.mjs`);
    await build({
      entryPoints: [here(`${suite}.test.tsx`)],
      outfile,
      alias,
      bundle: true,
      platform: "node",
      format: "esm",
      target: "node20",
      jsx: "automatic",
      external: ["jsdom", "@haos/client", "@haos/testing"],
      define: { "process.env.NODE_ENV": '"development"' },
      // What is CommonJS in the bundle asks for node's own modules.
      banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
      logLevel: "warning",
    });
    bundles.push(outfile);
  }
}
const args = ["--test", "--test-force-exit", ...bundles, here("size.test.mjs")];
const { status } = spawnSync(process.execPath, args, { stdio: "inherit" });
process.exitCode = status ?? 1;
