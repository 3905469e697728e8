#!/bin/sh
# What a machine with an accelerator does with this package: versions, AUC beside the committed rows,
# milliseconds a step, specs a minute, memory. See benchmarks/device/__main__.py.
#   benchmarks/device.sh --data-dir ~/tensorflow_datasets --out /tmp/device
#   benchmarks/device.sh --quick ...       a rehearsal with tiny sizes, on a CPU too
set -eu
ROOT=$(realpath "$(dirname "$0")/..") # found from any folder, in which the paths given here are
PYTHONPATH="$ROOT${PYTHONPATH:+:$PYTHONPATH}" PYTHONUNBUFFERED=1 TF_CPP_MIN_LOG_LEVEL=2 \
    exec "${PYTHON:-python3}" -m benchmarks.device "$@"
