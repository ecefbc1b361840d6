
const PART = new Part(() => new URL("FILE", import.meta.url), BEFORE);

/** Loads a part. Whatever needs it before that has it loaded without a turn of the event loop, which a service worker cannot
 * do: there it is to be awaited first. */
export function LOAD(module_or_path) {
    return PART.load(module_or_path);
}
