import { Refusal, answer } from "./answer.js";

/** A file on the server. */
export interface StoredFile {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly mime: string;
}

/** The content repository. */
export class Media {
  /** By mxc uri; `undefined` for a place that was made and not filled yet. */
  readonly #files = new Map<string, StoredFile | undefined>();

  readonly serverName: string;

  constructor(serverName: string) {
    this.serverName = serverName;
  }

  /** Makes a place for a file that comes later. */
  create(): string {
    const uri = `mxc://${this.serverName}/m${this.#files.size + 1}`;
    this.#files.set(uri, undefined);
    return uri;
  }

  /** Fills a place, once. */
  put(uri: string, file: StoredFile): void {
    if (!this.#files.has(uri)) throw new Refusal(404, "M_NOT_FOUND", `There is no place ${uri}`);
    if (this.#files.get(uri) !== undefined) {
      throw new Refusal(409, "M_CANNOT_OVERWRITE_MEDIA", "The file is there already");
    }
    this.#files.set(uri, file);
  }

  /** Adds a file; its uri. */
  add(file: StoredFile): string {
    const uri = this.create();
    this.put(uri, file);
    return uri;
  }

  get(uri: string): StoredFile | undefined {
    return this.#files.get(uri);
  }

  download(uri: string): Response {
    const file = this.#files.get(uri);
    if (file === undefined) {
      if (this.#files.has(uri)) throw new Refusal(504, "M_NOT_YET_UPLOADED", "The file is on its way");
      throw new Refusal(404, "M_NOT_FOUND", `There is no file ${uri}`);
    }
    return answer(200, file.bytes, {
      "Content-Type": file.mime,
      "Content-Length": String(file.bytes.length),
      "Content-Disposition": "inline",
    });
  }
}
