import type { EventId, FileFacts, Haos, HaosError, Message, RoomId, Upload } from "@haos/client";

import { useOfHaos } from "./provider.js";
import { guard, LOADING, nothing, type Status } from "./state.js";
import { Cell } from "./store.js";

/** What the user writes in a room, beside its text. */
type Extras = Omit<Message, "body" | "replyTo">;

/**
 * What the user writes in a room. All components that name the room share it: a message in the list may say that it is
 * answered.
 *
 * None of its functions rejects: what failed is in `error`.
 */
export interface ComposerState extends Status {
  /** The text, at once as it was typed. It is kept for the next visit a moment later. */
  readonly text: string;
  /** The message that is answered. */
  readonly replyTo: EventId | undefined;
  /** The message that is edited. */
  readonly editOf: EventId | undefined;
  /** Sets the text. */
  readonly setText: (text: string) => void;
  /** Answers a message, or none. */
  readonly reply: (to: EventId | undefined) => void;
  /** Edits a message, whose text is there to change; `undefined` ends it, and takes the text away. */
  readonly edit: (message: EventId | undefined, text?: string) => void;
  /** Sends what is written, or saves the edit, and clears it; it is back if that failed. True if it is on its way. */
  readonly send: (extras?: Extras) => Promise<boolean>;
  /** Sends a file. */
  readonly sendFile: (file: Blob, facts?: FileFacts) => Promise<Upload | undefined>;
}

/** How long after the last keystroke a draft is kept, in milliseconds. */
const PAUSE_MS = 400;

const BLANK = { text: "", replyTo: undefined, editOf: undefined };
const EMPTY: ComposerState = {
  ...LOADING,
  ...BLANK,
  setText: nothing,
  reply: nothing,
  edit: nothing,
  send: () => Promise.resolve(false),
  sendFile: nothing,
};

/** What the user writes in a room, with the draft that was kept. */
export function useComposer(room: RoomId): ComposerState {
  return useOfHaos(`composer ${room}`, (haos) => storeOf(haos, room), EMPTY);
}

function storeOf(haos: Haos, room: RoomId): Cell<ComposerState> {
  const cell = new Cell(EMPTY);
  let timer: ReturnType<typeof setTimeout> | undefined;
  /** One after the other, so that the latest one stays. */
  let saving: Promise<unknown> = Promise.resolve();
  let isTouched = false;

  const save = (): Promise<unknown> => {
    if (timer === undefined) return saving;
    clearTimeout(timer);
    timer = undefined;
    saving = saving.then(() => {
      const { text, replyTo, editOf } = cell.get();
      return haos.setDraft(room, text || replyTo || editOf ? { text, replyTo, editOf } : null).catch(failed);
    });
    return saving;
  };
  const failed = (error: HaosError): void => cell.set({ error });
  const write = (fields: Partial<ComposerState>): void => {
    isTouched = true;
    cell.set(fields);
    clearTimeout(timer);
    timer = setTimeout(() => void save(), PAUSE_MS);
  };

  const post = guard(cell, async (written: ComposerState, extras: Extras): Promise<boolean> => {
    const { text, replyTo, editOf } = written;
    const message = { ...extras, body: text, ...(replyTo && { replyTo: { eventId: replyTo } }) };
    await (editOf ? haos.edit(room, { eventId: editOf }, message) : haos.send(room, message));
    return true;
  });
  const send = async (extras: Extras = {}): Promise<boolean> => {
    const written = cell.get();
    if (written.text.trim() === "") return false;
    write(BLANK);
    const posted = post(written, extras);
    // The draft goes when the message is safe, and not before.
    saving = saving.then(() => posted);
    const isPosted = (await posted) === true;
    // What was written since is not lost for it.
    const { text, replyTo, editOf } = written;
    if (!isPosted && cell.get().text === "") write({ text, replyTo, editOf });
    void save();
    return isPosted;
  };

  cell.set({
    setText: (text) => write({ text }),
    reply: (replyTo) => write(cell.get().editOf === undefined ? { replyTo } : { ...BLANK, replyTo }),
    edit: (editOf, text = "") => write({ text, editOf, replyTo: undefined }),
    send,
    sendFile: guard(cell, (file: Blob, facts?: FileFacts) => haos.sendFile(room, file, facts)),
  });
  void guard(cell, async () => {
    const draft = await haos.draft(room);
    // Who typed meanwhile goes on with that.
    if (draft === null || isTouched) return;
    cell.set({ text: draft.text, replyTo: draft.replyTo ?? undefined, editOf: draft.editOf ?? undefined });
  })().then(() => cell.set({ loading: false }));

  // A page that is hidden may not come back.
  const page = globalThis.document as Document | undefined;
  const hide = (): void => void (page?.visibilityState === "hidden" && save());
  page?.addEventListener("visibilitychange", hide);
  cell.ends.push(save, () => page?.removeEventListener("visibilitychange", hide));
  return cell;
}
