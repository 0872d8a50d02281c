#!/bin/sh
# Every test, whatever fails on the way: the rules of the pages by node, the site, and last the site in a real Chromium.
# `scripts/test.sh slow` runs the tests marked `slow` instead.
# Two runs of pytest, since Playwright keeps an event loop in the thread in which the others need theirs.
set -u
cd "$(dirname "$0")/.." || exit
failed=""
if [ "${1:-}" = slow ]; then selection=slow; else selection="not slow"; fi

run() {
    name=$1
    shift
    echo "== $name"
    "$@" || failed="$failed, $name"
}

unset PYTHONDONTWRITEBYTECODE # else every process of the site compiles all that it imports
export OMP_NUM_THREADS=1 # the models of the tests are so small that they lose by threads
if [ "$selection" = "not slow" ] && command -v node >/dev/null; then
    run "pages' rules" node --test --test-reporter=dot tests/js/*/*.test.mjs
fi
run "site" .venv/bin/python -m pytest -m "$selection" tests --ignore=tests/browser
run "browser" .venv/bin/python -m pytest -m "$selection" tests/browser --reruns 1 -rR
if [ -n "$failed" ]; then
    echo "Failed: ${failed#, }"
    exit 1
fi
