# Deskless as one image: the program with GraphiQL inside, nothing else. Needs PostgreSQL 15 or newer (docker-compose.yml).
#
# How it was tried: `docker compose config` is checked by .ci/run where Docker is available; the image itself has not been
# built on a machine with a Docker engine yet. The build commands are the ones CI runs outside of Docker.

FROM node:20-bookworm-slim AS web
WORKDIR /src/web
COPY web/package.json web/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY web/ ./
RUN npm run build

FROM rust:1.95-bookworm AS build
WORKDIR /src
ENV SQLX_OFFLINE=true
COPY . .
COPY --from=web /src/web/dist web/dist
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    cargo build --release --locked && install -D target/release/deskless /out/deskless

FROM debian:bookworm-slim
RUN useradd --system --uid 10001 --home-dir /var/lib/deskless --create-home deskless
COPY --from=build /out/deskless /usr/local/bin/deskless
USER 10001
ENV DESKLESS_SERVER__LISTEN=0.0.0.0:8080 DESKLESS_DATA_DIR=/var/lib/deskless DESKLESS_LOG__JSON=true
VOLUME /var/lib/deskless
EXPOSE 8080
# The program asks itself: the image has no shell tools for it.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 CMD ["deskless", "healthcheck"]
# SIGTERM finishes what is in flight.
STOPSIGNAL SIGTERM
ENTRYPOINT ["deskless"]
CMD ["serve"]
