import assert from "node:assert/strict";

import type { ServerEvent } from "../src/event.js";

/** What can carry a request: a model server, or `fetch`. */
export type Carry = (request: Request) => Promise<Response>;

export interface RoomPart {
  timeline: { events: ServerEvent[]; limited: boolean; prev_batch: string };
  state: { events: ServerEvent[] };
  ephemeral: { events: { type: string; content: Record<string, unknown> }[] };
  unread_notifications: { notification_count: number };
  summary: Record<string, unknown>;
}

export interface SyncAnswer {
  next_batch: string;
  rooms: {
    join: Record<string, RoomPart>;
    invite: Record<string, { invite_state: { events: ServerEvent[] } }>;
    leave: Record<string, RoomPart>;
  };
  account_data: { events: { type: string; content: unknown }[] };
}

/** A client without a memory, that asks what it is told to. */
export class TestDevice {
  readonly carry: Carry;
  readonly origin: string;
  #token: string | undefined;

  constructor(carry: Carry, origin = "https://haos.test") {
    this.carry = carry;
    this.origin = origin;
  }

  static async login(carry: Carry, user = "ada", origin?: string): Promise<TestDevice> {
    const device = new TestDevice(carry, origin);
    const identifier = { type: "m.id.user", user };
    const answer = await device.ask("POST", "login", { type: "m.login.password", identifier, password: "x" });
    device.#token = String(answer["access_token"]);
    return device;
  }

  raw(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<Response> {
    const url = new URL(path.startsWith("/") ? path : `/_matrix/client/v3/${path}`, this.origin);
    const headers: Record<string, string> = { "Content-Type": "application/json" };
    if (this.#token !== undefined) headers["Authorization"] = `Bearer ${this.#token}`;
    const payload = body === undefined ? null : JSON.stringify(body);
    return this.carry(new Request(url, { method, headers, body: payload, signal: signal ?? null }));
  }

  async ask(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
    const response = await this.raw(method, path, body);
    const answer = (await response.json()) as Record<string, unknown>;
    assert.equal(response.status, 200, JSON.stringify(answer));
    return answer;
  }

  /** The code of a refusal. */
  async refusal(method: string, path: string, body?: unknown): Promise<[number, unknown]> {
    const response = await this.raw(method, path, body);
    return [response.status, ((await response.json()) as { errcode?: unknown }).errcode];
  }

  async sync(since?: string, query: Record<string, string> = {}): Promise<SyncAnswer> {
    const all = new URLSearchParams({ timeout: "0", ...query, ...(since === undefined ? {} : { since }) });
    return (await this.ask("GET", `sync?${all}`)) as unknown as SyncAnswer;
  }

  async send(room: string, body: string, txn: string): Promise<string> {
    const answer = await this.ask("PUT", sendPath(room, txn), { msgtype: "m.text", body });
    return String(answer["event_id"]);
  }
}

export function sendPath(room: string, txn: string): string {
  return `rooms/${encodeURIComponent(room)}/send/m.room.message/${txn}`;
}

export function bodies(events: readonly ServerEvent[]): string[] {
  return events.flatMap(({ content: { body } }) => (typeof body === "string" ? [body] : []));
}
