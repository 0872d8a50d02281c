#!/bin/sh
# Look up known vulnerabilities of installed packages and of vendored scripts and fonts: make audit
# It asks PyPI and npm for advisories, so it needs the internet, and isn't part of the tests.
set -u
cd "$(dirname "$0")/.." || exit

main() {
    failed=""
    .venv/bin/pip-audit --progress-spinner off || failed="packages"
    if command -v npm >/dev/null; then
        audit_vendored || failed="$failed vendored"
    else
        echo "Skipped vendored files: npm is not installed (sudo apt-get install npm)."
    fi
    if [ -n "$failed" ]; then
        echo "Vulnerable, or advisories can't be reached: $failed. See above, and docs/security.md." >&2
        exit 1
    fi
}

# A folder in static/vendor is named after its package and version.
audit_vendored() {
    folder=$(mktemp -d)
    printf '{"name": "vendored", "version": "1.0.0", "dependencies": {%s}}\n' "$(dependencies)" >"$folder/package.json"
    npm install --prefix "$folder" --package-lock-only --ignore-scripts --no-audit --no-fund --silent &&
        npm audit --prefix "$folder"
    status=$?
    rm -rf "$folder"
    return "$status"
}

# "NAME": "VERSION", separated by commas.
dependencies() {
    separator=""
    for vendored in static/vendor/*; do
        name=$(basename "${vendored%-*}")
        case "$name" in
            swagger-ui) name=swagger-ui-dist ;;
            source-serif-4) name=@fontsource-variable/source-serif-4 ;;
        esac
        printf '%s"%s": "%s"' "$separator" "$name" "${vendored##*-}"
        separator=", "
    done
}

main
