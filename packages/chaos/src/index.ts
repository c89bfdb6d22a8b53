export { runChaos, type ChaosOptions } from './run-chaos';
export { runSeed, type SeedResult } from './run-seed';
export { scheduleOf, type Schedule } from './schedule';
