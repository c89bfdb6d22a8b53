import { runDemo } from './main';

/** The demo in a container, with a Redis beside it (docker-compose.yml, profile demo). */
const url = process.env.REDIS_URL ?? 'redis://localhost:6379';
runDemo({ redis: { url, description: url }, once: false, dashboardPort: process.env.DASHBOARD_PORT }).then(
  code => process.exit(code),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
