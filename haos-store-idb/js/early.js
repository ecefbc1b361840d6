/** The format that is read here. */
const FORMAT = 2;

/** Opens a store's database while the module loads, so that `IdbStore::open` finds it open. A database that is absent stays
 * so, and one that another tab upgrades or deletes is let go. Call what it returns once the store is open.
 *
 * Its `kept` is a promise of what `IdbStore::keep_early` kept: `{ revision, content }`, the latest commit that the content may
 * show and the parsed JSON. It is undefined if nothing is kept or may be shown: it is damaged, another store's, or newer than
 * the store. That of a sealed store needs the key that `IdbStore::early_key` gave. */
export function early(name, key) {
  const request = indexedDB.open(name);
  let isOver = false;
  const close = () => {
    isOver = true;
    if (request.readyState === "done" && !request.error) request.result.close();
  };
  close.kept = new Promise((resolve) => {
    // It is absent: nothing is made.
    request.onupgradeneeded = () => request.transaction.abort();
    request.onerror = (event) => {
      event.preventDefault();
      resolve();
    };
    request.onsuccess = () => {
      request.result.onversionchange = close;
      if (isOver) close();
      // What cannot be read is not there.
      resolve(isOver ? undefined : read(request.result, key).catch(() => {}));
    };
  });
  return close;
}

async function read(database, key) {
  if (database.version !== FORMAT) return;
  const transaction = database.transaction(["meta", "log"]);
  const meta = transaction.objectStore("meta");
  const [record, id, keyring, head] = ["early", "id", "keyring", "head"].map((name) => meta.get(name));
  const latest = transaction.objectStore("log").openCursor(null, "prev");
  await new Promise((resolve, reject) => {
    // The last one to be answered.
    latest.onsuccess = resolve;
    transaction.onabort = reject;
  });
  if (!record.result) return;
  // The store's latest commit is that of the log's last record; without one, of the latest fold.
  const revision = latest.result ? number(latest.result.value, 1 + 8 + 1 + 4) : number(head.result, 4);
  return open(record.result, id.result, keyring.result !== undefined, revision, key);
}

/** Reads a number of 8 bytes. */
const number = ({ buffer, byteOffset }, at) => Number(new DataView(buffer, byteOffset).getBigUint64(at));

/** Opens a record: `version | revision | id of the store | ...`. */
async function open(record, id, isSealed, latest, key) {
  const revision = number(record, 1);
  const isOurs = id.every((byte, at) => record[9 + at] === byte) && record[0] === (isSealed ? 2 : 1);
  if (!isOurs || revision > latest || (isSealed && !key)) return;
  const content = isSealed ? await unseal(record, key) : unframe(record);
  return { revision, content: JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(content)) };
}

/** `... | key id | nonce | ciphertext | tag`, bound to what is before the nonce; the text ends with a mark and zeros. */
async function unseal(record, key) {
  const [bound, nonce, sealed] = [record.subarray(0, 27), record.subarray(27, 39), record.subarray(39)];
  const text = await crypto.subtle.decrypt({ name: "AES-GCM", iv: nonce, additionalData: bound }, key, sealed);
  return new Uint8Array(text, 0, new Uint8Array(text).lastIndexOf(0x80));
}

/** `... | content | crc32 of all before`. */
function unframe(record) {
  const end = record.length - 4;
  const table = Uint32Array.from({ length: 256 }, (_, byte) => {
    let sum = byte;
    for (let bit = 0; bit < 8; bit += 1) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
    return sum;
  });
  let sum = -1;
  for (let at = 0; at < end; at += 1) sum = (sum >>> 8) ^ table[(sum ^ record[at]) & 255];
  const { buffer, byteOffset } = record;
  if (~sum >>> 0 !== new DataView(buffer, byteOffset).getUint32(end)) throw new Error("it is damaged");
  return record.subarray(25, end);
}
