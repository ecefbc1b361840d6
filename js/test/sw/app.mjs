// An application as small as it can be, which a service worker serves; what the tests do in it is under `app`.

import { mediaUrl } from "@haos/client";
import { open } from "@haos/web";
import { register } from "@haos/web/register";

const { name, secret, script, files, handed, version } = JSON.parse(document.getElementById("about").textContent);
const options = { name, ...(secret === undefined ? {} : { passphrase: secret }) };
const chat = open(options);
chat.catch(() => {});

/** What an address answers. */
async function ask(url, init = {}) {
  const response = await fetch(url, init);
  const bytes = new Uint8Array(await response.arrayBuffer());
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const headers = Object.fromEntries(response.headers);
  return {
    status: response.status,
    headers,
    length: bytes.length,
    first: bytes[0],
    last: bytes.at(-1),
    hash: String(hash),
  };
}

/** The width of a picture, 0 if it is not shown. */
function picture(url) {
  return new Promise((done) => {
    const image = new Image();
    image.onload = () => done(image.naturalWidth);
    image.onerror = () => done(0);
    image.src = url;
  });
}

window.app = { version, chat, ask, picture, mediaUrl };
window.app.worker = register({ script, chat, ...(files && { files }), ...(handed && { secret: handed }) });
