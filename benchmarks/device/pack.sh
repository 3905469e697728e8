#!/bin/sh
# What benchmarks/device.sh needs on a machine that has a GPU build of JAX or PyTorch, but neither
# TensorFlow nor a network: the packages that are lacking there, one prepared set, and this code.
#   benchmarks/device/pack.sh DATA_DIR OUT          writes OUT/piece.aa, OUT/piece.ab ... of 45 MiB
# and there, with all pieces in one folder:
#   cat piece.* | xz -dc | tar x
#   PYTHONPATH=$PWD/site code/benchmarks/device.sh --data-dir data --out figures
# TensorFlow is the build for CPUs: it feeds the others and is not measured itself.
set -eu
DATA=$(realpath "$1") SET=${SET:-kermany_pneumonia/internal}
mkdir -p "$2"
OUT=$(realpath "$2")
cd "$(dirname "$0")/../.."
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
LACKING="array_record|astunparse|dm-tree|docstring_parser|gast|google-pasta|googleapis-common-protos\
|immutabledict|importlib_resources|kagglehub|kagglesdk|keras|keras-core|keras-cv|msgspec|namex|optree|promise\
|protobuf|simple-parsing|tensorflow|tensorflow-datasets|tensorflow-metadata|termcolor|toml"
grep -E "^($LACKING)==" constraints.txt | sed 's/^tensorflow==/tensorflow-cpu==/' > "$WORK/lacking"
python3 -m pip install --quiet --no-deps --no-compile --target "$WORK/site" \
    --python-version "${PYTHON_VERSION:-3.12}" --implementation cp --platform manylinux_2_28_x86_64 \
    --platform manylinux_2_27_x86_64 --platform manylinux_2_17_x86_64 \
    --platform manylinux2014_x86_64 --platform manylinux_2_5_x86_64 -r "$WORK/lacking"
rm -rf "$WORK/site/tensorflow/include"
mkdir -p "$WORK/data/$SET" "$WORK/code"
cp -r "$DATA/$SET/." "$WORK/data/$SET"
git archive HEAD benchmark benchmarks tfds_builders constraints.txt results/rows results/scores \
    results/predictions | tar x -C "$WORK/code"
tar c -C "$WORK" site data code | xz -T0 | split -b 45M - "$OUT/piece."
