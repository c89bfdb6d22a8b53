// The health check of the containers: exits with 0 if the address answers 2xx, otherwise with 1.
const [address] = process.argv.slice(2);
const healthy = await fetch(address, { signal: AbortSignal.timeout(4_000) }).then(
  response => response.ok,
  () => false,
);
process.exit(healthy ? 0 : 1);
