// Serves what was built, beside the model homeserver or for another one: `node demo/serve.mjs [--port 4300]
// [--server http://127.0.0.1:8008 --user ada --password secret]`.

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { serve } from "@haos/testing/node";

import { makeWorld } from "./world.mjs";

const string = { type: "string" };
const options = { port: { ...string, default: "4300" }, server: string, user: string, password: string };
const { values } = parseArgs({ options });
const dist = fileURLToPath(new URL("../dist", import.meta.url));
if (!existsSync(dist)) throw new Error(`${dist} is not there: build it with \`npm run build\` first`);

const homeserver = values.server === undefined ? await makeWorld({ latency: 40 }) : undefined;
const site = await serve({ port: Number(values.port), folders: { "/": dist }, ...(homeserver && { homeserver }) });
const server = values.server ?? site.url;
console.log(`The application: ${site.url}/?server=${encodeURIComponent(server)}`);
console.log(`Log in as ${values.user ?? "ada"} with the password ${values.password ?? "secret"}. Ctrl and C end it.`);
