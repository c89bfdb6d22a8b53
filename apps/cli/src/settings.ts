import { commonSettings, historyDatabaseSettings, type SettingsValues } from '@stock-sync/service';

/** The settings of the commands: only Redis and the history, because the workers do the work. */
export const cliSettings = { ...commonSettings, ...historyDatabaseSettings };

export type CliSettings = SettingsValues<typeof cliSettings>;
