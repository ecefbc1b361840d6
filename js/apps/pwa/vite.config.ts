import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";
import { defineConfig, type Plugin } from "vite";

/** What a page of this application may load: itself, and what its homeserver has. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob:",
  "media-src 'self' blob:",
  "manifest-src 'self'",
  // The person names the homeserver, which may be at home.
  "connect-src 'self' https: http://localhost:* http://127.0.0.1:*",
  "base-uri 'none'",
  "form-action 'self'",
].join("; ");

/** A strict policy in what is built; the development server injects scripts of its own. */
const policy: Plugin = {
  name: "policy",
  apply: "build",
  transformIndexHtml: () => [
    { tag: "meta", attrs: { "http-equiv": "Content-Security-Policy", content: POLICY }, injectTo: "head-prepend" },
  ],
};

/** The service worker, with the list of what was built. */
const worker: Plugin = {
  name: "worker",
  apply: "build",
  async writeBundle({ dir = "" }) {
    const entries = await readdir(dir, { recursive: true, withFileTypes: true });
    const files = entries.filter((it) => it.isFile() && it.name !== "sw.js").map((it) => join(it.parentPath, it.name));
    const listed = files.sort().map(async (file) => {
      const url = file.slice(dir.length).replaceAll("\\", "/");
      // What has a hash in its name needs no other.
      const revision = url.startsWith("/assets/")
        ? null
        : createHash("md5")
            .update(await readFile(file))
            .digest("hex");
      return { url, revision };
    });
    await build({
      entryPoints: [fileURLToPath(new URL("src/sw.ts", import.meta.url))],
      outfile: join(dir, "sw.js"),
      bundle: true,
      minify: true,
      format: "iife",
      target: "es2022",
      define: { PRECACHE: JSON.stringify(await Promise.all(listed)), "process.env.NODE_ENV": '"production"' },
      logLevel: "warning",
    });
  },
};

export default defineConfig({
  // One React, the application's, also for the packages beside it that are tested with another.
  resolve: { dedupe: ["react", "react-dom"] },
  worker: { format: "es" },
  build: { target: "es2022", assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  plugins: [policy, worker],
});
