# syntax=docker/dockerfile:1

# Only JavaScript is copied out of the first two stages: they run on the builder's own processor, whatever
# the target's. The npm package `node`, which brings Node 24 to older machines, is not needed here: without
# its install script it is empty.

FROM --platform=$BUILDPLATFORM node:24-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src src
RUN npm run build

FROM --platform=$BUILDPLATFORM node:24-bookworm-slim AS dependencies
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts
# Two thirds of the bytes are for compilers, debuggers and the runtime Bare: types, maps and its binaries.
RUN find node_modules -type f -regex '.*\.\([cm]?ts\|map\|bare\)' -delete
# The AWS SDK comes twice; Node loads the other form.
RUN rm -rf node_modules/@aws-sdk/*/dist-es node_modules/@smithy/*/dist-es

# Node 24 and nothing else: no shell, no package manager. For amd64 and arm64.
FROM gcr.io/distroless/nodejs24-debian13:latest

ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="Frostbeat" \
      org.opencontainers.image.description="Collects every log line of a trace from a Kubernetes node" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.licenses="Apache-2.0"

# Each thread's own arena would keep what it once took: 3 MB less without.
ENV NODE_ENV=production MALLOC_ARENA_MAX=1
WORKDIR /app
COPY --from=dependencies /build/node_modules node_modules
COPY --from=build /build/dist dist
COPY package.json LICENSE ./

# Uid 0, because the kubelet's log files are root's, mode 0640 or 0600. It needs no capability but to read
# them: the chart takes the others away.
USER 0
EXPOSE 8080
STOPSIGNAL SIGTERM
# A larger nursery gains nothing and costs memory, a smaller one costs time; threads of V8 cost time and memory;
# the collector is called when the agent comes to rest (docs/performance.md).
ENTRYPOINT ["/nodejs/bin/node", "--max-semi-space-size=8", "--initial-old-space-size=64", "--single-threaded", "--expose-gc", "/app/dist/main.js"]
CMD ["agent"]
