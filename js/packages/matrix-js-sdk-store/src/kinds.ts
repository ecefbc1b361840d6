/** The kinds under which the store of the SDK keeps its texts. */
export const KINDS = {
  /** Where the sync stands. */
  sync: "sdk.sync",
  /** The joined rooms, each by its id. */
  room: "sdk.room",
  /** Their state, by the room's number and that of the row. */
  state: "sdk.state",
  /** Their receipts, in the same way. */
  receipts: "sdk.receipts",
  /** Their older events, by the room's number and the index of the first one. */
  older: "sdk.older",
  /** The account data, and the rooms that the user is invited to or knocked at. */
  account: "sdk.account",
  /** The presence of users, each by their id. */
  presence: "sdk.presence",
  /** The options of the client. */
  options: "sdk.options",
  /** The ids of filters, by their names. */
  filter: "sdk.filter",
  /** The members that were loaded beside the sync, by room. */
  members: "sdk.members",
  /** The messages to devices that wait, by number. */
  toDevice: "sdk.to_device",
  /** The profiles of users, each by their id. */
  profile: "sdk.profile",
  /** Of the pending events of a room what the outbox does not have. */
  pending: "sdk.pending",
} as const;
