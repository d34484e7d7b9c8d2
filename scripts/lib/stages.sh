# stage NAME: begins a stage. lint_and_build: lints and builds. run_tests NAME ARGUMENTS…: cargo test, counted.
# summary: how long each stage took, and how many tests ran where.

stages=()
counts=()
notes=()
stage_name=""
run_began=$SECONDS

stage() {
  end_stage
  stage_name=$1
  stage_began=$SECONDS
  printf '\n\033[1m== %s\033[0m\n' "$1"
}

end_stage() {
  [ -z "$stage_name" ] || stages+=("$(printf '%5d s  %s' $((SECONDS - stage_began)) "$stage_name")")
  stage_name=""
}

# Clippy reads the project's own crates while it builds them, so dependencies are compiled once: `cargo clippy` would
# compile them a second time. Cargo repeats the warnings of what it built before.
lint_and_build() {
  local log
  log=$(mktemp)
  export RUSTC_WORKSPACE_WRAPPER=clippy-driver
  if ! cargo test --no-run --workspace --all-targets "${features[@]}" 2>&1 | tee "$log"; then
    rm -f "$log"
    exit 1
  fi
  if grep -qE '^warning: .* generated [0-9]+ warning' "$log"; then
    rm -f "$log"
    printf '\nWarnings are errors here.\n'
    exit 1
  fi
  rm -f "$log"
}

# Arguments after "--" go to the test programs.
run_tests() {
  local name=$1 log
  shift
  log=$(mktemp)
  if ! cargo test --no-fail-fast "${features[@]}" "$@" 2>&1 | tee "$log"; then
    rm -f "$log"
    printf '\nTests failed: %s\n' "$name"
    exit 1
  fi
  counts+=("$(awk -v on="$name" '/^test result:/ { passed += $4; failed += $6; skipped += $8 }
    END { printf "%s: %d passed, %d failed, %d skipped", on, passed, failed, skipped }' "$log")")
  rm -f "$log"
}

summary() {
  end_stage
  # See tests/testkit/src/long.rs.
  if [ -z "${LONG_TESTS:-}" ]; then
    notes+=("Tables and races ran a part of their cases; with --all they run all of them.")
  else
    notes+=("Tables and races ran all of their cases.")
  fi
  printf '\n\033[1m== All tests passed in %d s\033[0m\n' $((SECONDS - run_began))
  printf '%s\n' "${stages[@]}" "${notes[@]}" "${counts[@]}"
}
