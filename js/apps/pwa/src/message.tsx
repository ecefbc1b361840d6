// A message: who, what, what others make of it, and how its sending goes.

import type { Content, EventItem, LocalItem, Reaction, TimelineItem } from "@haos/client";
import { useComposer, type TimelineState } from "@haos/react";
import { useState, type FormEvent, type KeyboardEvent } from "react";

import { File, Upload } from "./media";
import type { LineProps } from "./timeline";
import { Avatar, Dialog, Icon, IconButton } from "./ui";
import { listed, moment, nameOf, sendWords, stateWords, textOf, time } from "./words";

const QUICK = ["👍", "❤️", "😂", "🎉", "😮", "😢"];

type MessageItem = TimelineItem & (({ type: "event" } & EventItem) | ({ type: "local" } & LocalItem));
type MessageProps = Omit<LineProps, "item"> & { readonly item: MessageItem };

export function Message({
  item,
  isGrouped,
  isActive,
  isEditing,
  place,
  room,
  called,
  timeline,
  ...acts
}: MessageProps) {
  const name = nameOf(item.sender);
  const { content } = item;
  const status = item.type === "local" ? item.status : undefined;
  const isFailed = status?.status === "parked" && status.reason !== "paused";
  const common = {
    "data-id": item.id,
    tabIndex: isActive ? 0 : -1,
    "aria-posinset": place,
    "aria-setsize": -1,
    onFocus: () => acts.setActive(item.id),
  };
  if (content.type === "state") {
    return (
      <article className="state" {...common} dir="auto">
        {stateWords(content, name)}
      </article>
    );
  }
  const said = item.isRedacted ? "Message removed" : textOf(content);
  const told = [
    item.isOwn ? "You" : name,
    said,
    item.edited && "edited",
    time(item.timestampMs),
    status && sendWords(status),
    ...item.reactions.map((it) => `${it.key} ${it.count}`),
  ];
  return (
    <article
      className={`message ${item.isOwn ? "own" : ""} ${isGrouped ? "grouped" : ""} ${isFailed ? "failed" : ""}`}
      aria-label={told.filter(Boolean).join(", ")}
      data-state={status?.status ?? "there"}
      {...common}
    >
      {!item.isOwn &&
        (isGrouped ? (
          <span className="avatar-space" />
        ) : (
          <Avatar id={item.sender.id} name={name} uri={item.sender.avatar} small />
        ))}
      <div className="body">
        {!item.isOwn && !isGrouped && (
          <p className="sender" dir="auto">
            {name}
          </p>
        )}
        <div className={`bubble ${item.mentionsMe ? "mention" : ""}`}>
          {item.reply && (
            <button className="quote" tabIndex={isActive ? 0 : -1} onClick={() => acts.show(item.reply!.eventId)}>
              <b dir="auto">{item.reply.sender ? nameOf(item.reply.sender) : "Answer"}</b>
              <span dir="auto">{item.reply.text ?? "to a message that is not here"}</span>
            </button>
          )}
          {isEditing ? (
            <Editor
              text={textOf(content)}
              save={(text) => timeline.edit(item, text)}
              close={() => {
                acts.setEditing(undefined);
                focusItem(item.id);
              }}
            />
          ) : item.isRedacted ? (
            <em className="removed">Message removed</em>
          ) : (
            <Said content={content} name={name} room={room} isActive={isActive} />
          )}
          {item.type === "local" && "uri" in content && status?.status !== "sent" && <Upload txnId={item.txnId} />}
          <p className="meta">
            {item.edited && <span>edited</span>}
            <time dateTime={new Date(item.timestampMs).toISOString()} title={moment(item.timestampMs)}>
              {time(item.timestampMs)}
            </time>
            {item.isOwn && <Sending item={item} />}
          </p>
        </div>
        {isFailed && item.type === "local" && (
          <div className="unsent">
            <p>{`${sendWords(item.status)}${item.error ? ` (${item.error})` : ""}`}</p>
            <button className="link" tabIndex={isActive ? 0 : -1} onClick={() => void timeline.retry(item)}>
              Retry
            </button>
          </div>
        )}
        {item.reactions.length > 0 && <Reactions item={item} isActive={isActive} called={called} timeline={timeline} />}
        {!isEditing && !item.isRedacted && (
          <Actions
            item={item}
            room={room}
            isActive={isActive}
            timeline={timeline}
            edit={() => acts.setEditing(item.id)}
          />
        )}
      </div>
    </article>
  );
}

/** The focus goes back to a message once it is as it was. */
const focusItem = (id: string): void =>
  void requestAnimationFrame(() => document.querySelector<HTMLElement>(`[data-id="${CSS.escape(id)}"]`)?.focus());

/** How the sending goes, as a sign with its words. */
function Sending({ item }: { item: MessageItem }) {
  const status = item.type === "local" ? item.status : (item.edited?.sending ?? { status: "sent" as const });
  const words = sendWords(status);
  const icon = { sent: "check", sending: "send", parked: "alert" } as const;
  return (
    <span className="sending" title={words}>
      {status.status !== "sent" && <span>{status.status === "parked" ? "" : words}</span>}
      <Icon name={icon[status.status as keyof typeof icon] ?? "clock"} />
    </span>
  );
}

