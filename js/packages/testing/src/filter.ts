/** The parts of a sync filter that the model server heeds. */
export interface Filter {
  readonly room?: {
    readonly include_leave?: boolean;
    readonly timeline?: { readonly limit?: number };
    readonly state?: { readonly lazy_load_members?: boolean };
    readonly ephemeral?: TypeFilter;
  };
}

/** Event types that are wanted, and that are not; `*` stands for anything. */
export interface TypeFilter {
  readonly types?: readonly string[];
  readonly not_types?: readonly string[];
}

/** Tells if a filter lets events of a type pass. */
export function passes(filter: TypeFilter | undefined, type: string): boolean {
  const names = (list: readonly string[]): boolean => list.includes(type) || list.includes("*");
  return !names(filter?.not_types ?? []) && (filter?.types === undefined || names(filter.types));
}
