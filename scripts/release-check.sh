#!/bin/sh
# Check a release, one line per check: make release-check. Checks whose tool is missing are skipped and listed.
set -u
cd "$(dirname "$0")/.." || exit
log=var/release-check.log
failed=""
skipped=""

main() {
    mkdir -p var
    : >"$log"
    check "no uncommitted changes" no_uncommitted_changes
    check "the version is new" version_is_new
    check "style and types" make --silent lint
    check "migrations are complete" manage makemigrations --check --dry-run
    check "production settings" production check --deploy --fail-level WARNING
    check "OpenAPI document" manage spectacular --validate --fail-on-warn --file /dev/null
    check "Kubernetes manifests" manifests
    check_with promtool "alerts" promtool test rules deploy/monitoring/alerts-test.yaml
    check_with promtool "Prometheus configuration" promtool check config --syntax-only deploy/monitoring/prometheus.yaml
    check_with systemd-analyze "systemd units" units
    check_with nginx "nginx configuration" nginx_configuration
    check_with caddy "Caddy configuration" caddy_configuration
    check_with docker-compose "Compose file" compose
    check "known vulnerabilities of installed packages" .venv/bin/pip-audit --progress-spinner off --strict
    check "tests" env CI=true make --silent test
    check "tests of the models" env CI=true make --silent test-models
    print_result
}

# check NAME COMMAND…
check() {
    name=$1
    shift
    echo "== $name" >>"$log"
    if "$@" >>"$log" 2>&1; then
        echo "ok      $name"
    else
        echo "FAILED  $name"
        failed="$failed, $name"
    fi
}

# check_with PROGRAM NAME COMMAND…
check_with() {
    program=$1
    shift
    if command -v "$program" >/dev/null; then
        check "$@"
    else
        echo "–       $1: $program is not installed"
        skipped="$skipped, $1"
    fi
}

no_uncommitted_changes() {
    test -z "$(git status --porcelain)"
}

version_is_new() {
    version=$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
    test -n "$version" && test -z "$(git tag --list "v$version")"
}

manage() {
    .venv/bin/python manage.py "$@"
}

production() {
    PRODUCTION=on TRUSTED_PROXIES=127.0.0.1 SITE_URL=https://speech.example.org manage "$@"
}

manifests() {
    .venv/bin/kubernetes-validate --quiet deploy/kubernetes/settings.yaml deploy/kubernetes/web.yaml \
        deploy/kubernetes/inference.yaml
}

units() {
    folder=$(mktemp -d)
    for unit in deploy/systemd/*; do
        sed "s|@PREFIX@|$PWD|g" "$unit" >"$folder/$(basename "$unit")"
    done
    systemd-analyze verify --man=no "$folder"/*
}

nginx_configuration() {
    folder=$(mktemp -d)
    printf 'events {}\nhttp {\ninclude %s;\n}\n' "$PWD/deploy/nginx.conf" >"$folder/nginx.conf"
    nginx -t -p "$folder" -c "$folder/nginx.conf" -g "error_log stderr; pid $folder/nginx.pid;"
}

caddy_configuration() {
    SITE_URL=https://speech.example.org caddy validate --adapter caddyfile --config deploy/Caddyfile
}

compose() {
    SITE_URL=https://speech.example.org POSTGRES_PASSWORD=secret docker-compose --file compose.yaml config --quiet
}

print_result() {
    if [ -n "$skipped" ]; then echo "Skipped, check on another machine: ${skipped#, }"; fi
    if [ -n "$failed" ]; then
        echo "Not ready: ${failed#, }. See $log."
        exit 1
    fi
    echo "Ready."
}

main
