// What is stored in this browser, and how to have less of it.

import type { Clear, Cleared } from "@haos/client";
import { useConnection, useHaos, useStorage } from "@haos/react";
import { useEffect, useState } from "react";

import { writeMark } from "./memory";
import { Dialog, Page, Skeleton } from "./ui";
import { bytes, count } from "./words";

const LEVELS = {
  ok: "There is room enough.",
  warn: "It is filling up: old media goes first.",
  high: "It is nearly full: old media and messages go.",
  critical: "It is full: all that may go goes.",
};

interface Clearing {
  readonly what: Clear;
  readonly title: string;
  readonly about: string;
}

const CLEARINGS: readonly Clearing[] = [
  { what: "media", title: "Media", about: "Pictures and files. They are loaded again when you look at them." },
  { what: "messages", title: "Messages and media", about: "Rooms stay in the list, and messages are loaded again." },
  { what: "all_but_unsent", title: "All but what is unsent", about: "The next sync brings everything back." },
  {
    what: "everything_including_unsent",
    title: "Everything, also what is unsent",
    about: "The login goes, and so does every message that was not sent.",
  },
];

/** What the browser says of its own storage. */
function useBrowserStorage() {
  const [isKept, setKept] = useState<boolean>();
  const [estimate, setEstimate] = useState<StorageEstimate>();
  const storage = navigator.storage as StorageManager | undefined;
  useEffect(() => {
    storage?.persisted?.().then(setKept, () => {});
    storage?.estimate?.().then(setEstimate, () => {});
  }, [storage]);
  const keep = async (): Promise<boolean> => {
    const given = (await storage?.persist?.().catch(() => false)) ?? false;
    setKept(given);
    return given;
  };
  return { isKept, estimate, keep };
}

export function Storage({ left }: { left: () => void }) {
  const { haos } = useHaos();
  const storage = useStorage();
  const unsent = useConnection()?.unsent ?? 0;
  const { isKept, estimate, keep } = useBrowserStorage();
  const [asked, setAsked] = useState<Clearing>();
  const [told, setTold] = useState("");

  const clear = async ({ what }: Clearing): Promise<void> => {
    setAsked(undefined);
    try {
      setTold(clearedWords(await haos!.clear(what)));
      if (what === "everything_including_unsent") {
        writeMark(null);
        left();
      }
    } catch (error) {
      setTold((error as Error).message);
    }
  };
  const quota = storage?.quotaBytes ?? estimate?.quota ?? null;
  return (
    <Page title="Storage">
      {storage === undefined ? (
        <Skeleton rows={4} kind="rooms" />
      ) : (
        <section className="card">
          <h2>{bytes(storage.usedBytes)} stored here</h2>
          <meter
            aria-label="Used of the storage"
            min={0}
            max={quota ?? storage.totalBytes}
            value={storage.usedBytes}
            low={0.7 * (quota ?? storage.totalBytes)}
            high={0.9 * (quota ?? storage.totalBytes)}
          />
          <p data-level={storage.level}>{LEVELS[storage.level]}</p>
          <dl>
            <dt>Messages and rooms</dt>
            <dd>{bytes(Math.max(0, storage.usedBytes - storage.mediaBytes))}</dd>
            <dt>Media</dt>
            <dd>{bytes(storage.mediaBytes)}</dd>
            <dt>On the disk, in all</dt>
            <dd>{bytes(storage.totalBytes)}</dd>
            <dt>What the browser allows</dt>
            <dd>{quota === null ? "It does not say" : bytes(quota)}</dd>
          </dl>
          {(storage.evictedBytes > 0 || storage.prunedMessages > 0) && (
            <p className="notice">
              For want of room {bytes(storage.evictedBytes)} of media and {count(storage.prunedMessages, "message")}{" "}
              went since the chat was opened. They are loaded again when you look at them.
            </p>
          )}
        </section>
      )}
      <section className="card">
        <h2>Kept by this browser</h2>
        {isKept ? (
          <p>This browser keeps what is stored until you remove it.</p>
        ) : (
          <>
            <p>
              This browser may remove what is stored when the device runs short of room. What is unsent would be lost.
            </p>
            <button
              className="primary"
              onClick={() =>
                void keep().then((given) =>
                  setTold(
                    given
                      ? "It is kept from now on."
                      : "The browser does not agree: install the application, then try again.",
                  ),
                )
              }
            >
              Keep it
            </button>
          </>
        )}
      </section>
      <section className="card">
        <h2>Free some</h2>
        {CLEARINGS.map((clearing) => (
          <div key={clearing.what} className="choice">
            <div>
              <h3>{clearing.title}</h3>
              <p>{clearing.about}</p>
            </div>
            <button
              className={clearing.what === "everything_including_unsent" ? "danger" : "quiet"}
              aria-label={`Clear: ${clearing.title}`}
              onClick={() => setAsked(clearing)}
            >
              Clear
            </button>
          </div>
        ))}
      </section>
      <p className="told" role="status">
        {told}
      </p>
      {asked && (
        <Dialog
          title={`Clear: ${asked.title}?`}
          confirm="Clear"
          isDangerous
          onConfirm={() => void clear(asked)}
          onClose={() => setAsked(undefined)}
        >
          <p>{asked.about}</p>
          {unsent > 0 && asked.what === "everything_including_unsent" && (
            <p className="notice warn">{count(unsent, "unsent message")} will be lost.</p>
          )}
        </Dialog>
      )}
    </Page>
  );
}

function clearedWords({ media, mediaBytes, messages, rooms, unsent, freedBytes }: Cleared): string {
  const parts = [
    media > 0 && `${count(media, "file")} (${bytes(mediaBytes)})`,
    messages > 0 && count(messages, "message"),
    rooms > 0 && count(rooms, "room"),
    unsent > 0 && count(unsent, "unsent message"),
  ].filter(Boolean);
  return parts.length === 0
    ? "There was nothing to clear."
    : `Cleared: ${parts.join(", ")}; ${bytes(freedBytes)} are free again.`;
}
