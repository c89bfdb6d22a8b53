/** For each Magento source code the InvenTree locations that feed it, as SOURCE_MAP says. */
export type SourceMap = Readonly<Record<string, readonly number[]>>;

/** A location in InvenTree. */
export interface Location {
  name: string;
  /** The location above it; null at the top. */
  parent: number | null;
  /** Whether InvenTree marks it as outside of the company. */
  external: boolean;
}

/** InvenTree's locations, by id. */
export type Locations = ReadonlyMap<number, Location>;

/** Which settings speak of locations. */
export interface LocationRules {
  sourceMap: SourceMap | undefined;
  /** EXCLUDE_LOCATIONS. */
  excluded: readonly number[];
  countExternal: boolean;
}

/** Why the stock at a location is not for sale. */
export type LocationExclusion = 'excluded' | 'external' | 'no source';

/** What a location means for the store. */
export type LocationRole = { sourceCode: string } | { exclusion: LocationExclusion };

/**
 * The role of each location. The nearest location above that SOURCE_MAP names decides, so the map can give a
 * sub-location to another source; an excluded location excludes all below it.
 */
export function locationRoles(rules: LocationRules, locations: Locations): ReadonlyMap<number, LocationRole> {
  const sourceOf = new Map<number, string>();
  for (const [sourceCode, ids] of Object.entries(rules.sourceMap ?? {})) {
    for (const id of ids) sourceOf.set(id, sourceCode);
  }
  const excluded = new Set(rules.excluded);
  const roles = new Map<number, LocationRole>();
  for (const [id, location] of locations) {
    const path = pathOf(id, locations);
    const source = path.map(at => sourceOf.get(at)).find(code => code !== undefined);
    if (path.some(at => excluded.has(at))) roles.set(id, { exclusion: 'excluded' });
    else if (location.external && !rules.countExternal) roles.set(id, { exclusion: 'external' });
    else if (rules.sourceMap && source === undefined) roles.set(id, { exclusion: 'no source' });
    else roles.set(id, { sourceCode: source ?? 'default' });
  }
  return roles;
}

/** A location and those above it, the nearest first. */
function pathOf(id: number, locations: Locations): number[] {
  const path: number[] = [];
  for (let at: number | null | undefined = id; at != null && !path.includes(at); at = locations.get(at)?.parent) {
    path.push(at);
  }
  return path;
}
