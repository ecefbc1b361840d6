/** An event as the client-server API of Matrix has it. */
export interface ServerEvent {
  readonly event_id: string;
  readonly room_id: string;
  readonly type: string;
  readonly sender: string;
  readonly origin_server_ts: number;
  /** Emptied when the event is redacted. */
  content: Record<string, unknown>;
  readonly state_key?: string;
  readonly redacts?: string;
  /** Redactions show themselves here. */
  unsigned?: Record<string, unknown>;
}

/** What an event is made of; the server gives it the rest. */
export interface NewEvent {
  readonly type: string;
  readonly sender: string;
  readonly content: Record<string, unknown>;
  /** Makes it an event of the room's state. */
  readonly stateKey?: string;
  /** The event that a redaction is about. */
  readonly redacts?: string;
}

/** The sender's own copy of an event carries the transaction id, and nobody else's does. */
export interface Origin {
  readonly device: string;
  readonly txn: string;
}

/** An event and its place in the order of everything that happened on the server. */
export interface Stored {
  readonly position: number;
  readonly event: ServerEvent;
  readonly origin: Origin | undefined;
}

/** An event as a device sees it. */
export function shown(stored: Stored, device: string): ServerEvent {
  if (stored.origin?.device !== device) return stored.event;
  return { ...stored.event, unsigned: { ...stored.event.unsigned, transaction_id: stored.origin.txn } };
}
