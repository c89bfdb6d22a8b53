import { sourceLocations, type SourceLocations, type SourceMap } from '@stock-sync/domain';
import { CallError } from '@stock-sync/http-client';
import type { InvenTreeClient } from '@stock-sync/inventree-client';
import type { LocationsVersion } from '@stock-sync/state';

/** How long a tree of locations is used, in milliseconds. */
const USED_MS = 30_000;

/** The locations that feed each Magento source. */
export interface LocationTree {
  /** By a tree that was read at this time or later (milliseconds since 1970); undefined where SOURCE_MAP is not set. */
  sources(notBefore?: number): Promise<SourceLocations[] | undefined>;
}

/** Reads InvenTree's locations from time to time, and whenever they may have changed. */
export function createLocationTree(deps: {
  inventree: InvenTreeClient;
  version: LocationsVersion;
  sourceMap: SourceMap | undefined;
}): LocationTree {
  const { inventree, version, sourceMap } = deps;
  let last: { sources: Promise<SourceLocations[]>; version: number; readAt: number } | undefined;
  return {
    async sources(notBefore = 0) {
      if (!sourceMap) return undefined;
      const current = await version.get();
      const now = Date.now();
      if (last?.version !== current || last.readAt < Math.max(notBefore, now - USED_MS)) {
        const sources = inventree.locationParents().then(parents => {
          requireLocations(sourceMap, parents);
          return sourceLocations(sourceMap, parents);
        });
        last = { sources, version: current, readAt: now };
        sources.catch(() => (last = undefined));
      }
      return last.sources;
    },
  };
}

/** An unknown location would count as empty, and take every part of its source to zero. */
function requireLocations(sourceMap: SourceMap, parents: ReadonlyMap<number, number | null>): void {
  const unknown = Object.entries(sourceMap).flatMap(([source, locations]) =>
    locations.filter(location => !parents.has(location)).map(location => `${location} (source ${source})`),
  );
  if (unknown.length === 0) return;
  const message = `SOURCE_MAP names locations that InvenTree does not have: ${unknown.join(', ')}. Fix SOURCE_MAP`;
  throw new CallError('InvenTree', 'credentials', message);
}
