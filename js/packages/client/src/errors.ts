import type { ErrorCode, Failure } from "./wire.js";

/** What a call could not do. Its message is for the person, and says what to do. */
export class HaosError extends Error {
  /** The kind, to act on. */
  readonly code: ErrorCode;
  /** True if the same call may succeed later as it is. */
  readonly retryable: boolean;
  /** At least so long it is to be waited, in milliseconds, where the server says so. */
  readonly retryAfterMs: number | undefined;

  constructor(failure: Partial<Failure> & Pick<Failure, "code" | "message">) {
    super(failure.message, failure.detail == null ? undefined : { cause: failure.detail });
    this.name = "HaosError";
    this.code = failure.code;
    this.retryable = failure.retryable ?? false;
    this.retryAfterMs = failure.retryAfterMs ?? undefined;
  }
}

/** Reads what an engine threw: JSON of a failure, or anything else. */
export function errorOf(thrown: unknown): HaosError {
  if (thrown instanceof HaosError) return thrown;
  if (typeof thrown === "string") {
    try {
      return new HaosError(JSON.parse(thrown) as Failure);
    } catch {
      return new HaosError({ code: "other", message: thrown });
    }
  }
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const error = new HaosError({ code: "other", message });
  error.cause = thrown;
  return error;
}
