#!/bin/sh
# What a release needs, one line for each: make release-check. What this machine cannot check is said, and is for another.
set -u
cd "$(dirname "$0")/.." || exit
log=var/release-check.log
failed=""
left_out=""

main() {
    mkdir -p var
    : >"$log"
    check "nothing is uncommitted" nothing_uncommitted
    check "the version is new" version_is_new
    check "style and types" make --silent lint
    check "every model has its migration" manage makemigrations --check --dry-run
    check "settings of production" production check --deploy --fail-level WARNING
    check "the OpenAPI document" manage spectacular --validate --fail-on-warn --file /dev/null
    check "Kubernetes' manifests" manifests
    check_with promtool "what each alert is for" promtool test rules deploy/monitoring/alerts-test.yaml
    check_with promtool "Prometheus' configuration" promtool check config --syntax-only deploy/monitoring/prometheus.yaml
    check_with systemd-analyze "systemd's units" units
    check_with nginx "nginx's configuration" nginx_configuration
    check_with caddy "Caddy's configuration" caddy_configuration
    check_with docker-compose "Compose's file" compose
    check "known holes in what is installed" .venv/bin/pip-audit --progress-spinner off --strict
    check "every test" env CI=true make --silent test
    tell
}

# check WHAT COMMAND…
check() {
    what=$1
    shift
    echo "== $what" >>"$log"
    if "$@" >>"$log" 2>&1; then
        echo "ok      $what"
    else
        echo "FAILED  $what"
        failed="$failed, $what"
    fi
}

# check_with PROGRAM WHAT COMMAND…
check_with() {
    program=$1
    shift
    if command -v "$program" >/dev/null; then
        check "$@"
    else
        echo "–       $1: there is no $program here"
        left_out="$left_out, $1"
    fi
}

nothing_uncommitted() {
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
    PRODUCTION=on BEHIND_PROXY=on SITE_URL=https://speech.example.org manage "$@"
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

tell() {
    if [ -n "$left_out" ]; then echo "To be checked elsewhere: ${left_out#, }"; fi
    if [ -n "$failed" ]; then
        echo "Not ready: ${failed#, }. $log says why."
        exit 1
    fi
    echo "Ready."
}

main
