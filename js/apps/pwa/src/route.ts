// Where in the application a person is, as the address has it: it survives a reload, and Back goes back.

import { useMemo, useSyncExternalStore } from "react";

export type Route =
  | { readonly page: "rooms" | "storage" | "settings" | "login" }
  | { readonly page: "room"; readonly id: string };

/** The address of a page. */
export const href = (route: Route): string =>
  route.page === "room" ? `#/room/${encodeURIComponent(route.id)}` : route.page === "rooms" ? "#/" : `#/${route.page}`;

export const go = (route: Route): void => void (location.hash = href(route));

function read(hash: string): Route {
  const [, page, id] = hash.split("/");
  if (page === "room" && id) {
    try {
      return { page, id: decodeURIComponent(id) };
    } catch {
      return { page: "rooms" };
    }
  }
  return page === "storage" || page === "settings" || page === "login" ? { page } : { page: "rooms" };
}

function subscribe(changed: () => void): () => void {
  addEventListener("hashchange", changed);
  return () => removeEventListener("hashchange", changed);
}

export function useRoute(): Route {
  const hash = useSyncExternalStore(subscribe, () => location.hash);
  return useMemo(() => read(hash), [hash]);
}
