// Failures on their way between a page and its service worker.

import { type ErrorCode, type Failure, HaosError } from "@haos/client";

/** What was thrown, as it is told: an engine throws JSON text, a chat a `HaosError`. */
export function failureOf(thrown: unknown): Failure {
  const failure = { code: "other", retryable: false, retryAfterMs: null, detail: null } as const;
  if (thrown instanceof HaosError) {
    const { code, message, retryable, retryAfterMs = null } = thrown;
    return { code, message, retryable, retryAfterMs, detail: null };
  }
  if (typeof thrown !== "string") {
    return { ...failure, message: thrown instanceof Error ? thrown.message : String(thrown) };
  }
  try {
    return JSON.parse(thrown) as Failure;
  } catch {
    return { ...failure, message: thrown };
  }
}

/** The status of an answer that a failure is. */
export function statusOf(code: ErrorCode): number {
  switch (code) {
    case "invalid":
      return 400;
    // Whoever has no login has no token either.
    case "not_logged_in":
    case "other_user":
    case "refused":
      return 403;
    case "not_found":
    case "gone":
      return 404;
    case "not_possible":
      return 413;
    // The page that has the secret is gone.
    case "sealed":
    case "wrong_key":
      return 423;
    case "unreachable":
      return 504;
    case "full":
      return 507;
    default:
      return 503;
  }
}
