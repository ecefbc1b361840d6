import { JSDOM } from "jsdom";

const { window } = new JSDOM("<!doctype html><body></body>", { url: "https://app.test/" });
const names = [
  "window",
  "document",
  "navigator",
  "HTMLElement",
  "Node",
  "MutationObserver",
  "Event",
  "Element",
] as const;
for (const name of names) {
  const value = name === "window" ? window : window[name];
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
}

/** The object urls that are in use. */
export const urls = new Set<string>();
let serial = 0;
URL.createObjectURL = () => {
  const url = `blob:${(serial += 1)}`;
  urls.add(url);
  return url;
};
URL.revokeObjectURL = (url) => void urls.delete(url);
