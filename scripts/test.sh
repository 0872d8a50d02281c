#!/bin/sh
# Every test, whatever fails on the way: the rules of the pages by node, the site, and last the site in a real Chromium.
# Two runs of pytest, since Playwright keeps an event loop in the thread in which the others need theirs.
set -u
cd "$(dirname "$0")/.." || exit
failed=""

run() {
    name=$1
    shift
    echo "== $name"
    "$@" || failed="$failed, $name"
}

unset PYTHONDONTWRITEBYTECODE # else every process of the site compiles all that it imports
export OMP_NUM_THREADS=1 # the models of the tests are so small that they lose by threads
if command -v node >/dev/null; then
    run "pages' rules" node --test --test-reporter=dot tests/js/*.test.mjs
fi
run "site" .venv/bin/python -m pytest tests --ignore=tests/browser
run "browser" .venv/bin/python -m pytest tests/browser --reruns 1 -rR
if [ -n "$failed" ]; then
    echo "Failed: ${failed#, }"
    exit 1
fi
