# need_cargo_tool NAME VERSION: installs that version of a cargo command from source. It is built once, without
# optimization, and kept outside the project, so that `cargo clean` does not remove it.

CARGO_TOOLS=${XDG_CACHE_HOME:-$HOME/.cache}/techkraft
PATH=$CARGO_TOOLS/bin:$PATH

need_cargo_tool() {
  local name=$1 version=$2
  # `cargo install` also checks whether this version is installed, but asks the registry first.
  if ! grep -qs "^\"$name $version " "$CARGO_TOOLS/.crates.toml"; then
    echo "Building $name $version, once"
    cargo install --quiet --locked --debug --root "$CARGO_TOOLS" "$name@$version"
  fi
}
