
// The parts of the program that are loaded after the first half of it.

class Part {
    /** Where it is, if nothing is said. */
    #url;
    /** The part that is loaded before it, and lends it something as well. */
    #before;
    #loading;
    #exports;

    constructor(url, before) {
        this.#url = url;
        this.#before = before;
    }

    load(module_or_path = this.#url()) {
        this.#loading ??= this.#load(module_or_path).catch((error) => {
            this.#loading = undefined;
            throw error;
        });
        return this.#loading;
    }

    async #load(module_or_path) {
        const given = await module_or_path;
        const module = given instanceof WebAssembly.Module ? given : await this.#compile(given);
        await __wbg_init();
        await this.#before?.load();
        // Whatever needed it meanwhile had it loaded.
        this.#exports ??= (await WebAssembly.instantiate(module, this.#imports())).exports;
    }

    async #compile(given) {
        const response = given instanceof Response ? given : await fetch(given);
        if (!response.ok) throw this.#failed(response.status, response.statusText, response.url);
        if (response.headers.get("Content-Type") === "application/wasm") return WebAssembly.compileStreaming(response);
        return WebAssembly.compile(await response.arrayBuffer());
    }

    #imports() {
        return { ...__wbg_get_imports(), first: { ...wasm, ...this.#before?.#exports } };
    }

    #failed(status, text, url) {
        return new Error(`failed to fetch Wasm: ${status} ${text} fetching '${url}'`);
    }

    /** Called for want of it. */
    now() {
        if (this.#exports !== undefined) return;
        this.#before?.now();
        if (typeof XMLHttpRequest === "undefined") {
            throw new Error("a part of the program is not there yet: await that it is loaded first");
        }
        const request = new XMLHttpRequest();
        request.open("GET", this.#url(), false);
        // A window gives no bytes to a request that it waits for.
        request.overrideMimeType("text/plain; charset=x-user-defined");
        request.send();
        if (request.status !== 200) throw this.#failed(request.status, request.statusText, request.responseURL);
        const bytes = Uint8Array.from(request.responseText, (character) => character.charCodeAt(0));
        this.#exports = new WebAssembly.Instance(new WebAssembly.Module(bytes), this.#imports()).exports;
        this.#loading ??= Promise.resolve();
    }
}
