#!/usr/bin/env bash
# tests/on_python.sh PYTHON: all Python tests with the built wheel on this interpreter, and with Locust on it, too.
# Both get an environment of their own in .pythons/. `make test-pythons` does it for each interpreter that it finds.
set -euo pipefail
cd "$(dirname "$0")/.."

version=$("$1" -c 'import sys; print(".".join(map(str, sys.version_info[:2])))')
ours=.pythons/$version/ours theirs=.pythons/$version/locust
for environment in "$ours" "$theirs"; do
    test -x "$environment/bin/python" || "$1" -m venv "$environment"
done
wheel=$(ls target/wheels/*.whl)
"$ours/bin/python" -m pip install --quiet --disable-pip-version-check --force-reinstall --no-deps "$wheel"
"$ours/bin/python" -m pip install --quiet --disable-pip-version-check "${wheel}[test]"
# httpx: which of two missing packages is named depends on what else is there.
"$theirs/bin/python" -m pip install --quiet --disable-pip-version-check 'locust==2.47.0' httpx

echo "Python $("$1" --version | cut -d' ' -f2)"
GREGARIA_ORACLE="$PWD/$theirs/bin/python" "$ours/bin/python" -m pytest -q
