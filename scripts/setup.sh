#!/bin/sh
# Makes .venv hold what one of make's targets needs: scripts/setup.sh serve|test|trials|release
# Each part is stamped with the checksum of its requirement file, so with nothing changed there is nothing to do.
set -eu
cd "$(dirname "$0")/.."

main() {
    .venv/bin/python -c "" 2>/dev/null || create_venv
    install light
    case "$1" in
        serve)
            if torch_is_wanted; then install torch; fi
            if is_chosen whisper-; then install whisper; fi
            if [ -n "$(chosen OTEL_EXPORTER_OTLP_ENDPOINT)" ]; then install tracing; fi
            ;;
        test) install test ;;
        trials)
            install test
            install torch # the engines of Kyutai's models are tried with small ones, on the CPU
            ;;
        release)
            install test
            install release
            ;;
    esac
}

create_venv() {
    python=$(find_python)
    echo "Creating .venv with $("$python" --version)"
    rm -rf .venv
    if command -v uv >/dev/null; then
        uv venv --quiet --seed --python "$python" .venv
    elif "$python" -c "import ensurepip, venv" 2>/dev/null; then
        "$python" -m venv .venv
    else
        stop "$python cannot create virtual environments: its venv module is not complete." \
            "On Debian and Ubuntu it is a package of its own: sudo apt-get install python3-venv"
    fi
}

find_python() {
    for python in python3 python3.14 python3.13 python3.12 python3.11; do
        if "$python" -c "import sys; sys.exit(sys.version_info < (3, 11))" 2>/dev/null; then
            echo "$python"
            return
        fi
    done
    stop "Python 3.11 or later is needed, and there is $(python3 --version 2>/dev/null || echo "no python3") here." \
        "Debian and Ubuntu: sudo apt-get install python3 python3-venv; macOS: brew install python; or https://python.org"
}

install() {
    requirements=requirements/$1.txt
    stamp=.venv/$1.installed
    checksum=$(cksum <"$requirements")
    if [ "$(cat "$stamp" 2>/dev/null)" = "$checksum" ]; then return; fi
    echo "Installing $requirements"
    fetch "$requirements" || fetch_without_some "$requirements"
    echo "$checksum" >"$stamp"
}

fetch() {
    if uv=$(find_uv || get_uv); then
        "$uv" pip install --quiet --python .venv/bin/python --requirement "$1"
    else
        .venv/bin/python -m pip install -qq --disable-pip-version-check --no-compile --requirement "$1"
    fi
}

# Two packages are made for some machines only, and pip cannot be told for which: it depends on the C library.
fetch_without_some() {
    grep -q "^moonshine-voice" "$1" || exit 1
    grep -v -e "^moonshine-voice" -e "^piper-tts" "$1" >.venv/without-some.txt
    fetch .venv/without-some.txt
    echo "The engines Moonshine and Piper are not made for this machine; PocketSphinx listens and eSpeak NG speaks in their" \
        "place, not as well. They need 64-bit Linux with glibc 2.34 (Debian 12, Ubuntu 22.04), or macOS 15 on Apple's processors."
}

# It takes a third of pip's time, 40 s instead of three minutes for torch; where it is not made for the machine, pip does.
find_uv() {
    command -v uv || { [ -x .venv/bin/uv ] && echo .venv/bin/uv; }
}

get_uv() {
    .venv/bin/python -m pip install -qq --disable-pip-version-check uv >/dev/null 2>&1 && echo .venv/bin/uv
}

# A CUDA GPU is there, or the engine that was asked for runs on torch.
torch_is_wanted() {
    is_chosen stt- || is_chosen tts- || is_chosen pocket-tts- || nvidia-smi >/dev/null 2>&1
}

# is_chosen PREFIX: of the engines that were asked for, the name of one begins with it.
is_chosen() {
    case ",$(chosen STT_ENGINE),$(chosen TTS_ENGINE)" in
        *,"$1"*) return 0 ;;
        *) return 1 ;;
    esac
}

# chosen NAME: a setting, of the environment or .env.
chosen() {
    eval "value=\${$1:-}"
    if [ -n "$value" ]; then
        echo "$value"
    elif [ -f .env ]; then
        sed -n "s/^$1=[\"']*\([^\"']*\).*/\1/p" .env
    fi
}

stop() {
    printf '%s\n' "$@" >&2
    exit 1
}

main "$@"
