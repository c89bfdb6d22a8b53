import { commonSettings } from '@stock-sync/service';

/** The settings of the commands: only Redis, because the workers do the work. */
export const cliSettings = commonSettings;
