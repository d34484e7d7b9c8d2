# run_schemathesis DATABASE_URL: schemathesis with all of its checks against the server's own OpenAPI document, on
# a server of its own with that database. The seed is fixed: what fails here fails again.

SCHEMATHESIS_VERSION=4.32.5
# For each operation. A run takes some twenty seconds.
SCHEMATHESIS_EXAMPLES=100

run_schemathesis() {
  local url=$1 folder site server status=0
  need_python_tool schemathesis "$SCHEMATHESIS_VERSION"
  folder=$(mktemp -d)
  # The kernel picks a port that is free, and the server prints it.
  DATABASE_URL=$url MAIL_DIR=$folder/mail BIND=127.0.0.1:0 RATE_LIMITS=off RUST_LOG=warn \
    target/debug/techkraft >"$folder/log" 2>&1 &
  server=$!
  for _ in {1..200}; do
    site=$(sed -n 's/^TechKraft Tickets *\(http:[^ ]*\).*/\1/p' "$folder/log")
    [ -z "$site" ] || break
    sleep 0.1
  done
  (
    cp tests/schemathesis.toml "$folder/schemathesis.toml"
    # schemathesis writes its examples into its working folder.
    cd "$folder"
    "$PYTHON_TOOL" run "$site/api/v1/openapi.json" --wait-for-schema 20 --checks all \
      --max-examples "$SCHEMATHESIS_EXAMPLES" --workers 2 --continue-on-failure --seed 8 --no-color
  ) || status=$?
  kill "$server" && wait "$server" || status=1
  [ "$status" = 0 ] || cat "$folder/log" >&2
  DATABASE_URL=$url target/debug/techkraft verify || status=1
  rm -rf "$folder"
  return "$status"
}
