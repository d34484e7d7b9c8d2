# start_postgres, stop_postgres: a throwaway cluster on a private port of the loopback address. Afterward
# $POSTGRES_URL names its database. fsync is off: tests kill processes but never cut the power, and what a process has
# written survives its end without fsync. Hundreds of test schemas are created and dropped several times as fast.

start_postgres() {
  POSTGRES_FOLDER=$(mktemp -d)
  local port attempt
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
  ) || return 1
  # Another program may take a free port before PostgreSQL listens on it: then another port is tried.
  for attempt in 1 2 3 4 5; do
    port=$(free_port)
    if start_postgres_on "$port"; then
      POSTGRES_URL="postgres://techkraft@127.0.0.1:$port/postgres"
      return 0
    fi
    grep -q "could not bind" "$POSTGRES_FOLDER/log" 2>/dev/null || break
    mv "$POSTGRES_FOLDER/log" "$POSTGRES_FOLDER/log.$attempt"
  done
  echo "PostgreSQL did not start, in $attempt attempts" >&2
  cat "$POSTGRES_FOLDER"/log* >&2
  return 1
}

# The messages are English, so that the reason can be found in the log.
start_postgres_on() (
  cd "$POSTGRES_FOLDER"
  $AS_POSTGRES env "PATH=$PATH" LC_ALL=C pg_ctl -D "$POSTGRES_FOLDER/data" -w -l "$POSTGRES_FOLDER/log" \
    -o "-p $1 -c listen_addresses=127.0.0.1 -c unix_socket_directories=$POSTGRES_FOLDER -c max_connections=300 -c fsync=off -c lc_messages=C" \
    start >/dev/null
)

stop_postgres() {
  [ -n "${POSTGRES_FOLDER:-}" ] || return 0
  (cd / && $AS_POSTGRES env "PATH=$PATH" pg_ctl -D "$POSTGRES_FOLDER/data" -m immediate stop >/dev/null 2>&1) || true
  rm -rf "$POSTGRES_FOLDER"
}

# A port that nobody listens on at the moment, below the range from which the kernel takes ports for clients.
free_port() {
  local port
  while :; do
    port=$((20000 + RANDOM % 10000))
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
  done
}
