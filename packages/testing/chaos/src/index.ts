export { runChaos, type ChaosOptions } from './run-chaos';
export { runOrderDay, type OrderDayOptions, type OrderDayResult } from './order-day';
export { runSeed, PATIENCE_SECONDS, type SeedOptions, type SeedResult } from './run-seed';
export { scheduleOf, type Schedule } from './schedule';
export { MUTANTS } from './mutants';
export { RULE_MUTANTS } from './rule-mutants';
