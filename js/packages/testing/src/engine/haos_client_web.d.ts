// The glue of the engine with chats of the memory, as wasm-bindgen writes it.

type Loaded = URL | string | Request | Response | WebAssembly.Module | Promise<Response>;

/** Loads it. */
export default function init(options?: { module_or_path: Loaded | BufferSource }): Promise<unknown>;

export class Item {
  free(): void;
  takeBytes(): Uint8Array<ArrayBuffer>;
  readonly mime: string | undefined;
  readonly size: number;
}

export class Port {
  static open(options: string, key: Uint8Array | undefined, loadKeys?: () => Promise<void>): Promise<Port>;
  free(): void;
  call(call: string): Promise<string>;
  sendFile(room: string, facts: string, file: Blob): Promise<string>;
  media(wanted: string): Promise<Item>;
  close(): Promise<void>;
}
