#!/bin/sh
# Run the given script with the first Python from 3.11 to 3.14 that runs (a pyenv shim may exist and
# fail) and can make virtual environments. PYTHON=... names one instead of searching.
case "$(uname -s)" in
  MINGW* | MSYS* | CYGWIN*)
    echo "Windows: run this inside WSL (in PowerShell: wsl --install)." >&2
    exit 2 ;;
esac
fits='import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))'
bare=""
for python in ${PYTHON:-python3.14 python3.13 python3.12 python3.11 python3 python}; do
  "$python" -c "$fits" >/dev/null 2>&1 || continue
  if "$python" -c 'import venv, ensurepip' >/dev/null 2>&1; then
    exec "$python" "$@"
  fi
  bare="${bare:-$python}"
done
if [ -n "$bare" ]; then
  echo "$bare cannot make virtual environments. Install its venv module (Debian, Ubuntu: apt install python3-venv), then run this again." >&2
elif [ -n "${PYTHON:-}" ]; then
  echo "PYTHON=$PYTHON is not a working Python 3.11 to 3.14. Name one, for example: make PYTHON=/usr/bin/python3.12 reproduce" >&2
else
  echo "No Python 3.11 to 3.14 was found. Install one (Debian, Ubuntu: apt install python3 python3-venv; macOS: brew install python@3.13), or name it: make PYTHON=/path/to/python3 reproduce" >&2
fi
exit 2
