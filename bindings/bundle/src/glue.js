
// The rest of the program, which is loaded after the first half of it.

let restIsLoaded;
let restIsThere = false;

function restImports() {
    return { first: wasm, GLUE: __wbg_get_imports()[GLUE] };
}

/** Loads the rest: best once the first page is shown. Whatever needs it before that has it loaded without a turn of the
 * event loop, which a service worker cannot do: there it is to be awaited first. */
export function loadRest(module_or_path = new URL(REST, import.meta.url)) {
    restIsLoaded ??= loadRestOnce(module_or_path).catch((error) => {
        restIsLoaded = undefined;
        throw error;
    });
    return restIsLoaded;
}

async function loadRestOnce(module_or_path) {
    const given = await module_or_path;
    const rest = given instanceof WebAssembly.Module ? given : await compileRest(given);
    await __wbg_init();
    // Whatever needed it meanwhile had it loaded.
    if (restIsThere) return;
    await WebAssembly.instantiate(rest, restImports());
    restIsThere = true;
}

async function compileRest(given) {
    const response = given instanceof Response ? given : await fetch(given);
    if (!response.ok) {
        throw new Error(`failed to fetch Wasm: ${response.status} ${response.statusText} fetching '${response.url}'`);
    }
    if (response.headers.get("Content-Type") === "application/wasm") return WebAssembly.compileStreaming(response);
    return WebAssembly.compile(await response.arrayBuffer());
}

/** Called by the first half for want of the rest. */
function loadRestNow() {
    if (typeof XMLHttpRequest === "undefined") {
        throw new Error("the rest of the program is not there yet: await loadRest() first");
    }
    const request = new XMLHttpRequest();
    request.open("GET", new URL(REST, import.meta.url), false);
    // A window gives no bytes to a request that it waits for.
    request.overrideMimeType("text/plain; charset=x-user-defined");
    request.send();
    if (request.status !== 200) {
        throw new Error(`failed to fetch Wasm: ${request.status} ${request.statusText} fetching '${request.responseURL}'`);
    }
    const bytes = Uint8Array.from(request.responseText, (character) => character.charCodeAt(0));
    new WebAssembly.Instance(new WebAssembly.Module(bytes), restImports());
    restIsThere = true;
    restIsLoaded ??= Promise.resolve();
}
