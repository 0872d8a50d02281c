#!/bin/sh
# Run all tests, also after failures: the pages' JavaScript with node, the site, and the site in a real Chromium.
# `scripts/test.sh slow` runs the tests marked `slow` instead.
# pytest runs twice because Playwright keeps an event loop running in the main thread, where other tests need theirs.
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

unset PYTHONDONTWRITEBYTECODE # otherwise every process of the site compiles all its imports
export OMP_NUM_THREADS=1 # the tests' models are so small that threads slow them down
if [ "$selection" = "not slow" ] && command -v node >/dev/null; then
    run "JavaScript" node --test --test-reporter=dot tests/js/*/*.test.mjs
fi
run "site" .venv/bin/python -m pytest -m "$selection" tests --ignore=tests/browser
run "browser" .venv/bin/python -m pytest -m "$selection" tests/browser --reruns 1 -rR
if [ -n "$failed" ]; then
    echo "Failed: ${failed#, }"
    exit 1
fi
