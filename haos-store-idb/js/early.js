/** Opens a store's database while the module loads, so that `IdbStore::open` finds it open. A database that is absent stays
 * so, and one that another tab upgrades or deletes is let go. Call what it returns once the store is open. */
export function early(name) {
  const request = indexedDB.open(name);
  let isOver = false;
  const close = () => {
    isOver = true;
    if (request.readyState === "done" && !request.error) request.result.close();
  };
  // It is absent: nothing is made.
  request.onupgradeneeded = () => request.transaction.abort();
  request.onerror = (event) => event.preventDefault();
  request.onsuccess = () => {
    request.result.onversionchange = close;
    if (isOver) close();
  };
  return close;
}
