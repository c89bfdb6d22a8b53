import type { InvenTreeClient } from '@stock-sync/inventree-client';
import { sourceLocations, type SourceLocations, type SourceMap } from '@stock-sync/sync-core';

/** How long the tree of locations is believed, in milliseconds. */
const BELIEVED_MS = 30_000;

/** The locations that feed each source, where SOURCE_MAP is set; the tree of locations is asked for now and then. */
export function createSourceLocations(
  inventree: InvenTreeClient,
  sourceMap: SourceMap | undefined,
): () => Promise<SourceLocations[] | undefined> {
  let found: { locations: Promise<SourceLocations[]>; until: number } | undefined;
  return async () => {
    if (!sourceMap) return undefined;
    if (!found || Date.now() > found.until) {
      const locations = inventree.locationParents().then(parents => sourceLocations(sourceMap, parents));
      found = { locations, until: Date.now() + BELIEVED_MS };
      locations.catch(() => (found = undefined));
    }
    return found.locations;
  };
}
