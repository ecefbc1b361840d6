// Puts the texts of the licences into a package before it is packed, and takes them away after that with `--remove`.

import { copyFile, rm } from "node:fs/promises";
import { join } from "node:path";

const root = new URL("../../", import.meta.url);
for (const name of ["LICENSE-MIT", "LICENSE-APACHE"]) {
  const here = join(process.cwd(), name);
  if (process.argv.includes("--remove")) await rm(here, { force: true });
  else await copyFile(new URL(name, root), here);
}