function Said({ content, name, room, isActive }: { content: Content; name: string; room: string; isActive: boolean }) {
  switch (content.type) {
    case "emote":
      return (
        <p className="text" dir="auto">
          * {name} <Text body={content.body} isActive={isActive} />
        </p>
      );
    case "image":
    case "sticker":
    case "video":
    case "audio":
    case "voice":
    case "file":
      return <File content={content} room={room} isActive={isActive} />;
    case "poll":
      return (
        <div className="text" dir="auto">
          <b>{content.question}</b>
          <ul>
            {content.answers.map((answer) => (
              <li key={answer.id}>{answer.text}</li>
            ))}
          </ul>
        </div>
      );
    default:
      return (
        <p className="text" dir="auto">
          <Text body={textOf(content)} isActive={isActive} />
        </p>
      );
  }
}

const LINK = /(https?:\/\/[^\s<>"]*[^\s<>".,;:!?)\]}])/g;

/** Plain text, in which addresses can be followed. */
const Text = ({ body, isActive }: { body: string; isActive: boolean }) => (
  <>
    {body.split(LINK).map((part, index) =>
      index % 2 === 1 ? (
        <a key={index} href={part} target="_blank" rel="noreferrer noopener" tabIndex={isActive ? 0 : -1}>
          {part}
        </a>
      ) : (
        part
      ),
    )}
  </>
);

interface ReactionsProps {
  readonly item: MessageItem;
  readonly isActive: boolean;
  readonly called: (user: string) => string;
  readonly timeline: TimelineState;
}

/** Who made what of it; pressed where the user did. */
function Reactions({ item, isActive, called, timeline }: ReactionsProps) {
  const who = ({ senders, count }: Reaction): string => {
    const more = count - senders.length;
    return listed([...senders.map(called), ...(more > 0 ? [`${more} more`] : [])]);
  };
  return (
    <div className="reactions" role="group" aria-label="Reactions">
      {item.reactions.map((it) => (
        <button
          key={it.key}
          aria-pressed={it.isOwn}
          aria-label={`${it.key} ${it.count}, ${who(it)}`}
          title={who(it)}
          tabIndex={isActive ? 0 : -1}
          onClick={() => void (it.isOwn ? timeline.unreact(item, it.key) : timeline.react(item, it.key))}
        >
          {it.key} <span>{it.count}</span>
        </button>
      ))}
      {item.moreReactions > 0 && <span>+{item.moreReactions}</span>}
    </div>
  );
}

interface ActionsProps {
  readonly item: MessageItem;
  readonly room: string;
  readonly isActive: boolean;
  readonly timeline: TimelineState;
  readonly edit: () => void;
}

/** What there is to do with it: seen when it is pointed at or has the focus. */
function Actions({ item, room, isActive, timeline, edit }: ActionsProps) {
  const { reply } = useComposer(room);
  const [isReacting, setReacting] = useState(false);
  const [isDeleting, setDeleting] = useState(false);
  const tabIndex = isActive ? 0 : -1;
  const isThere = item.type === "event";
  const hasText = item.content.type === "text" || item.content.type === "emote" || item.content.type === "notice";
  const remove = (): void => {
    setDeleting(false);
    void (isThere ? timeline.redact(item) : timeline.cancel(item));
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    setReacting(false);
    focusItem(item.id);
  };
  return (
    <div className="actions" role="group" aria-label="Actions" onKeyDown={onKeyDown}>
      {isReacting ? (
        QUICK.map((key) => (
          <button
            key={key}
            className="icon-button emoji"
            aria-label={`React with ${key}`}
            tabIndex={tabIndex}
            autoFocus={key === QUICK[0]}
            onClick={() => {
              setReacting(false);
              focusItem(item.id);
              void timeline.react(item, key);
            }}
          >
            {key}
          </button>
        ))
      ) : (
        <>
          {isThere && <IconButton icon="smile" label="React" tabIndex={tabIndex} onClick={() => setReacting(true)} />}
          {isThere && (
            <IconButton
              icon="reply"
              label="Reply"
              tabIndex={tabIndex}
              onClick={() => {
                reply(item.eventId);
                document.getElementById("composer")?.focus();
              }}
            />
          )}
          {item.isOwn && hasText && <IconButton icon="edit" label="Edit" tabIndex={tabIndex} onClick={edit} />}
          {item.isOwn && (
            <IconButton icon="trash" label="Delete" tabIndex={tabIndex} onClick={() => setDeleting(true)} />
          )}
        </>
      )}
      {isDeleting && (
        <Dialog
          title={isThere ? "Delete this message for everybody?" : "Delete this unsent message?"}
          confirm="Delete"
          isDangerous
          onConfirm={remove}
          onClose={() => setDeleting(false)}
        >
          <blockquote dir="auto">{textOf(item.content)}</blockquote>
        </Dialog>
      )}
    </div>
  );
}

interface EditorProps {
  readonly text: string;
  readonly save: (text: string) => Promise<unknown>;
  readonly close: () => void;
}

/** Another text for a message, sent or not. */
function Editor({ text: before, save, close }: EditorProps) {
  const [text, setText] = useState(before);
  const submit = (event: FormEvent | KeyboardEvent): void => {
    event.preventDefault();
    const changed = text.trim() !== "" && text !== before;
    void (changed ? save(text) : Promise.resolve()).then(close);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    event.stopPropagation();
    if (event.key === "Escape") close();
    if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) submit(event);
  };
  return (
    <form className="editor" onSubmit={submit}>
      <textarea
        aria-label="Edit the message"
        dir="auto"
        autoFocus
        onFocus={({ target }) => target.setSelectionRange(before.length, before.length)}
        rows={1}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={onKeyDown}
      />
      <p className="row end">
        <button type="button" className="quiet" onClick={close}>
          Cancel
        </button>
        <button className="primary">Save</button>
      </p>
    </form>
  );
}
