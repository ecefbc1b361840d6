// What is shown: a login, or the rooms beside a room or another page.

import type { Account } from "@haos/client";
import { useConnection, useHaos } from "@haos/react";
import { useCallback, useEffect, useState } from "react";

import { Login } from "./login";
import { readMark, useSetting, writeMark } from "./memory";
import { Room } from "./room";
import { Rooms } from "./rooms";
import { useRoute } from "./route";
import { Settings } from "./settings";
import { Notices } from "./status";
import { Storage } from "./storage";
import { Skeleton } from "./ui";
import { isOver } from "./words";

/** Who is logged in; undefined until that was read. It is read again when the session ends elsewhere. */
function useAccount() {
  const { haos } = useHaos();
  const connection = useConnection();
  const [account, setAccount] = useState<Account | null>();
  const isOut = connection?.state === "logged_out" || connection?.state === "paused";
  const reload = useCallback(async () => setAccount(await haos?.account()), [haos]);
  useEffect(() => void reload().catch(() => {}), [reload, isOut]);
  const unsent = connection?.unsent;
  useEffect(() => {
    if (account?.isLoggedIn && unsent !== undefined) writeMark({ user: account.user, unsent });
  }, [account, unsent]);
  return { account, connection, reload };
}

export function App({ isKept, goOn }: { isKept: boolean; goOn: () => void }) {
  const { haos, error } = useHaos();
  const { account, connection, reload } = useAccount();
  const route = useRoute();
  const [theme] = useSetting<"system" | "light" | "dark">("theme", "system");
  useEffect(() => void (document.documentElement.dataset["theme"] = theme), [theme]);
  const [wasLoggedOut, setLoggedOut] = useState(false);

  if (error !== undefined) {
    return (
      <main className="alone" role="alert">
        <h1>The chat does not open</h1>
        <p>{error.message}</p>
        <p className="row">
          <button className="primary" onClick={() => location.reload()}>
            Try again
          </button>
          {isKept && (
            <button className="quiet" onClick={goOn}>
              Go on without keeping anything
            </button>
          )}
        </p>
      </main>
    );
  }
  if (haos === undefined || account === undefined) return <Frame />;

  const left = (): void => {
    writeMark(null);
    setLoggedOut(true);
    location.hash = "#/";
    void reload();
  };
  if (account === null || wasLoggedOut || (route.page === "login" && isOver(account, connection))) {
    const erased = account === null && isKept && !wasLoggedOut ? readMark() : null;
    const done = (): void => {
      setLoggedOut(false);
      if (route.page === "login") location.hash = "#/";
      void reload();
    };
    return <Login account={account} erased={erased} done={done} />;
  }
  return (
    <div className={`app at-${route.page}`}>
      <Notices account={account} isKept={isKept} />
      <Rooms current={route.page === "room" ? route.id : undefined} />
      {route.page === "room" ? (
        <Room key={route.id} id={route.id} me={account.user} />
      ) : route.page === "storage" ? (
        <Storage left={left} />
      ) : route.page === "settings" ? (
        <Settings account={account} left={left} />
      ) : (
        <main className="page empty">
          <p>Choose a room to read and write in it. It works without a network, too.</p>
        </main>
      )}
    </div>
  );
}

/** The lines of the page before there is anything to put between them. */
const Frame = () => (
  <div className="app at-rooms" aria-busy="true">
    <nav className="rooms">
      <header className="bar" />
      <Skeleton rows={8} kind="rooms" />
    </nav>
    <main className="page" />
    <p className="unseen" role="status">
      The chat opens
    </p>
  </div>
);
