#!/usr/bin/env bash
# Prepare a fresh Debian or Ubuntu: compilers and Open MPI from apt, then .venv with requirements.txt.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=.venv
minimum='3, 11'

say() { echo "setup: $*"; }

# An interpreter that can be embedded: new enough, shared libpython, headers, venv.
suitable() {
   "$1" - 2>/dev/null <<PY
import ensurepip, os, sys, sysconfig
header = os.path.join(sysconfig.get_path("include"), "Python.h")
good = sys.version_info >= ($minimum) and sysconfig.get_config_var("Py_ENABLE_SHARED") and os.path.exists(header)
sys.exit(0 if good else 1)
PY
}

find_python() {
   if [ -n "${PYTHON:-}" ]; then
      suitable "$PYTHON" && echo "$PYTHON"
      return
   fi
   local name
   for name in python3 python3.11 python3.12 python3.13 /usr/bin/python3; do
      if command -v "$name" >/dev/null && suitable "$name"; then
         command -v "$name"
         return
      fi
   done
}

missing_packages() {
   command -v gcc >/dev/null && command -v make >/dev/null || echo build-essential
   command -v gfortran >/dev/null || echo gfortran
   command -v mpifort >/dev/null || echo libopenmpi-dev
   command -v mpirun >/dev/null || echo openmpi-bin
   if [ -z "${PYTHON:-}" ] && [ -z "$(find_python)" ]; then
      echo python3-venv python3-dev
   fi
}

install_packages() {
   local packages run=""
   packages=$(missing_packages | xargs)
   [ -n "$packages" ] || return 0
   local line="apt-get update && apt-get install -y --no-install-recommends $packages"
   if ! command -v apt-get >/dev/null; then
      say "please install what Debian calls: $packages"
      exit 1
   fi
   if [ "$(id -u)" -ne 0 ]; then
      if ! sudo -n true 2>/dev/null; then
         say "missing packages; please run:  sudo sh -c '$line'"
         exit 1
      fi
      run="sudo -n"
   fi
   say "installing $packages"
   $run env DEBIAN_FRONTEND=noninteractive sh -c "$line" >/dev/null
}

make_venv() {
   [ -x $venv/bin/python ] && return 0
   local python
   python=$(find_python || true)
   if [ -z "$python" ]; then
      say "no suitable Python${PYTHON:+ ($PYTHON)}: it must be 3.11 or newer with a shared libpython and its headers."
      say "Debian's python3 with python3-dev is; a pyenv Python is when built with"
      say "PYTHON_CONFIGURE_OPTS=--enable-shared. Choose another one with  make PYTHON=/path/to/python3 ..."
      exit 1
   fi
   say "creating $venv from $python"
   "$python" -m venv $venv
}

# The CPU build of PyTorch lives on its own index; where that cannot be reached, pip's usual sources decide.
install_requirements() {
   local build="${TORCH:-}" pip="$venv/bin/python -m pip install -qq"
   if [ -z "$build" ]; then
      nvidia-smi >/dev/null 2>&1 && build=cuda || build=cpu
   fi
   say "installing the pinned requirements (PyTorch for $build)"
   if [ "$build" = cpu ]; then
      $pip --retries 1 --extra-index-url https://download.pytorch.org/whl/cpu "$(grep '^torch==' requirements.txt)"
   fi
   $pip -r requirements.txt
}

install_packages
make_venv
install_requirements
