# One image, and the command picks the process: dist/src/server.js is the API, dist/workers/<stage>.js a stage,
# dist/workers/all.js all of them, dist/scripts/migrate.js the migrations. Run it with --init (compose: init: true),
# so that Node is not process 1. deploy/compose.yaml shows a whole installation.

FROM node:20-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY src src
COPY workers workers
COPY migrations migrations
COPY scripts scripts
RUN npm run build && npm prune --omit=dev

FROM node:20-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
USER node
# 8080 is the API, 9090 health and metrics of every process.
EXPOSE 8080 9090
STOPSIGNAL SIGTERM
CMD ["node", "--enable-source-maps", "dist/src/server.js"]
