export { systemsConfiguration, settingsFingerprint, type SystemsConfiguration } from './configuration';
export { connectToSystems, type Systems } from './systems';
export { createSourceLocations, type SourceLocationsSince } from './source-locations';
export { createKnownProducts, type ProductQuestion } from './known-products';
