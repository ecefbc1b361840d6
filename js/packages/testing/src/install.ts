import type { Homeserver } from "./homeserver.js";

/** Where and for which requests a model homeserver answers. */
export interface InstallOptions {
  /** The origin that it answers for. Default: `https://haos.test`. */
  readonly origin?: string;
  /** The global object whose `fetch` is replaced. Default: `globalThis`. A worker has its own. */
  readonly target?: { fetch: typeof fetch };
}

/**
 * Lets a model homeserver answer what `fetch` asks of an origin. Other requests go where they went.
 *
 * @returns what puts the former `fetch` back.
 * @example
 * ```ts
 * const { uninstall } = install(server);
 * await fetch('https://haos.test/_matrix/client/versions');
 * uninstall();
 * ```
 */
export function install(
  server: Homeserver,
  { origin = "https://haos.test", target = globalThis }: InstallOptions = {},
): { uninstall(): void } {
  const former = target.fetch;
  const patched: typeof fetch = (input, init) => {
    const url = new URL(input instanceof Request ? input.url : String(input), globalThis.location?.href);
    return url.origin === origin ? answered(server, new Request(input, init)) : former.call(target, input, init);
  };
  target.fetch = patched;
  return {
    uninstall() {
      // Somebody else may have put theirs over it.
      if (target.fetch === patched) target.fetch = former;
    },
  };
}

/** A response that is made has no address, which some readers of responses rely on. */
async function answered(server: Homeserver, request: Request): Promise<Response> {
  const response = await server.handle(request);
  return Object.defineProperty(response, "url", { value: request.url });
}
