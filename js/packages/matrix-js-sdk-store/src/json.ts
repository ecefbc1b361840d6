// The parts of a sync's answer that are read here, in the form that both versions of the SDK share.

/** An event as it came; what is not named here stays as it is. */
export interface RawEvent {
  readonly type: string;
  readonly content?: Record<string, unknown>;
  readonly event_id?: string;
  readonly sender?: string;
  readonly origin_server_ts?: number;
  readonly state_key?: string | null;
  readonly age?: number;
  readonly unsigned?: { readonly age?: number; readonly prev_content?: unknown; readonly prev_sender?: string };
  readonly msc4354_sticky?: { readonly duration_ms: number };
  /** When it was new by the clock here, in milliseconds since 1970; never given away. */
  readonly _localTs?: number;
}

/** A list of events. */
export interface Events {
  readonly events?: RawEvent[];
}

/** A joined room of an answer. */
export interface RawJoined {
  readonly state?: Events;
  readonly "org.matrix.msc4222.state_after"?: Events;
  readonly timeline?: Events & { readonly limited?: boolean; readonly prev_batch?: string | null };
  readonly ephemeral?: Events;
  readonly account_data?: Events;
  readonly summary?: Record<string, unknown>;
  readonly unread_notifications?: Record<string, unknown>;
  readonly unread_thread_notifications?: Record<string, unknown>;
  readonly "org.matrix.msc3773.unread_thread_notifications"?: Record<string, unknown>;
  readonly msc4354_sticky?: Events;
}

/** An invited room, or one that the user knocked at. */
export interface RawStripped {
  readonly invite_state?: { events: RawEvent[] };
  readonly knock_state?: { events: RawEvent[] };
}

/** The rooms of an answer, by their ids. */
export interface RawRooms {
  readonly join?: Record<string, RawJoined>;
  readonly invite?: Record<string, RawStripped>;
  readonly knock?: Record<string, RawStripped>;
  readonly leave?: Record<string, unknown>;
}

/** An answer. */
export interface RawSync {
  readonly next_batch: string;
  readonly rooms?: RawRooms;
  readonly account_data?: Events;
}

/** A copy that shares nothing. What has no JSON form is left out. */
export function copy<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
