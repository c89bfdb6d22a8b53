import {
  commonSettings,
  dashboardAddress,
  setting,
  tracingSettings,
  type Settings,
  type SettingsValues,
} from '@stock-sync/service';

/** The settings of ingest. */
export const ingestSettings = {
  ...commonSettings,
  ...dashboardAddress,
  ...tracingSettings,
  INGEST_PORT: setting.wholeNumber(3000, 0, 65_535).describe('The port for webhooks, and for nothing else.'),
  INGEST_OPERATOR_PORT: setting
    .wholeNumber(3003, 0, 65_535)
    .describe('The port for health, metrics and status. InvenTree need not reach it, and nobody outside should.'),
  WEBHOOK_SECRET: setting
    .webhookSecrets()
    .describe('The secret that the plugin signs with, `whsec_...`. While you change it: both, separated by a comma.'),
  MAGENTO_WEBHOOK_SECRET: setting
    .webhookSecrets()
    .optional()
    .describe(
      'The secret that the store signs with when it says that an order changed, `whsec_...`; without it, orders are ' +
        'only looked for from time to time.',
    ),
  INVENTREE_INSTANCE: setting
    .optionalText()
    .describe('The id of the only InvenTree whose webhooks are accepted; without it, the first that sends one.'),
  SYNC_ON_CREATE: setting.switch(true).describe('Whether events about something created are handled.'),
  SYNC_ON_UPDATE: setting.switch(true).describe('Whether events about something changed are handled.'),
  SYNC_ON_DELETE: setting.switch(true).describe('Whether events about something deleted are handled.'),
  SYNC_DELAY_MS: setting
    .wholeNumber(100, 0, 60_000)
    .describe('How long a part waits for further events before it is synced, counted from the first event.'),
  INGEST_RATE_LIMIT: setting
    .wholeNumber(120_000, 0, 100_000_000)
    .describe('Requests per client and minute; `0`: no limit.'),
} satisfies Settings;

export type IngestSettings = SettingsValues<typeof ingestSettings>;
