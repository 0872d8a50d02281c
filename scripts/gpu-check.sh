#!/bin/sh
# Check Kyutai's models on this machine's GPU and write benchmarks/results/gpu_check.txt (benchmarks/gpu_check): at most
# eight minutes and, once the packages are installed, no network. GPU_CHECK_PYTHON names the Python of an environment that
# has them already; then nothing is installed. Options of benchmarks.gpu_check can be given.
set -eu
cd "$(dirname "$0")/.."

python=${GPU_CHECK_PYTHON:-}
if [ -z "$python" ]; then
    if ! nvidia-smi -L 2>/dev/null | grep -q .; then
        echo "No NVIDIA GPU: nvidia-smi lists none. This needs a GPU and NVIDIA's driver." >&2
        echo "To rehearse the check on the CPU, with small models: make test-models, or, after it:" >&2
        echo "    .venv/bin/python -m benchmarks.gpu_check --device cpu --small" >&2
        exit 1
    fi
    scripts/setup.sh gpu-check
    python=.venv/bin/python
fi
exec "$python" -m benchmarks.gpu_check "$@"
