# test_debian_package: installs the package in a clean Debian, sells a ticket, upgrades, removes and purges it.
# test_compose: both forms of compose.yaml are valid, the small one without any setting, and Caddy accepts its file.
# test_image: builds the image from a clean Debian, sells a ticket in it, stops it, and finds the ticket again.
#
# The first and the last need root, but no image registry: mmdebstrap makes the root file systems from Debian's packages.

# Makes a root file system of this machine's release of Debian. $1: a folder or an archive; the others: packages.
make_debian() {
  local place=$1 release sources=() arguments=()
  shift
  [ $# = 0 ] || arguments=(--include="$(IFS=,; echo "$*")")
  release=$(. /etc/os-release && echo "$VERSION_CODENAME")
  mapfile -t sources < <(find /etc/apt/sources.list /etc/apt/sources.list.d -name '*.list' -o -name '*.sources' 2>/dev/null)
  mmdebstrap --quiet --variant=minbase "${arguments[@]}" "$release" "$place" "${sources[@]}"
}

# Waits for the line with the site's address in a log, and prints it.
site_of() {
  local log=$1 site=""
  for _ in {1..300}; do
    site=$(sed -n 's/^TechKraft Tickets *\(http:[^ ]*\).*/\1/p' "$log")
    [ -z "$site" ] || { echo "$site"; return; }
    sleep 0.1
  done
  echo "it does not start:" >&2
  cat "$log" >&2
  return 1
}

# Books one ticket through the API, and prints the link of the booking.
book_one() {
  local site=$1 key
  shift
  key=$(cat /proc/sys/kernel/random/uuid)
  curl --silent --show-error --fail "$site/api/v1/bookings" "$@" -H 'Content-Type: application/json' \
    -H "Idempotency-Key: \"$key\"" \
    -d '{"ticketTypeId": "1", "quantity": 1, "name": "Ada Lovelace", "email": "ada@example.org"}' |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["token"])'
}

# Whether the booking with that token exists.
is_booked() {
  curl --silent --fail "$1/api/v1/bookings/$2" | grep '"status":"confirmed"' >/dev/null
}

