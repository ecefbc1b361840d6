// The packages as they would be published: packed, and looked at by publint and attw.

import { readFile, rename } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { join } from "node:path";

import { publint } from "publint";
import { formatMessage } from "publint/utils";

import { run } from "./shell.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));

export const PACKAGES = ["client", "web", "react", "testing", "matrix-js-sdk-store"];

/** Packs all of them into a folder, as `haos-NAME.tgz`. */
export async function pack(folder) {
  const workspaces = PACKAGES.map((name) => `--workspace=packages/${name}`);
  const told = await run("npm", ["pack", "--json", "--pack-destination", folder, ...workspaces], root);
  const packed = Object.values(JSON.parse(told.slice(told.search(/^[[{]/m))));
  for (const { name, filename } of packed) {
    await rename(join(folder, filename), join(folder, `${name.slice(1).replace("/", "-")}.tgz`));
  }
}

/** Fails if what is packed is not as bundlers, node and TypeScript want it, or lacks what a reader looks for. */
export async function look(folder, name) {
  const path = join(folder, `haos-${name}.tgz`);
  const bytes = await readFile(path);
  const tarball = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  const { messages, pkg } = await publint({ pack: { tarball } });
  if (messages.length > 0) throw new Error(messages.map((message) => formatMessage(message, pkg)).join("\n"));
  await run(join(root, "node_modules/.bin/attw"), [path, "--profile", "esm-only", "--format", "ascii"], root);
  const files = (await run("tar", ["tzf", path], root)).split("\n");
  for (const wanted of ["README.md", "LICENSE-MIT", "LICENSE-APACHE"]) {
    if (!files.includes(`package/${wanted}`)) throw new Error(`It has no ${wanted}`);
  }
  const strays = files.filter((file) => /tsbuildinfo|node_modules|\/test\//.test(file));
  if (strays.length > 0) throw new Error(`It has ${strays.join(", ")}, which is for nobody`);
}
