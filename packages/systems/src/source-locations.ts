import type { InvenTreeClient } from '@stock-sync/inventree-client';
import type { LocationsVersion } from '@stock-sync/queue';
import { sourceLocations, type SourceLocations, type SourceMap } from '@stock-sync/sync-core';

/** How long the tree of locations is believed, in milliseconds. */
const BELIEVED_MS = 30_000;

/** The locations that feed each source, where SOURCE_MAP is set, by a tree that was read then or later. */
export type SourceLocationsSince = (notBefore?: number) => Promise<SourceLocations[] | undefined>;

/** Asks for the tree of locations now and then, and whenever somebody said that it may have changed. */
export function createSourceLocations(given: {
  inventree: InvenTreeClient;
  version: LocationsVersion;
  sourceMap: SourceMap | undefined;
}): SourceLocationsSince {
  const { inventree, version, sourceMap } = given;
  let found: { locations: Promise<SourceLocations[]>; version: number; readAt: number } | undefined;
  return async (notBefore = 0) => {
    if (!sourceMap) return undefined;
    const current = await version.current();
    const now = Date.now();
    if (found?.version !== current || found.readAt < Math.max(notBefore, now - BELIEVED_MS)) {
      const locations = inventree.locationParents().then(parents => sourceLocations(sourceMap, parents));
      found = { locations, version: current, readAt: now };
      locations.catch(() => (found = undefined));
    }
    return found.locations;
  };
}
