#!/bin/sh
# Run all tests, also after failures: the pages' JavaScript with node, the site, and the site in a real Chromium.
# `scripts/test.sh models` runs the tests of Kyutai's models instead, `scripts/test.sh slow` the tests marked `slow`.
# pytest runs twice because Playwright keeps an event loop running in the main thread, where other tests need theirs.
set -u
cd "$(dirname "$0")/.." || exit
failed=""

run() {
    name=$1
    shift
    echo "== $name"
    "$@" || failed="$failed, $name"
}

# run_site SELECTION
run_site() {
    run "site" .venv/bin/python -m pytest -m "$1" tests --ignore=tests/browser
    run "browser" .venv/bin/python -m pytest -m "$1" tests/browser --reruns 1 --rerun-show-tracebacks
}

# Each test of a model uses one core, so half of them run at the same time as the others.
run_models() {
    tts=tests/inference/engines/tts
    gpu_check=tests/inference/engines/test_moshi_gpu_check.py
    log=$(mktemp)
    test_models $tts $gpu_check >"$log" 2>&1 &
    run "models" test_models tests/inference --ignore=$tts --ignore=$gpu_check
    run "models of speech synthesis" wait $!
    cat "$log"
    rm "$log"
}

test_models() {
    .venv/bin/python -m pytest -m "models and not slow" -rs "$@"
}

unset PYTHONDONTWRITEBYTECODE # otherwise every process of the site compiles all its imports
export OMP_NUM_THREADS=1 # the tests' models are so small that threads slow them down
case "${1:-}" in
    slow) run_site "slow and not client" ;; # make test-clients runs those
    models) run_models ;;
    *)
        if command -v node >/dev/null; then
            run "JavaScript" node --test --test-reporter=dot tests/js/*/*.test.mjs
        fi
        run_site "not slow and not models"
        ;;
esac
if [ $# = 0 ]; then
    echo "The rest: make test-models (Kyutai's models; installs torch, 7 GB), make trials (slow tests). docs/testing.md"
fi
if [ -n "$failed" ]; then
    echo "Failed: ${failed#, }"
    exit 1
fi
