#!/bin/sh
# Check the non-Python programs that tests use: install missing ones if possible (as root, with apt-get), otherwise list
# them. Tests that need a missing program are skipped. `scripts/programs.sh slow` also checks those that only tests marked
# `slow` use.
set -eu

main() {
    packages=""
    need redis-server redis-server
    need /usr/lib/postgresql/*/bin/postgres postgres postgresql
    need chromium chromium-browser google-chrome \
        "/Applications/Chromium.app/Contents/MacOS/Chromium" \
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" chromium
    need ffmpeg ffmpeg
    need node nodejs
    if [ "${1:-}" = slow ]; then need nginx /usr/sbin/nginx nginx; fi
    if [ -z "$packages" ]; then return; fi
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        install
    else
        advise >&2
    fi
}

# need NAME… PACKAGE: add the package unless one of the named programs is installed.
need() {
    while [ $# -gt 1 ]; do
        if command -v "$1" >/dev/null; then return; fi
        shift
    done
    packages="$packages $1"
}

install() {
    echo "Installing$packages"
    export DEBIAN_FRONTEND=noninteractive
    # Chromium has no fonts without its recommended packages.
    case "$packages" in *chromium*) packages="$packages fonts-liberation" ;; esac
    apt-get update -qq
    # shellcheck disable=SC2086 # one word per package
    apt-get install -qq --no-install-recommends $packages >/dev/null
}

advise() {
    echo "Not installed:$packages. Tests that need them are skipped. To install them:"
    if command -v apt-get >/dev/null; then
        echo "  sudo apt-get install$packages"
    elif command -v brew >/dev/null; then
        for package in $packages; do
            case "$package" in
                redis-server) echo "  brew install redis" ;;
                chromium) echo "  brew install --cask chromium" ;;
                nodejs) echo "  brew install node" ;;
                *) echo "  brew install $package" ;;
            esac
        done
    else
        echo "  with this system's package manager"
    fi
}

main "$@"
