// The login, with what went wrong in words that help.

import { HaosError, type Account } from "@haos/client";
import { useHaos } from "@haos/react";
import { useId, useRef, useState, type FormEvent } from "react";

import type { Mark } from "./memory";
import { count } from "./words";

interface LoginProps {
  /** Who was logged in before. */
  readonly account: Account | null;
  /** What was here until the browser removed it. */
  readonly erased: Mark | null;
  readonly done: () => void;
}

interface Problem {
  readonly field?: "server" | "user" | "password";
  readonly text: string;
}

function problemOf(error: unknown): Problem {
  if (!(error instanceof HaosError)) return { text: String(error) };
  const wait = error.retryAfterMs ? ` Try again in ${Math.ceil(error.retryAfterMs / 1000)} s.` : "";
  switch (error.code) {
    case "login_refused":
      return { field: "password", text: "The name or the password is wrong." };
    case "address":
      return { field: "server", text: "There is no homeserver by this name. Check the spelling." };
    case "unreachable":
      return navigator.onLine
        ? { field: "server", text: "The homeserver does not answer. Check its name, or try again in a moment." }
        : { text: "There is no network. The first login needs one; everything after it does not." };
    case "other_user":
      return { field: "user", text: `${error.message}.` };
    case "full":
      return { text: "The storage of this browser is full: free some space, then log in." };
    default:
      return { text: `${error.message}.${wait}` };
  }
}

/** The homeserver that serves this page, if it does, else none. */
const usualServer = (): string => new URLSearchParams(location.search).get("server") ?? "";

export function Login({ account, erased, done }: LoginProps) {
  const { haos } = useHaos();
  const [problem, setProblem] = useState<Problem>();
  const [isBusy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const problemId = useId();

  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const fields = new FormData(form.current!);
    const [server, user, password] = ["server", "user", "password"].map((name) =>
      String(fields.get(name) ?? "").trim(),
    );
    setBusy(true);
    setProblem(undefined);
    try {
      await haos?.login(server!, { user: user!, password: password! });
      done();
    } catch (error) {
      const told = problemOf(error);
      setProblem(told);
      (form.current?.elements.namedItem(told.field ?? "server") as HTMLInputElement | null)?.focus();
    } finally {
      setBusy(false);
    }
  };
  const about = (field: Problem["field"]) =>
    problem?.field === field ? { "aria-invalid": true, "aria-describedby": problemId } : {};

  return (
    <main className="alone">
      <form ref={form} className="card" onSubmit={(event) => void submit(event)} aria-busy={isBusy}>
        <img className="logo" src="./icon.svg" alt="" width="56" height="56" />
        <h1>Log in</h1>
        {erased && (
          <div className="notice warn" role="alert">
            <p>
              <b>This browser removed what was stored here for {erased.user}.</b>{" "}
              {erased.unsent > 0
                ? `${count(erased.unsent, "message")} that had not been sent went with it. `
                : "Nothing was unsent. "}
              What was sent is on your homeserver: log in, and it comes back.
            </p>
          </div>
        )}
        {account && (
          <p className="notice">
            You are logged out. What was read is kept here for {account.user}, and what is unsent goes out after the
            login.
          </p>
        )}
        <label>
          Homeserver
          <input
            name="server"
            defaultValue={account?.server ?? usualServer()}
            placeholder="example.org"
            autoComplete="url"
            autoCapitalize="none"
            spellCheck={false}
            required
            {...about("server")}
          />
        </label>
        <label>
          Name
          <input
            name="user"
            defaultValue={account?.user ?? erased?.user ?? ""}
            placeholder="ada"
            autoComplete="username"
            autoCapitalize="none"
            spellCheck={false}
            required
            {...about("user")}
          />
        </label>
        <label>
          Password
          <input name="password" type="password" autoComplete="current-password" required {...about("password")} />
        </label>
        <p id={problemId} className="problem" role="alert">
          {problem?.text}
        </p>
        <button className="primary" disabled={isBusy || haos === undefined}>
          {isBusy ? "Logging in…" : "Log in"}
        </button>
      </form>
    </main>
  );
}
