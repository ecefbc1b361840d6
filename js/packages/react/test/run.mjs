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
  const outfile = here(`../build/${version}.test.cjs`);
  await build({
    entryPoints: [here("hooks.test.tsx")],
    outfile,
    alias,
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node20",
    jsx: "automatic",
    external: ["jsdom"],
    define: { "process.env.NODE_ENV": '"development"' },
    logLevel: "warning",
  });
  bundles.push(outfile);
}
const { status } = spawnSync(process.execPath, ["--test", "--test-force-exit", ...bundles, here("size.test.mjs")], { stdio: "inherit" });
process.exitCode = status ?? 1;
