# run_more_tests: the additional tests of `scripts/test --all`. Expects the stages, packages and PostgreSQL of scripts/test.

source scripts/lib/advisories.sh
source scripts/lib/cargo_tools.sh
source scripts/lib/packaging.sh
source scripts/lib/python_tools.sh
source scripts/lib/schemathesis.sh

run_more_tests() {
  stage "Browser journeys on PostgreSQL"
  export TEST_DATABASE_URL=$POSTGRES_URL
  # Those that book, pay, cancel, admit and organize. How pages look does not depend on the database.
  run_tests "Browser, PostgreSQL" --test browser -- booking:: cancellation:: gate:: holders:: on_sale:: once:: \
    one_click:: organizer:: paying:: promoter:: queue:: race:: several_ticket_types:: "${browser_threads[@]}"

  # It is built here, and not beside tests that measure time.
  stage "The previous release on PostgreSQL"
  run_tests "Previous release, PostgreSQL" --test full -- previous_release:: --skip own_postgres::

  # They keep the whole machine busy, so nothing else runs beside them.
  stage "Hostile requests on PostgreSQL"
  run_tests "Hostile, PostgreSQL" --test full -- hostile:: --test-threads 1
  stage "Hostile requests on SQLite"
  unset TEST_DATABASE_URL
  run_tests "Hostile, SQLite" --test full -- hostile:: --test-threads 1

  # These tests mostly wait for servers, disks and clocks.
  local full_threads=(--test-threads "$((2 * $(nproc)))")
  stage "Crashes, proxies, replicas and the rest on SQLite"
  run_tests "Full, SQLite and own PostgreSQL" --test full -- --skip hostile:: "${full_threads[@]}"
  stage "Crashes and waiting rooms on PostgreSQL"
  export TEST_DATABASE_URL=$POSTGRES_URL
  # The others do not depend on the database, or start a PostgreSQL of their own and ran with SQLite.
  run_tests "Full, PostgreSQL" --test full -- crash:: waiting_room:: --skip own_postgres:: "${full_threads[@]}"
  unset TEST_DATABASE_URL

  stage "The API against its document"
  local folder
  folder=$(mktemp -d)
  run_schemathesis "sqlite:$folder/techkraft.db"
  rm -rf "$folder"
  createdb --maintenance-db="$POSTGRES_URL" schemathesis
  run_schemathesis "${POSTGRES_URL%/postgres}/schemathesis"

  stage "A crowd of watchers, small and short"
  cargo bench "${features[@]}" --bench watchers --profile dev -- --watchers 5000 --seconds 10

  stage "Bookings while the server is attacked, small and short"
  cargo bench "${features[@]}" --bench attack --profile dev -- --quick

  stage "A sale that is paid for online, small and short"
  cargo bench "${features[@]}" --bench paid --profile dev -- --quick

  # Packages are built without the lints, and root file systems need a disk: devices cannot be made in /dev/shm.
  unset RUSTC_WORKSPACE_WRAPPER
  export TMPDIR=/tmp

  stage "The Debian package in a clean Debian"
  test_debian_package

  stage "The files beside the image"
  test_compose

  stage "The image"
  test_image

  stage "Dependencies"
  need_cargo_tool cargo-deny 0.20.2
  need_cargo_tool cargo-machete 0.9.2
  cargo machete
  cargo deny --log-level error check licenses bans sources
  check_advisories
  name_c_libraries
}
