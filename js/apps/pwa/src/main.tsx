import "./style.css";

import { HaosProvider } from "@haos/react";
import { Component, StrictMode, useState, type ReactNode } from "react";
import { createRoot } from "react-dom/client";

import { App } from "./app";
import { chat, openInMemory } from "./worker";

/** Where the browser keeps nothing, a person may go on without. */
function Main() {
  const [isKept, setKept] = useState(true);
  return (
    <HaosProvider key={String(isKept)} client={isKept ? chat : openInMemory}>
      <App isKept={isKept} goOn={() => setKept(false)} />
    </HaosProvider>
  );
}

/** A mistake of the application's own ends the page, and not the chat. */
class Boundary extends Component<{ children: ReactNode }, { message?: string }> {
  override state: { message?: string } = {};
  static getDerivedStateFromError = (error: unknown) => ({ message: String(error) });
  override render() {
    if (this.state.message === undefined) return this.props.children;
    return (
      <main className="alone" role="alert">
        <h1>The page failed</h1>
        <p>What you wrote and read is kept. {this.state.message}</p>
        <button className="primary" onClick={() => location.reload()}>
          Load the page again
        </button>
      </main>
    );
  }
}

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <Boundary>
      <Main />
    </Boundary>
  </StrictMode>,
);
