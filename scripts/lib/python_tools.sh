# need_python_tool NAME VERSION: the command of that PyPI package, in that version, in an environment of its own
# outside the project; its path is then in $PYTHON_TOOL. It is made once.

need_python_tool() {
  local name=$1 version=$2
  local folder=${XDG_CACHE_HOME:-$HOME/.cache}/techkraft/python/$name-$version
  PYTHON_TOOL=$folder/bin/$name
  [ -e "$folder/complete" ] && return
  need_packages python3:python3
  if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
    # In Debian both are in a package of their own, which has no command.
    need_packages python3-has-no-venv:python3-venv
  fi
  echo "Installing $name $version, once"
  rm -rf "$folder"
  python3 -m venv "$folder"
  "$folder/bin/pip" install --quiet --disable-pip-version-check "$name==$version"
  touch "$folder/complete"
}
