// The database in a file: fake-indexeddb keeps it in memory, and the next process shall have it too.

import { readFileSync, writeFileSync } from "node:fs";
import { deserialize, serialize } from "node:v8";

const result = (request) =>
    new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
    });
const done = (transaction) =>
    new Promise((resolve, reject) => {
        transaction.oncomplete = () => resolve();
        transaction.onerror = transaction.onabort = () => reject(transaction.error);
    });
const full = (name) => `matrix-js-sdk:${name}`;

/** Everything in it: of each object store its shape, keys and values. */
export async function dump(name) {
    const db = await result(indexedDB.open(full(name)));
    const stores = [];
    for (const store of db.objectStoreNames) {
        const from = db.transaction(store).objectStore(store);
        const { keyPath, autoIncrement } = from;
        const indexes = [...from.indexNames].map((name) => ({ name, keyPath: from.index(name).keyPath }));
        const [keys, values] = await Promise.all([result(from.getAllKeys()), result(from.getAll())]);
        stores.push({ store, keyPath, autoIncrement, indexes, keys, values });
    }
    const { version } = db;
    db.close();
    return { version, stores };
}

/** Writes what `dump` gave. */
export function save(file, dumped) {
    writeFileSync(file, serialize(dumped));
}

/** Makes the database what it was at `save`. */
export async function load(name, file) {
    const { version, stores } = deserialize(readFileSync(file));
    const opening = indexedDB.open(full(name), version);
    opening.onupgradeneeded = () => {
        for (const { store, keyPath, autoIncrement, indexes } of stores) {
            const made = opening.result.createObjectStore(store, { keyPath, autoIncrement });
            indexes.forEach((index) => made.createIndex(index.name, index.keyPath));
        }
    };
    const db = await result(opening);
    for (const { store, keyPath, keys, values } of stores) {
        const transaction = db.transaction(store, "readwrite");
        const into = transaction.objectStore(store);
        values.forEach((value, n) => (keyPath === null ? into.put(value, keys[n]) : into.put(value)));
        await done(transaction);
    }
    db.close();
}
