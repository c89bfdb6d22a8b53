import { DEFAULT_SOURCE, type SourceMap } from '@stock-sync/domain';
import { CallError } from '@stock-sync/http-client';
import { PROBE_SKU, type MagentoClient, type Source, type WebsiteStock } from '@stock-sync/magento-client';
import { errorMessage, type Log } from '@stock-sync/service';
import type { StartProblems } from '@stock-sync/state';
import type { DetectedStockApi } from './connections';
import type { OfferRules } from './offer-rules';

/** After how long the check is repeated where a system did not answer, in milliseconds. */
const REPEAT_MS = 30_000;

/**
 * Checks once, at start-up, what no event would show: Redis, rights, and whether the sources that are written sell.
 */
export interface StartChecks {
  /** Logs every problem and stores it for /status. Never rejects. */
  run(): Promise<void>;
  stop(): void;
}

/** Checks without changing anything. */
export function createStartChecks(deps: {
  magento: MagentoClient;
  stockApi: DetectedStockApi;
  offerRules: OfferRules;
  redisProblems: () => Promise<string[]>;
  /** Rejects while calls to Magento must wait. */
  requireMagento: () => Promise<void>;
  sourceMap: SourceMap | undefined;
  stored: StartProblems;
  log: Log;
}): StartChecks {
  const { magento, stockApi, log } = deps;
  const written = Object.keys(deps.sourceMap ?? { [DEFAULT_SOURCE]: [] });
  let repeating: NodeJS.Timeout | undefined;

  async function run(): Promise<void> {
    try {
      await deps.requireMagento();
      const problems = await findProblems();
      for (const problem of problems) log.error(`Start-up check: ${problem}`);
      await deps.stored.set({ at: Date.now(), problems });
    } catch (error) {
      log.debug(`The start-up check is repeated in ${REPEAT_MS / 1000} s: ${errorMessage(error)}`);
      repeating = setTimeout(() => void run(), REPEAT_MS);
    }
  }

  async function findProblems(): Promise<string[]> {
    const redis = await deps.redisProblems();
    return [...redis, ...(await findSystemProblems())];
  }

  async function findSystemProblems(): Promise<string[]> {
    const wrongSettings = [
      ...(await failureOf(() => deps.offerRules.offers(Date.now()))),
      ...(await failureOf(stockApi.get)),
    ];
    // A source or a location that does not exist: nothing is written, and nothing more can be checked.
    if (wrongSettings.length > 0) return wrongSettings;
    const { kind } = await stockApi.get();
    // Wrong credentials are reported by the breaker; what is missing beside them cannot be told.
    await magento.probeReads(kind);
    const missingRights = await failureOf(() => magento.readStockItem(PROBE_SKU));
    if (kind !== 'source-items') return missingRights;
    missingRights.push(...(await failureOf(magento.probeEmptyWrite)));
    const sources = (await magento.sources()) ?? [];
    return [...missingRights, ...sellingProblems(written, sources, await websiteStocks())];
  }

  /** Undefined where the integration may not read them. */
  async function websiteStocks(): Promise<WebsiteStock[] | undefined> {
    try {
      return await magento.websiteStocks();
    } catch (error) {
      if (!(error instanceof CallError) || error.kind === 'no-answer' || error.kind === 'unavailable') throw error;
      log.info(`Which stock the websites sell from is not checked: ${error.message}`);
      return undefined;
    }
  }

  return { run, stop: () => clearTimeout(repeating) };
}

/** Why a call is refused for lack of a right, or because of a setting, if it is; rejects where it failed otherwise. */
async function failureOf(call: () => Promise<unknown>): Promise<string[]> {
  try {
    await call();
    return [];
  } catch (error) {
    if (!(error instanceof CallError) || error.kind !== 'credentials') throw error;
    return [error.message];
  }
}

/**
 * Whether what is written is for sale. A website that sells from a stock of other sources shows nothing of it, although
 * every write succeeds (docs/facts/magento.md, "Differences and traps").
 */
export function sellingProblems(
  written: readonly string[],
  sources: readonly Source[],
  stocks: readonly WebsiteStock[] | undefined,
): string[] {
  const disabled = written
    .filter(code => sources.some(source => source.code === code && !source.enabled))
    .map(code => `source '${code}' is disabled in Magento, so what is written there is not for sale. Enable it`);
  const unfed = (stocks ?? []).flatMap(({ website, stock, sources: selling }) => {
    const codes = selling.filter(({ enabled }) => enabled).map(({ code }) => code);
    if (codes.some(code => written.includes(code))) return [];
    return [
      `website '${website}' sells from stock '${stock}' with the sources ${codes.join(', ') || '(none)'}, and only ` +
        `${written.join(', ')} is written: name its sources in SOURCE_MAP, or assign ${written[0] ?? ''} to that stock`,
    ];
  });
  return [...disabled, ...unfed];
}
