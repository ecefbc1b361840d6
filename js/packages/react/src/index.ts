"use client";
/**
 * Hooks over an offline-first chat: one subscription of the chat for however many components, and a component renders
 * again for what it reads alone.
 *
 * @packageDocumentation
 */

export { useComposer, type ComposerState } from "./composer.js";
export { HaosProvider, useHaos, type HaosProviderProps, type HaosSource, type HaosState } from "./provider.js";
export { useRooms, type RoomsState } from "./rooms.js";
export type { Status } from "./state.js";
export { useTimeline, type Paging, type TimelineState, type UseTimelineOptions } from "./timeline.js";
export {
  useConnection,
  useMediaUrl,
  useMembers,
  useOutbox,
  useStorage,
  useSyncProgress,
  useTyping,
  useUpload,
  type MediaUrlState,
  type MembersState,
  type OutboxState,
  type TypingState,
  type UploadState,
} from "./values.js";
