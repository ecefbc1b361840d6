import * as calls from "./calls.js";

onmessage = async ({ data: [name, ...args] }) => {
  try {
    postMessage({ told: await calls[name](...args) });
  } catch (error) {
    postMessage({ error: `${error}` });
  }
};
