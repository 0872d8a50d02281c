#!/bin/sh
# Sees to the programs that tests use besides Python's: installs the missing ones where it may (root, apt-get), names
# them otherwise. Tests that need a missing one are skipped.
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
    if [ -z "$packages" ]; then return; fi
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        install
    else
        advise >&2
    fi
}

# need NAME… PACKAGE: the package is wanted unless one of the names is there.
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
    # Without its recommended packages Chromium has no fonts.
    case "$packages" in *chromium*) packages="$packages fonts-liberation" ;; esac
    apt-get update -qq
    # shellcheck disable=SC2086 # one word for each package
    apt-get install -qq --no-install-recommends $packages >/dev/null
}

advise() {
    echo "Not installed here:$packages. The tests that need them are skipped. To install them:"
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

main
