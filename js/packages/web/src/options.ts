/** Which store, and with what secret. */
export interface StoreOptions {
  /** The name of the database. */
  readonly name: string;
  /** `disk`, if nothing is said; `memory` forgets all when the chat is closed, as for a private window. */
  readonly storage?: "disk" | "memory" | undefined;
  /** Seals what is stored with a passphrase; a store that is made is made sealed. */
  readonly passphrase?: string | undefined;
  /** Seals what is stored with a key of 32 bytes, instead of a passphrase. */
  readonly key?: Uint8Array | undefined;
  /** The name of the device, for the user's others to show, as of the next login. */
  readonly deviceName?: string | undefined;
  /** True to sync and send nothing until `start`. */
  readonly held?: boolean | undefined;
}

/** Where the parts of the engine are; beside this module if nothing is said. */
export interface EngineFiles {
  /** The first half. */
  readonly first?: string | URL | undefined;
  /** The rest. */
  readonly rest?: string | URL | undefined;
  /** What only an account with an encrypted room needs, and loads. */
  readonly keys?: string | URL | undefined;
}
