// How it looks, and the end of the session.

import type { Account } from "@haos/client";
import { useConnection, useHaos } from "@haos/react";
import { useState } from "react";

import { useSetting } from "./memory";
import { Dialog, Page } from "./ui";
import { count } from "./words";

export function Settings({ account, left }: { account: Account; left: () => void }) {
  const { haos } = useHaos();
  const unsent = useConnection()?.unsent ?? 0;
  const [theme, setTheme] = useSetting<"system" | "light" | "dark">("theme", "system");
  const [enterSends, setEnterSends] = useSetting<"yes" | "no">("enter sends", "yes");
  const [isAsked, ask] = useState(false);
  const [isKept, keep] = useState(false);
  const [problem, setProblem] = useState("");

  const logOut = async (): Promise<void> => {
    try {
      // Without a network the session ends here, and on the server when somebody ends it there.
      await haos!.logout().catch(() => haos!.forgetLogin());
      if (!isKept) await haos!.clear("everything_including_unsent");
      left();
    } catch (error) {
      setProblem((error as Error).message);
    }
  };
  return (
    <Page title="Settings">
      <section className="card">
        <h2>You</h2>
        <dl>
          <dt>Name</dt>
          <dd>{account.user}</dd>
          <dt>Homeserver</dt>
          <dd>{account.server ?? "None"}</dd>
          <dt>Device</dt>
          <dd>{account.device ?? "None"}</dd>
        </dl>
      </section>
      <section className="card">
        <fieldset>
          <legend>Colours</legend>
          {(["system", "light", "dark"] as const).map((it) => (
            <label key={it} className="check">
              <input type="radio" name="theme" checked={theme === it} onChange={() => setTheme(it)} />
              {{ system: "As the device has them", light: "Light", dark: "Dark" }[it]}
            </label>
          ))}
        </fieldset>
        <label className="check">
          <input
            type="checkbox"
            checked={enterSends === "yes"}
            onChange={(event) => setEnterSends(event.target.checked ? "yes" : "no")}
          />
          Enter sends a message; without it, Ctrl and Enter do
        </label>
      </section>
      <section className="card">
        <h2>Log out</h2>
        <p>The session ends, and what is stored in this browser is removed.</p>
        <button className="danger" onClick={() => ask(true)}>
          Log out
        </button>
      </section>
      {isAsked && (
        <Dialog
          title="Log out?"
          confirm="Log out"
          isDangerous
          onConfirm={() => void logOut()}
          onClose={() => ask(false)}
        >
          {unsent > 0 && !isKept && <p className="notice warn">{count(unsent, "unsent message")} will be lost.</p>}
          <label className="check">
            <input type="checkbox" checked={isKept} onChange={(event) => keep(event.target.checked)} />
            Keep what is stored here, also what is unsent, for the next login
          </label>
          <p className="problem" role="alert">
            {problem}
          </p>
        </Dialog>
      )}
    </Page>
  );
}
