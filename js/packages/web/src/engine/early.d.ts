/** Opens a store's database while the module loads. Call what it returns once the store is open. */
export function early(name: string): () => void;
