import type { InvenTreeClient } from '@stock-sync/inventree-client';
import { sourceLocations, type SourceLocations, type SourceMap } from '@stock-sync/sync-core';

/** How long the tree of locations is believed, in milliseconds. */
const BELIEVED_MS = 30_000;

/** The locations that feed each source, where SOURCE_MAP is set, by a tree of locations that was read since then. */
export type SourceLocationsSince = (notBefore: number) => Promise<SourceLocations[] | undefined>;

/** Asks for the tree of locations now and then, and whenever what is known is older than asked for. */
export function createSourceLocations(
  inventree: InvenTreeClient,
  sourceMap: SourceMap | undefined,
): SourceLocationsSince {
  let found: { locations: Promise<SourceLocations[]>; readAt: number } | undefined;
  return async notBefore => {
    if (!sourceMap) return undefined;
    const now = Date.now();
    if (!found || found.readAt < Math.max(notBefore, now - BELIEVED_MS)) {
      const locations = inventree.locationParents().then(parents => sourceLocations(sourceMap, parents));
      found = { locations, readAt: now };
      locations.catch(() => (found = undefined));
    }
    return found.locations;
  };
}
