const CORS = {
  "Access-Control-Allow-Origin": "*",
  "Access-Control-Allow-Methods": "GET, HEAD, POST, PUT, DELETE, OPTIONS",
  "Access-Control-Allow-Headers": "X-Requested-With, Content-Type, Authorization, Date",
  "Access-Control-Expose-Headers": "Retry-After, Date",
};

/** A refusal, in the form that Matrix gives one. */
export class Refusal extends Error {
  override readonly name = "Refusal";

  readonly status: number;
  readonly errcode: string;
  readonly more: Readonly<Record<string, unknown>>;

  constructor(status: number, errcode: string, message: string, more: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.status = status;
    this.errcode = errcode;
    this.more = more;
  }

  toResponse(): Response {
    const wait = this.more["retry_after_ms"];
    const headers: Record<string, string> =
      typeof wait === "number" ? { "Retry-After": String(Math.ceil(wait / 1000)) } : {};
    return json({ errcode: this.errcode, error: this.message, ...this.more }, this.status, headers);
  }
}

/** An answer that a page of any origin may read. */
export function answer(status: number, body: BodyInit | null, headers: Record<string, string> = {}): Response {
  return new Response(body, { status, headers: { ...CORS, ...headers } });
}

/** An answer in JSON. */
export function json(value: unknown, status = 200, headers: Record<string, string> = {}): Response {
  return answer(status, JSON.stringify(value), { "Content-Type": "application/json", ...headers });
}
