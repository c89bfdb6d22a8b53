// Ends with 0 if the address answers well, else with 1: the health check of the containers.
const [address] = process.argv.slice(2);
const healthy = await fetch(address, { signal: AbortSignal.timeout(4_000) }).then(
  response => response.ok,
  () => false,
);
process.exit(healthy ? 0 : 1);
