// What one writes in a room. It is kept as it is typed, and sent when it can be.

import type { FileFacts, RoomId } from "@haos/client";
import { useComposer, useConnection, useTimeline, useTyping } from "@haos/react";
import { useEffect, useRef, useState, type ClipboardEvent, type DragEvent, type KeyboardEvent } from "react";

import { useSetting } from "./memory";
import { WINDOW } from "./timeline";
import { Icon, IconButton } from "./ui";
import { nameOf, textOf } from "./words";

/** The others are told so often that somebody types, in milliseconds. */
const TYPING_MS = 4000;

/** What the others need for the place of a picture, before they have its bytes. */
async function factsOf(file: File): Promise<FileFacts> {
  if (!file.type.startsWith("image/")) return {};
  const picture = await createImageBitmap(file).catch(() => undefined);
  return picture ? { width: picture.width, height: picture.height } : {};
}

export function Composer({ id }: { id: RoomId }) {
  const { text, setText, replyTo, reply, send, sendFile, error } = useComposer(id);
  const connection = useConnection();
  const { setTyping } = useTyping(id);
  const [enterSends] = useSetting<"yes" | "no">("enter sends", "yes");
  const [isOver, setOver] = useState(false);
  const area = useRef<HTMLTextAreaElement>(null);
  const told = useRef(0);

  useEffect(() => {
    // On a phone the keyboard would hide half of what one came to read.
    if (!matchMedia("(pointer: coarse)").matches) area.current?.focus({ preventScroll: true });
  }, [id]);
  useEffect(() => () => void setTyping(false), [setTyping]);

  const typed = (next: string): void => {
    setText(next);
    const now = Date.now();
    if (next !== "" && now - told.current > TYPING_MS) {
      told.current = now;
      void setTyping(true);
    }
  };
  const post = (): void => {
    told.current = 0;
    void setTyping(false);
    void send();
    area.current?.focus();
  };
  const sendAll = async (files: Iterable<File>): Promise<void> => {
    for (const file of files) await sendFile(file, await factsOf(file));
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.nativeEvent.isComposing) return;
    if (event.key === "Enter" && (enterSends === "yes" ? !event.shiftKey : event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      post();
    } else if (event.key === "Escape" && replyTo !== undefined) {
      reply(undefined);
    } else if (event.key === "ArrowUp" && text === "") {
      event.preventDefault();
      document.querySelector<HTMLElement>('.timeline [data-id][tabindex="0"]')?.focus();
    }
  };
  const onPaste = (event: ClipboardEvent): void => {
    if (event.clipboardData.files.length === 0) return;
    event.preventDefault();
    void sendAll(event.clipboardData.files);
  };
  const onDrop = (event: DragEvent): void => {
    event.preventDefault();
    setOver(false);
    void sendAll(event.dataTransfer.files);
  };

  const isLater = connection?.state === "offline" || connection?.state === "degraded";
  return (
    <div
      className={`composer ${isOver ? "over" : ""}`}
      onDrop={onDrop}
      onDragOver={(event) => (event.preventDefault(), setOver(true))}
      onDragLeave={() => setOver(false)}
    >
      {error && (
        <p className="notice warn" role="alert">
          {error.message}
        </p>
      )}
      {replyTo !== undefined && <Answered id={id} event={replyTo} stop={() => reply(undefined)} />}
      <form
        onSubmit={(event) => {
          event.preventDefault();
          post();
        }}
      >
        <label className="icon-button attach" title="Send a file">
          <Icon name="attach" />
          <span className="unseen">Send a file</span>
          <input
            type="file"
            className="unseen"
            multiple
            onChange={(event) => {
              void sendAll([...(event.target.files ?? [])]);
              event.target.value = "";
            }}
          />
        </label>
        <textarea
          id="composer"
          ref={area}
          rows={1}
          dir="auto"
          value={text}
          placeholder="Message"
          aria-label="Message"
          onChange={(event) => typed(event.target.value)}
          onKeyDown={onKeyDown}
          onPaste={onPaste}
        />
        <IconButton
          type="submit"
          icon={isLater ? "clock" : "send"}
          label={isLater ? "Send when there is a network" : "Send"}
          disabled={text.trim() === ""}
        />
      </form>
    </div>
  );
}

/** The message that is answered. */
function Answered({ id, event, stop }: { id: RoomId; event: string; stop: () => void }) {
  const { items } = useTimeline(id, WINDOW);
  const found = items.find((item) => item.type === "event" && item.eventId === event);
  const message = found?.type === "event" ? found : undefined;
  return (
    <div className="answered">
      <Icon name="reply" />
      <p>
        <b dir="auto">{message ? nameOf(message.sender) : "Answer"}</b>
        <span dir="auto">{message ? textOf(message.content) : "to a message that is not shown"}</span>
      </p>
      <IconButton icon="close" label="Do not answer it" onClick={stop} />
    </div>
  );
}
