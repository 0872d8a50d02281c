#!/bin/sh
# Takes the service off this machine: sudo deploy/uninstall.sh [--prefix DIR] [--purge]
# What was said, and the settings, stay unless --purge is given.
set -eu

main() {
    prefix=/opt/speech
    purge=no
    while [ $# -gt 0 ]; do
        case "$1" in
            --prefix) prefix=$2; shift ;;
            --purge) purge=yes ;;
            *) stop "There is no option $1. These there are: --prefix DIR, --purge." ;;
        esac
        shift
    done
    [ "$(id -u)" = 0 ] || stop "Run it as root: sudo deploy/uninstall.sh"
    [ -f "$prefix/deploy/uninstall.sh" ] || stop "There is no site in $prefix. --prefix DIR names another folder."
    if command -v systemctl >/dev/null; then
        systemctl disable --quiet --now 'speech-web@*' speech-inference speech-retention.timer speech-backup.timer \
            speech.target 2>/dev/null || true
    fi
    rm -f /etc/systemd/system/speech-web@.service /etc/systemd/system/speech-inference.service \
        /etc/systemd/system/speech-retention.* /etc/systemd/system/speech-backup.* /etc/systemd/system/speech.target
    if command -v systemctl >/dev/null; then systemctl daemon-reload || true; fi
    rm -rf "$prefix"
    if [ "$purge" = yes ]; then
        rm -rf /etc/speech /var/lib/speech
        if id speech >/dev/null 2>&1; then userdel speech; fi
        echo "The site is gone, with all that it kept."
    else
        echo "The site is gone. What it kept is in /var/lib/speech, its settings in /etc/speech."
    fi
}

stop() {
    printf '%s\n' "$@" >&2
    exit 1
}

main "$@"
