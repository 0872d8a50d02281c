#!/bin/sh
# Install the site on this machine as a systemd service: sudo deploy/install.sh [--prefix DIR] [--no-start]
# Creates the user speech, copies this folder to DIR (/opt/speech), installs packages into DIR/.venv, writes
# /etc/speech/speech.env if it doesn't exist, and starts the units. Run it again to update: processes are restarted one
# after another, so with two or more (WEB_PORTS in speech.env) no audio is lost.
set -eu

main() {
    prefix=/opt/speech
    start=yes
    while [ $# -gt 0 ]; do
        case "$1" in
            --prefix) prefix=$2; shift ;;
            --no-start) start=no ;;
            *) stop "Unknown option $1. Options: --prefix DIR, --no-start." ;;
        esac
        shift
    done
    [ "$(id -u)" = 0 ] || stop "This creates a user and a service, so run it as root: sudo deploy/install.sh"
    command -v curl >/dev/null || stop "curl is not installed: sudo apt-get install curl"
    create_user
    copy_files
    write_settings
    install_units
    if [ "$start" = yes ]; then start_units; fi
    print_summary
}

create_user() {
    if ! id speech >/dev/null 2>&1; then
        useradd --system --user-group --home-dir /var/lib/speech --shell /usr/sbin/nologin speech
    fi
    install -d -o speech -g speech -m 700 /var/lib/speech
}

copy_files() {
    source=$(cd "$(dirname "$0")/.." && pwd)
    if [ "$source" != "$prefix" ]; then
        install -d "$prefix"
        # Remove files that are no longer in the source, but keep the installed packages.
        find "$prefix" -mindepth 1 -maxdepth 1 ! -name .venv -exec rm -rf {} +
        (cd "$source" && tar -cf - --exclude=./.venv --exclude=./var --exclude=./.git --exclude=./.env .) | tar -xf - -C "$prefix"
    fi
    (
        cd "$prefix"
        for name in STT_ENGINE TTS_ENGINE OTEL_EXPORTER_OTLP_ENDPOINT; do export "$name=$(setting "$name")"; done
        UV_NO_CACHE=1 PIP_NO_CACHE_DIR=1 scripts/setup.sh serve # leave no cache in root's home
    )
}

write_settings() {
    install -d -m 755 /etc/speech
    if [ -f /etc/speech/speech.env ]; then return; fi
    umask 027
    cat >/etc/speech/speech.env <<END
# Settings of the site, documented in $prefix/.env.example.
DATA_DIR=/var/lib/speech
HOST=127.0.0.1
SITE_URL=http://127.0.0.1:8000
# With a proxy on this machine, such as deploy/nginx.conf:
#TRUSTED_PROXIES=127.0.0.1
SECRET_KEY=$(od -An -tx1 -N32 /dev/urandom | tr -d ' \n')
# Ports of the web processes. Two or more need Redis, because they share the engines.
WEB_PORTS=8000
#REDIS_URL=redis://127.0.0.1:6379/0
#DATABASE_URL=postgres://speech:password@127.0.0.1:5432/speech
END
    chgrp speech /etc/speech/speech.env
}

install_units() {
    for unit in "$prefix"/deploy/systemd/*; do
        sed "s|@PREFIX@|$prefix|g" "$unit" >"/etc/systemd/system/$(basename "$unit")"
    done
}

start_units() {
    command -v systemctl >/dev/null || stop "systemd isn't running. The units are in /etc/systemd/system; translate them" \
        "for your service manager, or start the processes manually: see docs/operations.md"
    systemctl daemon-reload
    systemctl enable --quiet speech.target speech-retention.timer speech-backup.timer
    systemctl start speech.target speech-retention.timer speech-backup.timer
    if [ -n "$(setting REDIS_URL)" ]; then restart speech-inference.service; fi
    for port in $(setting WEB_PORTS); do restart "speech-web@$port.service"; done
    stop_unused_units
}

restart() {
    systemctl enable --quiet "$1"
    systemctl restart "$1" # returns when it is healthy
}

# Units of previous settings: removed ports, and the engines if they now run in the web process.
stop_unused_units() {
    for link in /etc/systemd/system/speech.target.wants/speech-*; do
        unit=$(basename "$link")
        if ! is_used "$unit"; then systemctl disable --quiet --now "$unit"; fi
    done
}

is_used() {
    if [ "$1" = speech-inference.service ] && [ -n "$(setting REDIS_URL)" ]; then return 0; fi
    for port in $(setting WEB_PORTS); do
        if [ "$1" = "speech-web@$port.service" ]; then return 0; fi
    done
    return 1
}

# setting NAME: its value in speech.env, without quotes.
setting() {
    if [ -f /etc/speech/speech.env ]; then sed -n "s/^$1=[\"']*\([^\"']*\).*/\1/p" /etc/speech/speech.env; fi
}

print_summary() {
    echo "The site is installed in $prefix, its settings in /etc/speech/speech.env, its data in /var/lib/speech."
    if [ "$start" = yes ]; then
        echo "It is running at $(setting SITE_URL). Put a TLS proxy in front of it ($prefix/docs/deployment.md)."
        echo "Logs: journalctl -u 'speech-*'"
    fi
}

stop() {
    printf '%s\n' "$@" >&2
    exit 1
}

main "$@"
