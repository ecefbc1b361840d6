// The chat of this page, and the service worker that serves it.

import { mediaUrl, type MediaUri, type MediaWanted } from "@haos/client";
import { useMediaUrl, type MediaUrlState } from "@haos/react";
import { open } from "@haos/web";
import { register, type AppWorker } from "@haos/web/register";
import { useState, useSyncExternalStore } from "react";

const NAME = "haos";
const DEVICE = "HAOS in a browser";
/** A page that stays open for days looks for a new version so often, in milliseconds. */
const LOOK_MS = 3_600_000;

export const chat = open({ name: NAME, deviceName: DEVICE });
// Whoever shows it shows why it did not open.
chat.catch(() => {});

/** A chat that keeps nothing; what the worker would read is not its. */
export function openInMemory() {
  isInMemory = true;
  return open({ name: NAME, deviceName: DEVICE, storage: "memory" });
}
let isInMemory = false;

let worker: AppWorker | undefined;
const listeners = new Set<() => void>();

if (import.meta.env.PROD) {
  void register({ script: "/sw.js", chat }).then((it) => {
    worker = it;
    const tell = (): void => listeners.forEach((changed) => changed());
    it.subscribe(tell);
    tell();
    setInterval(() => void it.check().catch(() => {}), LOOK_MS);
  });
}

function subscribe(changed: () => void): () => void {
  listeners.add(changed);
  return () => void listeners.delete(changed);
}

const isControlled = (): boolean => (navigator.serviceWorker as ServiceWorkerContainer | undefined)?.controller != null;

/** What shows a new version, once there is one. */
export function useUpdate(): (() => void) | undefined {
  const isReady = useSyncExternalStore(subscribe, () => worker?.updateReady ?? false);
  return isReady ? () => void worker?.reload() : undefined;
}

type Media = Pick<MediaUrlState, "url" | "error" | "reload">;

/** An address for a media item: the worker's where there is one, or one of this page's memory. */
export function useMedia(uri: MediaUri | null, wanted: Omit<MediaWanted, "uri">): Media {
  // It stays as it is: another address for the same picture would flicker. Whether a worker serves this page is known
  // before `register` has looked at it.
  const [isServed] = useState(() => !isInMemory && import.meta.env.PROD && isControlled());
  const held = useMediaUrl(isServed ? null : uri, wanted);
  const { width, height, crop } = wanted;
  return isServed && uri !== null ? { ...NOTHING, url: mediaUrl(uri, { width, height, crop }) } : held;
}

const NOTHING = { error: undefined, reload: () => Promise.resolve() };
