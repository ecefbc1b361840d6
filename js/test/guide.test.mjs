// Every snippet of the guide and of the packages' READMEs is compiled: `node test/guide.test.mjs`.

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const root = new URL("..", import.meta.url);
const folder = new URL("packages/react/build/guide/", root);

const guides = { guide: new URL("../docs/typescript.md", root), pwa: new URL("../docs/pwa.md", root) };
const pages = { ...guides, readme: new URL("../README.md", root) };
for (const name of await readdir(new URL("packages", root))) {
  const readme = new URL(`packages/${name}/README.md`, root);
  if (existsSync(readme)) pages[name] = readme;
}

await rm(folder, { recursive: true, force: true });
await mkdir(folder, { recursive: true });
let count = 0;
for (const [name, page] of Object.entries(pages)) {
  const text = await readFile(page, "utf8");
  const snippets = [...text.matchAll(/^```(tsx?)\n(.*?)^```$/gms)];
  if (snippets.length === 0) throw new Error(`${fileURLToPath(page)} has no snippet: has its form changed?`);
  for (const [, kind, code] of snippets) {
    count += 1;
    // A module each, whatever it exports.
    await writeFile(new URL(`${name}${count}.${kind}`, folder), `${code}\nexport {};\n`);
  }
}
const options = {
  target: "ES2022",
  module: "NodeNext",
  moduleResolution: "NodeNext",
  lib: ["ES2023", "DOM", "DOM.Iterable", "DOM.AsyncIterable"],
  jsx: "react-jsx",
  strict: true,
  skipLibCheck: true,
  noEmit: true,
  types: ["react"],
};
await writeFile(new URL("package.json", folder), '{ "type": "module" }\n');
await writeFile(new URL("tsconfig.json", folder), JSON.stringify({ compilerOptions: options, include: ["*"] }));
try {
  const tsc = fileURLToPath(new URL("node_modules/typescript/bin/tsc", root));
  execFileSync(process.execPath, [tsc, "-p", fileURLToPath(folder)], { stdio: "inherit" });
  console.log(`ok 1 - ${count} snippets compile`);
} catch {
  console.log(`not ok 1 - a snippet does not compile: its errors are above, it is in ${fileURLToPath(folder)}`);
  process.exitCode = 1;
}
