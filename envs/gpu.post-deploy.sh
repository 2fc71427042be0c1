#!/usr/bin/env bash
# Run in the environment of gpu.yaml (Snakemake does so itself): the same versions, with CUDA. The two kinds of
# wheels own the same folders, so one goes before the other comes. cupy and cufinufft are for period.device: gpu.
set -euo pipefail
python -m pip uninstall --yes tensorflow-cpu xgboost-cpu
python -m pip install "tensorflow[and-cuda]==2.21.0" "xgboost==3.2.0" "cupy-cuda12x==14.2.0" "cufinufft==2.5.1"