test_debian_package() {
  local work root server token site
  need_cargo_tool cargo-deb 3.8.0
  need_packages mmdebstrap:mmdebstrap curl:curl python3:python3
  work=$(mktemp -d)
  root=$work/root
  # The binary of the tests, and quick compression: this test is about neither speed nor size.
  cargo deb --quiet --no-build --strip --fast --compress-system --compress-type gz --profile dev --output "$work/old.deb" --deb-version 1.0.0-1
  cargo deb --quiet --no-build --strip --fast --compress-system --compress-type gz --profile dev --output "$work/new.deb" --deb-version 1.0.1-1
  make_debian "$root" ca-certificates libssl3 systemd util-linux
  cp "$work"/*.deb "$root/"

  chroot "$root" dpkg --install /old.deb
  [ "$(stat -c %a "$root/etc/techkraft/techkraft.env")" = 600 ]
  [ "$(stat -c %a "$root/var/lib/techkraft")" = 700 ]
  # Starts it as the unit does: the same user, folder and settings. There is no systemd here that would.
  serve_in() {
    install -m 600 -o "$(stat -c %u "$root/var/lib/techkraft")" "$root/etc/techkraft/techkraft.env" "$root/var/lib/techkraft/.env"
    : >"$work/log"
    BIND=127.0.0.1:0 OPS_BIND='' chroot "$root" setpriv --reuid techkraft --regid techkraft --clear-groups \
      sh -c 'cd /var/lib/techkraft && exec techkraft serve' >"$work/log" 2>&1 &
    server=$!
    site=$(site_of "$work/log")
  }
  serve_in
  token=$(book_one "$site")
  is_booked "$site" "$token"

  # An upgrade first makes a verified backup, and the server keeps selling meanwhile.
  chroot "$root" dpkg --install /new.deb
  [ "$(find "$root/var/backups/techkraft" -name '*.db' | wc -l)" = 1 ]
  # The backup is recorded, so that /admin/setup shows it.
  [ "$(python3 -c 'import sqlite3, sys
print(sqlite3.connect(sys.argv[1]).execute("SELECT count(*) FROM setup_notes WHERE name = ?", ("backup",)).fetchone()[0])' \
    "$root/var/lib/techkraft/techkraft.db")" = 1 ]
  is_booked "$site" "$token"
  kill "$server" && wait "$server"
  serve_in
  is_booked "$site" "$token"
  kill "$server" && wait "$server"

  # A backup that fails stops the upgrade.
  mv "$root/var/lib/techkraft/techkraft.db" "$root/var/lib/techkraft/kept.db"
  echo nonsense >"$root/var/lib/techkraft/techkraft.db"
  ! chroot "$root" dpkg --install /new.deb 2>"$work/refused" || return 1
  grep -q "nothing was upgraded" "$work/refused"
  mv "$root/var/lib/techkraft/kept.db" "$root/var/lib/techkraft/techkraft.db"

  chroot "$root" dpkg --remove techkraft
  [ -e "$root/var/lib/techkraft/techkraft.db" ] && [ -e "$root/etc/techkraft/techkraft.env" ]
  [ ! -e "$root/usr/bin/techkraft" ]
  chroot "$root" dpkg --purge techkraft
  [ ! -e "$root/var/lib/techkraft" ] && [ ! -e "$root/etc/techkraft" ]
  ! chroot "$root" getent passwd techkraft || return 1
  [ "$(find "$root/var/backups/techkraft" -name '*.db' | wc -l)" = 1 ]
  rm -rf "$work"
}

test_compose() {
  local folder
  need_packages caddy:caddy docker-compose:docker-compose
  folder=$(mktemp -d)
  cp compose.yaml "$folder"
  docker-compose --project-directory "$folder" --file "$folder/compose.yaml" --profile small config --quiet
  cp deploy/compose/example.env "$folder/.env"
  docker-compose --project-directory "$folder" --file "$folder/compose.yaml" --profile full --profile redis config --quiet
  rm -rf "$folder"
  SITE_NAME=tickets.example.org caddy validate --config deploy/caddy/Caddyfile --adapter caddyfile 2>&1 |
    grep --fixed-strings --line-regexp "Valid configuration"
}

IMAGE_MEGABYTES_MAX=60

test_image() {
  local work base image container server site token before after cargo=${CARGO_HOME:-$HOME/.cargo}
  local run=(buildah run --isolation=chroot)
  need_packages mmdebstrap:mmdebstrap buildah:buildah curl:curl python3:python3
  work=$(mktemp -d)
  make_debian "$work/base.tar"
  base=$(buildah from scratch)
  buildah add --quiet "$base" "$work/base.tar" / >/dev/null
  buildah commit --quiet "$base" localhost/techkraft-test-base >/dev/null
  # The same with this machine's Rust. The binary is compiled quickly, and is larger and slower than that of a real
  # image, so the limit of its size holds for that one too.
  buildah config --env "PATH=$cargo/bin:/usr/sbin:/usr/bin:/sbin:/bin" --env "CARGO_HOME=$cargo" \
    --env "RUSTUP_HOME=${RUSTUP_HOME:-$HOME/.rustup}" --env CARGO_PROFILE_RELEASE_OPT_LEVEL=1 \
    --env CARGO_PROFILE_RELEASE_LTO=off --env CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 "$base"
  buildah commit --quiet "$base" localhost/techkraft-test-build >/dev/null
  buildah rm "$base" >/dev/null

  # Compiled dependencies are kept for the next run, like the layers of a container engine. No stage comes from a registry.
  mkdir -p target/image
  buildah build --quiet --format docker --isolation=chroot --ulimit nofile=20000:20000 \
    --volume "$PWD/target/image:/src/target" --build-arg BACKUP_BASE=localhost/techkraft-test-base \
    --volume "$cargo:$cargo" --volume "${RUSTUP_HOME:-$HOME/.rustup}:${RUSTUP_HOME:-$HOME/.rustup}:ro" \
    --build-arg BUILD_BASE=localhost/techkraft-test-build --build-arg BASE=localhost/techkraft-test-base \
    --tag localhost/techkraft-test . >/dev/null
  before=$(buildah images --json localhost/techkraft-test-base | python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["size"])')
  after=$(buildah images --json localhost/techkraft-test | python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["size"])')
  notes+=("Image: $after, its base $before")
  [ "$(python3 -c 'import re, sys
def mb(text):
    number, unit = re.match(r"([0-9.]+) *([kMG]?B)", text).groups()
    return float(number) * {"B": 1e-6, "kB": 1e-3, "MB": 1, "GB": 1e3}[unit]
print(int(mb(sys.argv[1]) - mb(sys.argv[2]) > float(sys.argv[3])))' "$after" "$before" "$IMAGE_MEGABYTES_MAX")" = 0 ]
  inspect() { buildah inspect --type image --format "{{.Docker.Config.$1}}" localhost/techkraft-test; }
  [ "$(inspect User)" = 65532:65532 ] && [ "$(inspect StopSignal)" = SIGTERM ]
  inspect Healthcheck.Test | grep 'techkraft health' >/dev/null

  container=$(buildah from localhost/techkraft-test)
  mkdir "$work/data" && chown 65532:65532 "$work/data" && chmod 700 "$work/data"
  run+=(--volume "$work/data:/data" --user 65532:65532)
  start() {
    : >"$work/log"
    "${run[@]}" --env BIND=127.0.0.1:0 --env API_BOOKINGS=anonymous "$container" -- /usr/bin/techkraft serve >"$work/log" 2>&1 &
    server=$!
    site=$(site_of "$work/log")
  }
  # Sends SIGTERM to the program in this container only: buildah's own processes forward no signal.
  stop() {
    local pid parent
    for pid in $(pgrep --exact techkraft); do
      parent=$pid
      while [ "${parent:-0}" -gt 1 ] && [ "$parent" != "$server" ]; do
        parent=$(ps -o ppid= -p "$parent" | tr -d ' ')
      done
      [ "$parent" != "$server" ] || kill -TERM "$pid"
    done
    wait "$server"
  }
  start
  "${run[@]}" --env "BIND=${site#http://}" "$container" -- /usr/bin/techkraft health --ready
  token=$(book_one "$site")
  stop
  grep -q "stopped: all work is finished" "$work/log"
  start
  is_booked "$site" "$token"
  stop
  buildah rm "$container" >/dev/null
  buildah rmi --force localhost/techkraft-test localhost/techkraft-test-build localhost/techkraft-test-base >/dev/null
  rm -rf "$work"
}
