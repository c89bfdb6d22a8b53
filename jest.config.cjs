/** @type {import('jest').Config} */
module.exports = {
  testMatch: ['<rootDir>/{apps,packages,packages/testing}/*/test/**/*.test.ts'],
  transform: { '^.+\\.ts$': ['@swc/jest', { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' } }] },
  // Each file starts its own servers and processes, on a machine with maybe two cores.
  maxWorkers: 2,
  testTimeout: 60_000,
  forceExit: false,
};
