#!/usr/bin/env bash
# A fast model for a droplet of 24 waters, made of water-accurate in a few minutes. STEPS=... makes it shorter.
set -euo pipefail
cd "$(dirname "$0")"
export PATH="$PWD/../../.venv/bin:$PATH"

steps=${STEPS:-4000}
ps=${PS:-1.0}
rm -rf output
pyfennix distill droplet --accurate water-accurate --out output --temperatures 300 400 \
   --sample "$ps" --test "$ps" --steps "$steps" || [ $? -eq 2 ]   # 2: made, but not fit to be a default
ls output/report.html output/fast.fnx
