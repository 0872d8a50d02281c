#!/bin/sh
# Installs the site on this machine as a service: sudo deploy/install.sh [--prefix DIR] [--no-start]
# It makes a user, speech; copies this folder to DIR (/opt/speech) and the packages into DIR/.venv; writes
# /etc/speech/speech.env if there is none; and starts the units of systemd. Run it again to update: one process after
# another is replaced, so that no word is lost where there are two (WEB_PORTS in speech.env).
set -eu

main() {
    prefix=/opt/speech
    start=yes
    while [ $# -gt 0 ]; do
        case "$1" in
            --prefix) prefix=$2; shift ;;
            --no-start) start=no ;;
            *) stop "There is no option $1. These there are: --prefix DIR, --no-start." ;;
        esac
        shift
    done
    [ "$(id -u)" = 0 ] || stop "It makes a user and a service, so run it as root: sudo deploy/install.sh"
    command -v curl >/dev/null || stop "curl is not installed: sudo apt-get install curl"
    make_user
    copy
    write_settings
    install_units
    if [ "$start" = yes ]; then start_units; fi
    tell
}

make_user() {
    if ! id speech >/dev/null 2>&1; then
        useradd --system --user-group --home-dir /var/lib/speech --shell /usr/sbin/nologin speech
    fi
    install -d -o speech -g speech -m 750 /var/lib/speech
}

copy() {
    source=$(cd "$(dirname "$0")/.." && pwd)
    if [ "$source" != "$prefix" ]; then
        install -d "$prefix"
        # What was removed from the source goes here, too; what was installed stays.
        find "$prefix" -mindepth 1 -maxdepth 1 ! -name .venv -exec rm -rf {} +
        (cd "$source" && tar -cf - --exclude=./.venv --exclude=./var --exclude=./.git --exclude=./.env .) | tar -xf - -C "$prefix"
    fi
    (
        cd "$prefix"
        for name in STT_ENGINE TTS_ENGINE OTEL_EXPORTER_OTLP_ENDPOINT; do export "$name=$(setting "$name")"; done
        UV_NO_CACHE=1 PIP_NO_CACHE_DIR=1 scripts/setup.sh serve # nothing of it in root's home
    )
}

write_settings() {
    install -d -m 755 /etc/speech
    if [ -f /etc/speech/speech.env ]; then return; fi
    umask 027
    cat >/etc/speech/speech.env <<END
# The settings of the site; $prefix/.env.example says what there is.
DATA_DIR=/var/lib/speech
HOST=127.0.0.1
SITE_URL=http://127.0.0.1:8000
SECRET_KEY=$(od -An -tx1 -N32 /dev/urandom | tr -d ' \n')
# The ports of the web processes. Two or more need Redis, for they share the engines.
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
    command -v systemctl >/dev/null || stop "systemd does not run here. The units are in /etc/systemd/system; start them" \
        "by what runs here instead, or the processes by hand: see docs/operations.md"
    systemctl daemon-reload
    systemctl enable --quiet speech.target speech-retention.timer speech-backup.timer
    systemctl start speech.target speech-retention.timer speech-backup.timer
    if [ -n "$(setting REDIS_URL)" ]; then replace speech-inference.service; fi
    for port in $(setting WEB_PORTS); do replace "speech-web@$port.service"; done
    end_what_is_not_wanted
}

replace() {
    systemctl enable --quiet "$1"
    systemctl restart "$1" # waits until it answers
}

# Of earlier settings: ports, and the engines where they are in the web process now.
end_what_is_not_wanted() {
    for link in /etc/systemd/system/speech.target.wants/speech-*; do
        unit=$(basename "$link")
        if ! is_wanted "$unit"; then systemctl disable --quiet --now "$unit"; fi
    done
}

is_wanted() {
    if [ "$1" = speech-inference.service ] && [ -n "$(setting REDIS_URL)" ]; then return 0; fi
    for port in $(setting WEB_PORTS); do
        if [ "$1" = "speech-web@$port.service" ]; then return 0; fi
    done
    return 1
}

# setting NAME: as speech.env has it, without the quotes around it.
setting() {
    if [ -f /etc/speech/speech.env ]; then sed -n "s/^$1=[\"']*\([^\"']*\).*/\1/p" /etc/speech/speech.env; fi
}

tell() {
    echo "The site is installed in $prefix, its settings are in /etc/speech/speech.env, what it keeps in /var/lib/speech."
    if [ "$start" = yes ]; then
        echo "It answers at $(setting SITE_URL). Put a proxy with TLS in front ($prefix/docs/production.md)."
        echo "Its log: journalctl -u 'speech-*'"
    fi
}

stop() {
    printf '%s\n' "$@" >&2
    exit 1
}

main "$@"
