# need_packages COMMAND:PACKAGE …: installs Debian's package if its command is missing. If it is not allowed to install,
# it names the packages and fails. import=MODULE stands for a module of Debian's Python.

# Debian keeps PostgreSQL's own programs outside the PATH.
for folder in /usr/lib/postgresql/*/bin; do
  [ -d "$folder" ] && PATH=$PATH:$folder
done
# Debian installs nginx in a folder that only root has in the PATH.
PATH=$PATH:/usr/sbin

need_packages() {
  local missing=() pair
  for pair in "$@"; do
    is_there "${pair%%:*}" || missing+=("${pair##*:}")
  done
  install_packages "${missing[@]}"
}

is_there() {
  case "$1" in
    import=*) /usr/bin/python3 -c "import ${1#import=}" 2>/dev/null ;;
    *) command -v "$1" >/dev/null ;;
  esac
}

# need_library NAME:PACKAGE: the same for a C library, by its name in pkg-config.
need_library() {
  pkg-config --exists "${1%%:*}" || install_packages "${1##*:}"
}

install_packages() {
  [ $# -eq 0 ] && return 0
  local missing=("$@")
  if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    echo "Installing ${missing[*]}"
    apt-get update -qq
    (
      # The tests start what they need, on ports of their own, so no package may start its service (etcd, redis …).
      policy=/usr/sbin/policy-rc.d
      if [ ! -e "$policy" ]; then
        trap 'rm -f "$policy"' EXIT
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod +x "$policy"
      fi
      DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
    )
    local folder
    for folder in /usr/lib/postgresql/*/bin; do
      [ -d "$folder" ] && PATH=$PATH:$folder
    done
    return 0
  fi
  echo "The tests need these Debian packages, or the same from elsewhere: ${missing[*]}" >&2
  echo "Install them with: sudo apt-get install ${missing[*]}" >&2
  exit 1
}
