/** @type {import('jest').Config} */
module.exports = {
  testMatch: ['<rootDir>/{apps,packages,packages/testing}/*/test/**/*.test.ts'],
  transform: { '^.+\\.ts$': ['@swc/jest', { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' } }] },
  // Each file starts servers and processes of its own, on a machine with perhaps two cores.
  maxWorkers: 2,
  testTimeout: 60_000,
  forceExit: false,
};
