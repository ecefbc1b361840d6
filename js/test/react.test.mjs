// The hooks in real browsers, under each major version of React: `node test/react.test.mjs`.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

import { Homeserver } from "@haos/testing";
import { serve } from "@haos/testing/node";

import { control } from "./control.mjs";
import { runPages } from "./run.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = await mkdtemp(join(tmpdir(), "haos-react-"));
const versions = { react18: { react: "react18", "react-dom": "react-dom18" }, react19: {} };
for (const [version, alias] of Object.entries(versions)) {
  await build({
    entryPoints: [join(root, "test/pages/react.tsx")],
    outfile: join(folder, `${version}.js`),
    alias,
    bundle: true,
    format: "esm",
    target: "es2022",
    jsx: "automatic",
    external: ["@haos/client", "@haos/web", "/test/suite.mjs"],
    define: { "process.env.NODE_ENV": '"development"' },
    logLevel: "warning",
  });
}
const homeserver = new Homeserver();
const servers = [
  await serve({ homeserver }),
  await control(homeserver),
  await serve({ folders: { "/": root, "/bundles": folder } }),
];
try {
  const [matrix, controls, site] = servers.map(({ url }) => url);
  const modules = Object.keys(versions).map((version) => `/bundles/${version}.js`);
  const failed = await runPages({ url: `${site}/test/pages/blank.html`, modules, args: [matrix, controls] });
  process.exitCode = failed === 0 ? 0 : 1;
} finally {
  await Promise.all(servers.map((server) => server.close()));
  await rm(folder, { recursive: true });
}
