// The glue of the engine, as wasm-bindgen writes it and `haos-bundle` splits it.

type Loaded = URL | string | Request | Response | WebAssembly.Module | Promise<Response>;

/** Loads the first half. */
export default function init(options?: { module_or_path: Loaded }): Promise<unknown>;

/** Loads the rest. */
export function loadRest(module_or_path?: Loaded): Promise<void>;

/** Loads what only encrypted rooms need. */
export function loadKeys(module_or_path?: Loaded): Promise<void>;

export class Item {
  free(): void;
  takeBytes(): Uint8Array<ArrayBuffer>;
  readonly mime: string | undefined;
  readonly size: number;
}

export class Port {
  /** `loadKeys` is called when the account has an encrypted room, and often from then on. */
  static open(options: string, key: Uint8Array | undefined, loadKeys?: () => Promise<void>): Promise<Port>;
  free(): void;
  call(call: string): Promise<string>;
  sendFile(room: string, facts: string, file: Blob): Promise<string>;
  media(wanted: string): Promise<Item>;
  close(): Promise<void>;
}
