# keep_files_in_memory: makes $TMPDIR a folder in memory, if this machine has enough. remove_files_in_memory: removes it.
# Each test makes a database and deletes it. On a disk, creating those files took a quarter of the time of the web tests
# on PostgreSQL. Tests kill processes but never cut the power, so what a process has written survives its end here too.

MEMORY_GIGABYTES_MIN=8

keep_files_in_memory() {
  local kilobytes
  [ -w /dev/shm ] || return 0
  for kilobytes in "$(awk '/^MemAvailable:/ { print $2 }' /proc/meminfo)" "$(df --output=avail -k /dev/shm | tail -1)"; do
    [ "$kilobytes" -ge $((MEMORY_GIGABYTES_MIN * 1048576)) ] || return 0
  done
  MEMORY_FOLDER=$(mktemp -d /dev/shm/techkraft-test.XXXXXX)
  # As /tmp: servers of the tests run as other users.
  chmod 1777 "$MEMORY_FOLDER"
  export TMPDIR=$MEMORY_FOLDER
}

remove_files_in_memory() {
  [ -z "${MEMORY_FOLDER:-}" ] || rm -rf "$MEMORY_FOLDER"
}
