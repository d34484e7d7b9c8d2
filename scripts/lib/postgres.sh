# start_postgres, stop_postgres: a throwaway cluster on a private port of the loopback address. Afterward
# $POSTGRES_URL names its database. Durability is as in production: fsync and synchronous_commit are on.

start_postgres() {
  POSTGRES_FOLDER=$(mktemp -d)
  local port=${1:-}
  [ -n "$port" ] || port=$(free_port)
  if [ "$(id -u)" = 0 ]; then
    # PostgreSQL refuses to run as root.
    chown postgres "$POSTGRES_FOLDER"
    AS_POSTGRES="runuser -u postgres --"
  else
    AS_POSTGRES=""
  fi
  (
    cd "$POSTGRES_FOLDER"
    $AS_POSTGRES env "PATH=$PATH" initdb -D "$POSTGRES_FOLDER/data" -U techkraft -A trust -E UTF8 --no-sync >/dev/null
    $AS_POSTGRES env "PATH=$PATH" pg_ctl -D "$POSTGRES_FOLDER/data" -w -l "$POSTGRES_FOLDER/log" \
      -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories=$POSTGRES_FOLDER -c max_connections=300" \
      start >/dev/null
  ) || { cat "$POSTGRES_FOLDER/log" >&2; return 1; }
  POSTGRES_URL="postgres://techkraft@127.0.0.1:$port/postgres"
}

stop_postgres() {
  [ -n "${POSTGRES_FOLDER:-}" ] || return 0
  (cd / && $AS_POSTGRES env "PATH=$PATH" pg_ctl -D "$POSTGRES_FOLDER/data" -m immediate stop >/dev/null 2>&1) || true
  rm -rf "$POSTGRES_FOLDER"
}

# A port that nobody listens on, below the range from which the kernel takes ports for clients.
free_port() {
  local port
  while :; do
    port=$((20000 + RANDOM % 10000))
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
  done
}
