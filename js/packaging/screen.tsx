// The screen of every application with React here, as the packages' READMEs would have it written.

"use client";

import type { HaosError, RoomId, TimelineItem } from "@haos/client";
import { HaosProvider, useComposer, useConnection, useHaos, useOutbox, useRooms, useTimeline } from "@haos/react";
import { open } from "@haos/web";
import { type FormEvent, type ReactNode, StrictMode, useCallback, useEffect, useState } from "react";

/** Where the engine runs: a newcomer says nothing. */
const thread = (): "here" | "worker" =>
  new URLSearchParams(location.search).get("thread") === "here" ? "here" : "worker";

/** The application: what is left is closed. */
export function App(): ReactNode {
  const [isShown, setShown] = useState(true);
  return (
    <StrictMode>
      <button id="toggle" onClick={() => setShown((was) => !was)}>
        {isShown ? "Leave" : "Come back"}
      </button>
      {isShown && (
        <HaosProvider client={() => open({ name: "packaging", thread: thread() })}>
          <Chat />
        </HaosProvider>
      )}
    </StrictMode>
  );
}

function Chat(): ReactNode {
  const { haos, error } = useHaos();
  const [user, setUser] = useState<string>();
  const [failure, setFailure] = useState<string>();
  const [isKnown, setKnown] = useState(false);

  const login = useCallback(
    (server: string, name: string, password: string): void => {
      haos?.login(server, { user: name, password }).then(
        (account) => setUser(account.user),
        (thrown: HaosError) => setFailure(thrown.message),
      );
    },
    [haos],
  );

  useEffect(() => {
    if (haos === undefined) return;
    let isOver = false;
    haos.account().then(
      (account) => {
        if (isOver) return;
        setKnown(true);
        if (account?.isLoggedIn) return setUser(account.user);
        const given = new URLSearchParams(location.search);
        const [server, name] = [given.get("server"), given.get("user")];
        if (server !== null && name !== null) login(server, name, given.get("password") ?? "");
      },
      (thrown: HaosError) => isOver || setFailure(thrown.message),
    );
    return () => {
      isOver = true;
    };
  }, [haos, login]);

  const message = failure ?? error?.message;
  if (message !== undefined) return <p role="alert">{message}</p>;
  if (!isKnown) return <p>Opening …</p>;
  if (user === undefined) return <LoginForm login={login} />;
  return (
    <main>
      <Status />
      <Rooms />
    </main>
  );
}

function LoginForm({ login }: { login: (server: string, name: string, password: string) => void }): ReactNode {
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    login(String(form.get("server")), String(form.get("user")), String(form.get("password")));
  };
  return (
    <form id="login" onSubmit={submit}>
      <input name="server" placeholder="Homeserver" />
      <input name="user" placeholder="User" autoComplete="username" />
      <input name="password" type="password" placeholder="Password" autoComplete="current-password" />
      <button>Log in</button>
    </form>
  );
}

function Status(): ReactNode {
  const connection = useConnection();
  const { rows } = useOutbox();
  return (
    <p>
      <span id="connection">{connection?.state}</span>, unsent: <span id="unsent">{rows.length}</span>
    </p>
  );
}

function Rooms(): ReactNode {
  const { rooms } = useRooms();
  const [chosen, choose] = useState<RoomId>();
  const room = chosen ?? rooms[0]?.id;
  return (
    <>
      <nav>
        {rooms.map(({ id, name }) => (
          <button key={id} aria-current={id === room} onClick={() => choose(id)}>
            {name}
          </button>
        ))}
      </nav>
      {room !== undefined && <Room key={room} id={room} />}
    </>
  );
}

function Room({ id }: { id: RoomId }): ReactNode {
  const { items } = useTimeline(id, { limit: 50 });
  const { text, setText, send } = useComposer(id);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    void send();
  };
  return (
    <section>
      <ol id="timeline">
        {items.map((item) => (
          <Item key={item.id} item={item} />
        ))}
      </ol>
      <form id="composer" onSubmit={submit}>
        <input id="text" value={text} onChange={(event) => setText(event.target.value)} />
        <button>Send</button>
      </form>
    </section>
  );
}

function Item({ item }: { item: TimelineItem }): ReactNode {
  if (item.type !== "event" && item.type !== "local") return null;
  if (item.content.type !== "text") return null;
  return <li data-state={item.type === "local" ? "unsent" : "sent"}>{item.content.body}</li>;
}
