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
  API_TOKEN=$(make_api_token "$site" "$folder") || status=1
  export API_TOKEN
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

# make_api_token SITE FOLDER: prints a token with all scopes, made by the owner of a new site on its pages. The server's
# log in FOLDER names the file of the first password.
make_api_token() {
  local site=$1 folder=$2 first password="four random words of a test"
  local visit=(curl --fail --silent --show-error --cookie "$folder/cookies" --cookie-jar "$folder/cookies")
  first=$(cat "$(sed -n 's/^Password *in \(.*\)  (good for .*/\1/p' "$folder/log")")
  "${visit[@]}" "$site/admin/sign-in" --data username=admin --data-urlencode "password=$first" >"$folder/page"
  "${visit[@]}" "$site/admin/password" --data-urlencode "current_password=$first" \
    --data-urlencode "new_password=$password" --data-urlencode "repeated_password=$password" >"$folder/page"
  "${visit[@]}" "$site/admin/tokens" --data name=schemathesis --data expires=90 --data-urlencode "password=$password" \
    --data bookings:write=true --data events:read=true --data events:write=true >"$folder/page"
  # Not through a pipe: grep ends at the first match, and curl fails when it cannot write the rest.
  "${visit[@]}" "$site/admin/tokens" >"$folder/page"
  grep --only-matching --max-count=1 'Bearer tk_[A-Za-z0-9_-]*' "$folder/page" | cut -d' ' -f2
}
