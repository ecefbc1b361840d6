// Files in messages: shown from the store, and sent piece by piece.

import type { FileContent } from "@haos/client";
import { useUpload } from "@haos/react";
import { useState } from "react";

import { Icon, IconButton } from "./ui";
import { bytes, sendWords } from "./words";
import { useMedia } from "./worker";

const WIDEST = 320;
const HIGHEST = 280;

type FileKind = "image" | "sticker" | "video" | "audio" | "voice" | "file";
type FileOf = { readonly type: FileKind } & FileContent;

interface FileProps {
  readonly content: FileOf;
  readonly room: string;
  readonly isActive: boolean;
}

export function File({ content, room, isActive }: FileProps) {
  const { caption, uri } = content;
  const isPicture = content.type === "image" || content.type === "sticker";
  return (
    <>
      {uri === null ? (
        <p className="file">
          <Icon name="file" />
          <span>{content.name ?? "File"}: it is not there</span>
        </p>
      ) : isPicture ? (
        <Picture content={content} uri={uri} room={room} isActive={isActive} />
      ) : (
        <Other content={content} uri={uri} room={room} isActive={isActive} />
      )}
      {caption && (
        <p className="text" dir="auto">
          {caption}
        </p>
      )}
    </>
  );
}

/** The size at which a picture is shown: known before its bytes are there, so that nothing moves. */
function sizeOf({ width, height }: FileContent): { width: number; height: number } {
  const [w, h] = width && height ? [width, height] : [240, 180];
  const scale = Math.min(1, WIDEST / w, HIGHEST / h);
  return { width: Math.round(w * scale), height: Math.round(h * scale) };
}

function Picture({ content, uri, room, isActive }: FileProps & { uri: string }) {
  const size = sizeOf(content);
  const isLocal = !uri.startsWith("mxc:");
  const wanted = isLocal ? { room } : { width: 2 * size.width, height: 2 * size.height, room };
  const { url, error, reload } = useMedia(uri, wanted);
  const [broken, setBroken] = useState<string>();
  const isBroken = error !== undefined || (url !== undefined && url === broken);
  return (
    <div className="picture" style={{ width: size.width, aspectRatio: `${size.width} / ${size.height}` }}>
      {url && !isBroken ? (
        <img
          src={url}
          alt={content.caption || content.name || "Picture"}
          width={size.width}
          height={size.height}
          onError={() => setBroken(url)}
        />
      ) : isBroken ? (
        <button className="quiet" tabIndex={isActive ? 0 : -1} onClick={() => (setBroken(undefined), void reload())}>
          Not here: load it again
        </button>
      ) : null}
    </div>
  );
}

/** Sound, film and other files: loaded when they are asked for. */
function Other({ content, uri, room, isActive }: FileProps & { uri: string }) {
  const [isWanted, setWanted] = useState(false);
  const { url, error } = useMedia(isWanted ? uri : null, { room });
  const name = content.name ?? "File";
  const tabIndex = isActive ? 0 : -1;
  if (url && content.type === "video")
    return <video className="film" src={url} controls tabIndex={tabIndex} {...sizeOf(content)} />;
  if (url && (content.type === "audio" || content.type === "voice"))
    return <audio src={url} controls tabIndex={tabIndex} />;
  return (
    <div className="file">
      <Icon name={content.type === "file" ? "file" : "play"} />
      <span dir="auto">
        {name}
        {content.size !== null && <small>{bytes(content.size)}</small>}
        {error && <small role="alert">{error.message}</small>}
      </span>
      {url ? (
        <a href={url} download={name} tabIndex={tabIndex}>
          Save
        </a>
      ) : (
        <button className="link" tabIndex={tabIndex} disabled={isWanted && !error} onClick={() => setWanted(true)}>
          {isWanted && !error ? "Loading…" : content.type === "file" ? "Load" : "Play"}
        </button>
      )}
    </div>
  );
}

/** A file on its way. */
export function Upload({ txnId }: { txnId: string }) {
  const { progress, pause, retry, cancel } = useUpload(txnId);
  if (progress === undefined) return <div className="upload" />;
  const { sentBytes, totalBytes } = progress;
  const isPaused = progress.status === "parked" && progress.reason === "paused";
  const words = isPaused ? "Paused" : sendWords(progress);
  return (
    <div className="upload">
      <progress aria-label="Sent of the file" max={Math.max(1, totalBytes)} value={sentBytes} />
      <span>{`${words}, ${bytes(sentBytes)} of ${bytes(totalBytes)}`}</span>
      {progress.status === "parked" ? (
        <IconButton icon="play" label="Go on with the file" onClick={() => void retry()} />
      ) : (
        <IconButton icon="pause" label="Pause the file" onClick={() => void pause()} />
      )}
      <IconButton icon="close" label="Cancel the file" onClick={() => void cancel()} />
    </div>
  );
}
