// Lets a page tell the model homeserver what to do, which runs in another process.

import { createServer } from "node:http";

/**
 * Serves a homeserver's methods on the loopback: a POST of `[path, ...args]`, such as `["network.offline"]`.
 *
 * @param {import('@haos/testing').Homeserver} homeserver
 * @returns {Promise<{url: string, close(): Promise<void>}>}
 */
export async function control(homeserver) {
  const server = createServer(async (request, response) => {
    response.setHeader("Access-Control-Allow-Origin", "*");
    let body = "";
    for await (const chunk of request) body += chunk;
    try {
      const [path, ...args] = JSON.parse(body);
      const names = path.split(".");
      const method = names.pop();
      const owner = names.reduce((object, name) => object[name], homeserver);
      response.end(JSON.stringify((await owner[method](...args)) ?? null));
    } catch (error) {
      response.statusCode = 500;
      response.end(String(error?.stack ?? error));
    }
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    close: () => new Promise((done) => server.close(done)),
  };
}
