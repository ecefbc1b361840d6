// The application of `app.mjs` as a bundler leaves it: a folder with a shell, a worker and a list of what it is made of.

import { createHash } from "node:crypto";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

const js = fileURLToPath(new URL("../..", import.meta.url));

/** An application's folder. */
export class Site {
  /** @private */
  constructor(folder) {
    this.folder = folder;
  }

  static async make() {
    const site = new Site(await mkdtemp(join(tmpdir(), "haos-sw-")));
    for (const name of ["client", "web"]) {
      await cp(join(js, `packages/${name}/dist`), join(site.folder, `packages/${name}`), { recursive: true });
    }
    return site;
  }

  remove() {
    return rm(this.folder, { recursive: true, force: true });
  }

  /** Writes a file of it. */
  async write(path, text) {
    const file = join(this.folder, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }

  /**
   * Writes the application with its worker.
   *
   * @param {{version?: string, secret?: string, handed?: string}} app
   */
  async app({ version = "1", ...rest } = {}) {
    const name = "chat";
    const about = JSON.stringify({ name, version, script: "/sw.js", ...rest });
    const map = {
      "@haos/client": "client/index.js",
      "@haos/web": "web/index.js",
      "@haos/web/register": "web/register.js",
    };
    const imports = Object.fromEntries(Object.entries(map).map(([from, to]) => [from, `/packages/${to}`]));
    await this.write(
      "index.html",
      `<!doctype html><meta charset="utf-8"><title>shell ${version}</title><link rel="icon" href="data:,">
       <script type="importmap">${JSON.stringify({ imports })}</script>
       <script type="application/json" id="about">${about}</script>
       <script type="module" src="/app.mjs"></script>`,
    );
    await this.write("offline.html", "<!doctype html><title>offline</title>");
    await this.write("app.mjs", await readFile(new URL("app.mjs", import.meta.url)));
    const files = ["/index.html", "/offline.html", "/app.mjs"];
    for (const entry of await readdir(join(this.folder, "packages"), { recursive: true })) {
      if (/\.(js|wasm)$/.test(entry)) files.push(`/packages/${entry}`);
    }
    const precache = await Promise.all(files.map(async (url) => ({ url, revision: await this.#revision(url) })));
    await this.write("sw.js", await worker({ name, precache, shell: "/index.html", offline: "/offline.html" }));
  }

  async #revision(url) {
    return createHash("md5")
      .update(await readFile(join(this.folder, url)))
      .digest("hex");
  }
}

/** A worker's script, as an application's bundler makes it. */
export async function worker(options) {
  const contents = `import { serve } from "@haos/web/sw";
    serve({ ...${JSON.stringify(options)}, except: [/^\\/admin\\//] });`;
  const made = await build({
    stdin: { contents, resolveDir: js },
    bundle: true,
    minify: true,
    format: "iife",
    target: "es2022",
    define: { "process.env.NODE_ENV": '"production"' },
    write: false,
    logLevel: "warning",
  });
  return made.outputFiles[0].text;
}
