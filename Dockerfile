# One image for ingest, worker and dashboard; the command chooses which of them runs (see docker-compose.yml).

FROM node:22-slim AS build
WORKDIR /app
COPY . .
# Builds, and removes the dependencies that are not needed at run time.
RUN npm run build:production

FROM node:22-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/package.json /app/package.json
COPY --from=build /app/node_modules /app/node_modules
COPY --from=build /app/packages /app/packages
COPY --from=build /app/apps /app/apps
RUN ln -s /app/apps/cli/bin/stock-sync.mjs /usr/local/bin/stock-sync
USER node
CMD ["node", "apps/ingest/dist/main.js"]
