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
    if command -v systemctl >/dev/null; then end_units; fi
    rm -f /etc/systemd/system/speech-web@.service /etc/systemd/system/speech-inference.service \
        /etc/systemd/system/speech-retention.* /etc/systemd/system/speech-backup.* /etc/systemd/system/speech.target
    if command -v systemctl >/dev/null; then systemctl daemon-reload || true; fi
    rm -rf "$prefix"
    if [ "$purge" = yes ]; then
        rm -rf /etc/speech /var/lib/speech /var/lib/systemd/timers/stamp-speech-*
        if id speech >/dev/null 2>&1; then userdel speech; fi
        echo "The site is gone, with all that it kept."
    else
        echo "The site is gone. What it kept is in /var/lib/speech, its settings in /etc/speech."
    fi
}

end_units() {
    for link in /etc/systemd/system/*.wants/speech-* /etc/systemd/system/*.wants/speech.target; do
        if [ -L "$link" ]; then systemctl disable --quiet --now "$(basename "$link")"; fi
    done
    systemctl stop 'speech-*' # what was started by hand, or is at its nightly work
}

stop() {
    printf '%s\n' "$@" >&2
    exit 1
}

main "$@"
