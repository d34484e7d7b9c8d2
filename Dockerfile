# The image of TechKraft Tickets: the binary, the system's certificates, and nothing that runs besides. docs/install.md says
# how to use it.
#
#   docker build -t techkraft .
#
# BUILD_BASE is a Debian with Rust, BASE one that has nothing, BACKUP_BASE one with PostgreSQL's programs. All are of the
# same release: the binary needs a glibc that is at least as new as the one that it was built with.
ARG BUILD_BASE=docker.io/library/rust:1-slim-bookworm
ARG BASE=docker.io/library/debian:bookworm-slim
ARG BACKUP_BASE=docker.io/library/postgres:17-bookworm

FROM ${BUILD_BASE} AS build
WORKDIR /src
# TLS to PostgreSQL with the system's OpenSSL.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends build-essential libssl-dev pkg-config \
 && rm -rf /var/lib/apt/lists/*
# The dependencies first: they take most of the time, and change rarely. An empty program stands for ours.
COPY .cargo .cargo
COPY Cargo.toml Cargo.lock ./
COPY tests/testkit/Cargo.toml tests/testkit/Cargo.toml
RUN mkdir -p src tests/testkit/src \
 && for file in src/main.rs build.rs $(sed -n 's/^path = "\(benches\/.*\)"/\1/p' Cargo.toml); do \
      mkdir -p "$(dirname "$file")" && echo 'fn main() {}' >"$file"; \
    done \
 && touch src/lib.rs tests/testkit/src/lib.rs \
 && cargo build --release --locked --features postgres-tls --bin techkraft \
 && rm -rf src build.rs target/release/techkraft target/release/deps/*techkraft* target/release/build/techkraft-* \
      target/release/.fingerprint/techkraft-*
COPY askama.toml build.rs ./
COPY migrations migrations
COPY static static
COPY templates templates
COPY src src
RUN cargo build --release --locked --features postgres-tls --bin techkraft \
 && cp target/release/techkraft /usr/bin/techkraft

# The same binary beside pg_dump and pg_restore, for backups of PostgreSQL: compose.yaml uses it.
FROM ${BACKUP_BASE} AS backup
COPY --from=build /usr/bin/techkraft /usr/bin/techkraft
RUN mkdir /backups && chown 65532:65532 /backups && chmod 700 /backups
USER 65532:65532
VOLUME /backups
WORKDIR /backups
ENTRYPOINT ["/usr/bin/techkraft"]
CMD ["backup", "/backups", "--keep", "48", "--keep-days", "30"]

FROM ${BASE}
# `scripts/release` sets both. An image that is built by hand is of no release: its binary says the version of Cargo.toml.
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="TechKraft Tickets" \
      org.opencontainers.image.description="Sells concert tickets, and never the same one twice." \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# Certificates for mail servers, Redis and PostgreSQL; OpenSSL for the last. No shell is needed to run it.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates libssl3 \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/* \
 && mkdir /data \
 && chown 65532:65532 /data \
 && chmod 700 /data
COPY --from=build /usr/bin/techkraft /usr/bin/techkraft
# Nobody of the host has this number. It has no name in here, and needs none.
USER 65532:65532
# What is kept: the SQLite file, its secret, the mails where there is no mail server. Everything else may be read-only.
VOLUME /data
WORKDIR /data
ENV BIND=0.0.0.0:3000 \
    DATABASE_URL=sqlite:/data/techkraft.db \
    MAIL_DIR=/data/mail \
    TMPDIR=/data
EXPOSE 3000
# SIGTERM starts the drain.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=6s --start-period=60s --retries=3 CMD ["/usr/bin/techkraft", "health"]
ENTRYPOINT ["/usr/bin/techkraft"]
CMD ["serve"]
