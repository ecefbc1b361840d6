// Small parts that every page uses.

import { useEffect, useId, useRef, useState, type ReactNode } from "react";
import { createPortal } from "react-dom";

import { useMedia } from "./worker";

const PATHS = {
  back: "M15 5l-7 7 7 7",
  send: "M4 12l16-8-6 16-3-7z",
  attach: "M20 11l-8.5 8.5a5 5 0 0 1-7-7L13 4a3.3 3.3 0 0 1 4.7 4.7l-8.5 8.5a1.7 1.7 0 0 1-2.4-2.4L14 7.6",
  search: "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM16 16l4 4",
  down: "M12 5v14M6 13l6 6 6-6",
  close: "M6 6l12 12M18 6L6 18",
  reply: "M10 6l-6 6 6 6M4 12h9a7 7 0 0 1 7 7",
  edit: "M4 20l1-4L16 5l3 3L8 19zM14 7l3 3",
  trash: "M5 7h14M10 4h4M7 7l1 13h8l1-13",
  smile: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM8 14c1 2 2.5 3 4 3s3-1 4-3M9 9v1M15 9v1",
  retry: "M19 12a7 7 0 1 1-2-5l2 2M19 4v5h-5",
  clock: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 7v5l3 2",
  check: "M5 13l5 5 9-11",
  alert: "M12 4l9 16H3zM12 10v4M12 17v.5",
  pause: "M9 5v14M15 5v14",
  play: "M8 5l11 7-11 7z",
  file: "M7 3h7l4 4v14H7zM14 3v4h4",
  disk: "M4 7c0-4 16-4 16 0v10c0 4-16 4-16 0zM4 7c0 4 16 4 16 0M4 12c0 4 16 4 16 0",
  gear: "M12 8.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7zM12 3v3M12 18v3M3 12h3M18 12h3M5.6 5.6l2.2 2.2M16.2 16.2l2.2 2.2M18.4 5.6l-2.2 2.2M7.8 16.2l-2.2 2.2",
  cloud: "M7 18a4 4 0 0 1 0-8 5 5 0 0 1 9.7-1A4.5 4.5 0 0 1 17 18zM4 4l16 17",
} as const;

/** A picture that stands beside words, or in a button that has a name. */
export const Icon = ({ name }: { name: keyof typeof PATHS }) => (
  <svg className={`icon icon-${name}`} viewBox="0 0 24 24" aria-hidden="true">
    <path d={PATHS[name]} />
  </svg>
);

interface ButtonProps {
  readonly icon: keyof typeof PATHS;
  readonly label: string;
  readonly onClick?: () => void;
  readonly disabled?: boolean;
  readonly type?: "button" | "submit";
  readonly tabIndex?: number;
  readonly expanded?: boolean;
}

export const IconButton = ({ icon, label, onClick, disabled, type = "button", tabIndex, expanded }: ButtonProps) => (
  <button
    className="icon-button"
    type={type}
    title={label}
    aria-label={label}
    aria-expanded={expanded}
    onClick={onClick}
    disabled={disabled}
    tabIndex={tabIndex}
  >
    <Icon name={icon} />
  </button>
);

const HUES = 8;
/** The same colour for the same person or room, everywhere. */
const hueOf = (id: string): number =>
  [...id].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)!) % 997, 7) % HUES;

/** A picture of a person or room; its first letter until it is there, and where there is none. */
export function Avatar({ id, name, uri, small }: { id: string; name: string; uri: string | null; small?: boolean }) {
  const px = 2 * (small ? 32 : 44);
  const { url } = useMedia(uri, { width: px, height: px, crop: true });
  const [broken, setBroken] = useState<string>();
  const letter = [...name.replace(/^[^\p{L}\p{N}]+/u, "")][0]?.toUpperCase() ?? "#";
  return (
    <span className={`avatar hue-${hueOf(id)} ${small ? "small" : ""}`} aria-hidden="true">
      {url && url !== broken ? <img src={url} alt="" onError={() => setBroken(url)} /> : letter}
    </span>
  );
}

/** Lines of what is about to be there. */
export const Skeleton = ({ rows, kind }: { rows: number; kind: "rooms" | "messages" }) => (
  <div className={`skeleton ${kind}`} aria-hidden="true">
    {Array.from({ length: rows }, (_, row) => (
      <div key={row}>
        <i />
        <b />
      </div>
    ))}
  </div>
);

/** What is said to those who listen, when it changes. */
export const Announce = ({ children }: { children: ReactNode }) => (
  <p className="unseen" role="status" aria-live="polite">
    {children}
  </p>
);

interface DialogProps {
  readonly title: string;
  readonly children: ReactNode;
  readonly confirm: string;
  readonly isDangerous?: boolean;
  readonly onConfirm: () => void;
  readonly onClose: () => void;
}

/** A question that waits for an answer. Escape and Cancel close it, and the focus is where it was. */
export function Dialog({ title, children, confirm, isDangerous, onConfirm, onClose }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    return () => void (before instanceof HTMLElement && before.focus());
  }, []);
  // Out of whatever asks: what that looks like, and what keys do there, is not the dialog's.
  return createPortal(
    <dialog ref={dialog} aria-labelledby={id} onClose={onClose} onKeyDown={(event) => event.stopPropagation()}>
      <form
        method="dialog"
        onSubmit={(event) => {
          event.preventDefault();
          onConfirm();
        }}
      >
        <h2 id={id}>{title}</h2>
        {children}
        <p className="row end">
          <button type="button" className="quiet" onClick={onClose}>
            Cancel
          </button>
          <button className={isDangerous ? "danger" : "primary"}>{confirm}</button>
        </p>
      </form>
    </dialog>,
    document.body,
  );
}

/** A page beside the rooms, with a way back where there is one pane alone. */
export const Page = ({ title, children }: { title: string; children: ReactNode }) => (
  <main className="page" tabIndex={-1}>
    <header className="bar">
      <a className="icon-button back" href="#/" aria-label="Back to the rooms">
        <Icon name="back" />
      </a>
      <h1>{title}</h1>
    </header>
    <div className="page-body">{children}</div>
  </main>
);
