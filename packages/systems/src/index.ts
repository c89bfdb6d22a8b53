export { systemsConfiguration, settingsFingerprint, type SystemsConfiguration } from './configuration';
export { connectToSystems, type Systems } from './systems';
export { createSourceLocations, type SourceLocationsSince } from './source-locations';
export { createReadsWork } from './reads-work';
export { createKnownProducts, type ProductQuestion } from './known-products';
