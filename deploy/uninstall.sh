#!/bin/sh
# Remove the service from this machine: sudo deploy/uninstall.sh [--prefix DIR] [--purge]
# Data and settings stay unless --purge is given.
set -eu

main() {
    prefix=/opt/speech
    purge=no
    while [ $# -gt 0 ]; do
        case "$1" in
            --prefix) prefix=$2; shift ;;
            --purge) purge=yes ;;
            *) stop "Unknown option $1. Options: --prefix DIR, --purge." ;;
        esac
        shift
    done
    [ "$(id -u)" = 0 ] || stop "Run it as root: sudo deploy/uninstall.sh"
    [ -f "$prefix/deploy/uninstall.sh" ] || stop "No site in $prefix. Use --prefix DIR for another folder."
    if command -v systemctl >/dev/null; then stop_units; fi
    rm -f /etc/systemd/system/speech-web@.service /etc/systemd/system/speech-inference.service \
        /etc/systemd/system/speech-retention.* /etc/systemd/system/speech-backup.* /etc/systemd/system/speech.target
    if command -v systemctl >/dev/null; then systemctl daemon-reload || true; fi
    rm -rf "$prefix"
    if [ "$purge" = yes ]; then
        rm -rf /etc/speech /var/lib/speech /var/lib/systemd/timers/stamp-speech-*
        if id speech >/dev/null 2>&1; then userdel speech; fi
        echo "Site and data removed."
    else
        echo "Site removed. Its data is still in /var/lib/speech and its settings in /etc/speech."
    fi
}

stop_units() {
    for link in /etc/systemd/system/*.wants/speech-* /etc/systemd/system/*.wants/speech.target; do
        if [ -L "$link" ]; then systemctl disable --quiet --now "$(basename "$link")"; fi
    done
    systemctl stop 'speech-*' # units that were started manually, and running timers' services
}

stop() {
    printf '%s\n' "$@" >&2
    exit 1
}

main "$@"
