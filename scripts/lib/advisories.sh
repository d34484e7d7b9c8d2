# check_advisories [--must-be-fresh]: fails if an advisory of RustSec names a crate of ours, and says how old the copy of
# RustSec's data is; with the option it also fails if the copy is too old. name_c_libraries: prints the C libraries in
# the binary, which RustSec does not cover.
#
# ADVISORY_DB names a clone of https://github.com/RustSec/advisory-db, for networks that do not reach GitHub.

ADVISORY_DAYS_MAX=60

check_advisories() {
  local db day age why
  db=$(advisory_folder)
  if [ -n "${ADVISORY_DB:-}" ]; then
    rm -rf "$db"
    git clone --quiet --depth 1 "file://$(realpath "$ADVISORY_DB")" "$db"
  else
    # Without a connection this fails; an older copy may do.
    timeout 60 cargo deny --log-level error fetch db 2>/dev/null || true
  fi
  day=$(git -C "$db" log -1 --format=%cs 2>/dev/null || true)
  if [ -z "$day" ]; then
    why="their database could not be fetched, and there is no copy of it"
  else
    cargo deny --offline --log-level error check advisories
    age=$((($(date +%s) - $(date -d "$day" +%s)) / 86400))
    notes+=("Advisories: none of those known on $day, $age days ago, names a crate of ours")
    [ "$age" -gt "$ADVISORY_DAYS_MAX" ] || return 0
    why="what is known of them is $age days old, and $ADVISORY_DAYS_MAX are allowed"
  fi
  # A machine that does not reach GitHub cannot do better. A release is made where it can.
  if [ "${1:-}" = "--must-be-fresh" ]; then
    printf '\nAdvisories: %s. Let this machine reach github.com, or set ADVISORY_DB to a newer clone.\n' "$why" >&2
    exit 1
  fi
  notes+=("Advisories: NOT up to date, $why. ADVISORY_DB may name a newer clone")
}

# Where cargo-deny looks: it names the folder after a hash of the URL.
advisory_folder() {
  local home=${CARGO_HOME:-$HOME/.cargo}
  echo "$home/advisory-dbs/advisory-db-3157b0e258782691"
}

# Versions come from Cargo.lock and from the sources that it names. docs/security.md says where each project announces
# weaknesses.
name_c_libraries() {
  local sources=${CARGO_HOME:-$HOME/.cargo}/registry/src sqlite libpq mimalloc ring
  sqlite=$(defined SQLITE_VERSION "$sources"/*/"$(crate libsqlite3-sys)"/sqlite3/sqlite3.h)
  libpq=$(crate pq-src)
  # Its version is a number: 30302 is 3.3.2.
  mimalloc=$(defined MI_MALLOC_VERSION "$sources"/*/"$(crate libmimalloc-sys)"/c_src/mimalloc/v3/include/mimalloc.h)
  ring=$(crate ring)
  [ -n "$sqlite" ] && [ -n "$mimalloc" ] || {
    echo "The sources of SQLite or mimalloc are not where they were: fix name_c_libraries" >&2
    return 1
  }
  notes+=("C libraries in the binary: SQLite $sqlite, libpq ${libpq##*+libpq-}, mimalloc $((mimalloc / 10000)).$((mimalloc / 100 % 100)).$((mimalloc % 100)), and ring's C and assembly (${ring/-/ })")
  notes+=("C library of the system, with postgres-tls: OpenSSL $(pkg-config --modversion openssl 2>/dev/null || echo "none here")")
}

# The value of a macro in a header.
defined() {
  sed -n "s/^#define $1  *\"\{0,1\}\([0-9.]*\).*/\1/p" "$2"
}

# The folder of a crate in the version that Cargo.lock names.
crate() {
  awk -v name="$1" -F'"' '$1 == "name = " { found = $2 == name } found && $1 == "version = " { print name "-" $2; exit }' Cargo.lock
}
