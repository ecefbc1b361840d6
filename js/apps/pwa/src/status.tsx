// What concerns the whole application: the connection and what waits, storage that runs out, a new version.

import type { Account } from "@haos/client";
import { useConnection, useHaos, useOutbox, useStorage } from "@haos/react";
import { useState } from "react";

import { Icon, IconButton } from "./ui";
import { bytes, connectionWords, count, isOver } from "./words";
import { useUpdate } from "./worker";

export function Notices({ account, isKept }: { account: Account; isKept: boolean }) {
  return (
    <div className="notices">
      <Connection account={account} />
      {!isKept && <p className="notice warn">Nothing is kept: this chat is gone when the page is closed.</p>}
      <Update />
      <Space />
      <Recovered />
    </div>
  );
}

/** The indicator: there where something waits or fails, and nowhere else. */
function Connection({ account }: { account: Account }) {
  const connection = useConnection();
  const { haos } = useHaos();
  const { rows, retryAll } = useOutbox();
  const parked = rows.filter((row) => row.status === "parked" && row.reason !== "paused").length;
  const isEnded = isOver(account, connection);
  const words = isEnded ? undefined : connectionWords(connection);
  const state = connection?.state ?? "live";
  return (
    <>
      <div className="indicator" role="status" aria-live="polite" data-state={state}>
        {words && (
          <p className={`notice ${state === "degraded" || state === "paused" ? "warn" : ""}`}>
            {state === "offline" ? <Icon name="cloud" /> : <Icon name="clock" />}
            <span>{words}</span>
            {state === "degraded" && (
              <button className="link" onClick={() => void haos?.tryNow()}>
                Try now
              </button>
            )}
          </p>
        )}
      </div>
      {isEnded && (
        <p className="notice warn" role="alert">
          <Icon name="alert" />
          <span>Your session ended. What is here can be read; what you write is sent after a login.</span>
          <a href="#/login">Log in again</a>
        </p>
      )}
      {parked > 0 && (
        <p className="notice warn" role="alert">
          <Icon name="alert" />
          <span>{count(parked, "message was", "messages were")} not sent</span>
          <button className="link" onClick={() => void retryAll()}>
            Try all again
          </button>
        </p>
      )}
    </>
  );
}

/** A new version, which waits until the person wants it. */
function Update() {
  const update = useUpdate();
  if (update === undefined) return null;
  return (
    <p className="notice" role="status">
      <Icon name="retry" />
      <span>A new version is there. What you write is kept.</span>
      <button className="link" onClick={update}>
        Load it
      </button>
    </p>
  );
}

/** Storage that runs out, before it has. */
function Space() {
  const storage = useStorage();
  const [isClosed, close] = useState(false);
  // What the browser says it allows may be more than it takes.
  if (storage === undefined || (!storage.isExhausted && (storage.level === "ok" || isClosed))) return null;
  const { usedBytes, quotaBytes } = storage;
  const left = quotaBytes === null ? "" : ` (${bytes(usedBytes)} of ${bytes(quotaBytes)})`;
  return (
    <p className="notice warn" role="alert" data-level={storage.level}>
      <Icon name="disk" />
      <span>
        {storage.isExhausted
          ? "The storage is full: free some, or send or delete what is unsent."
          : `The storage is filling up${left}. Old media goes first.`}
      </span>
      <a href="#/storage">Free some</a>
      {!storage.isExhausted && <IconButton icon="close" label="Dismiss" onClick={() => close(true)} />}
    </p>
  );
}

/** What became of a store that was found damaged, once. */
function Recovered() {
  const { haos } = useHaos();
  const [words, setWords] = useState<readonly string[]>();
  if (haos !== undefined && words === undefined) {
    setWords([]);
    void haos.recovery().then(
      (report) => setWords(report?.words ?? []),
      () => {},
    );
  }
  if (!words?.length) return null;
  return (
    <p className="notice warn" role="alert">
      <span>{words.join(" ")}</span>
      <IconButton icon="close" label="Dismiss" onClick={() => setWords([])} />
    </p>
  );
}
