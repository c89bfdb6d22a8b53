import type { SourceLocations } from './target-stock';

/** For each Magento source code the InvenTree locations that feed it, as SOURCE_MAP says. */
export type SourceMap = Readonly<Record<string, readonly number[]>>;

/**
 * The locations that feed each source, sub-locations included. The nearest location above that the map names decides,
 * so the map can give a sub-location to another source.
 * @param parents for each location the one above it; null at the top
 */
export function sourceLocations(map: SourceMap, parents: ReadonlyMap<number, number | null>): SourceLocations[] {
  const sourceOf = new Map<number, string>();
  for (const [sourceCode, locations] of Object.entries(map)) {
    for (const location of locations) sourceOf.set(location, sourceCode);
  }
  const bySource = new Map<string, Set<number>>(Object.keys(map).map(sourceCode => [sourceCode, new Set<number>()]));
  for (const location of new Set([...parents.keys(), ...sourceOf.keys()])) {
    const source = nearestSource(location, sourceOf, parents);
    if (source !== undefined) bySource.get(source)?.add(location);
  }
  return [...bySource].map(([sourceCode, locations]) => ({ sourceCode, locations }));
}

function nearestSource(
  location: number,
  sourceOf: ReadonlyMap<number, string>,
  parents: ReadonlyMap<number, number | null>,
): string | undefined {
  const visited = new Set<number>();
  for (let at: number | null | undefined = location; at != null && !visited.has(at); at = parents.get(at)) {
    const source = sourceOf.get(at);
    if (source !== undefined) return source;
    visited.add(at);
  }
  return undefined;
}
