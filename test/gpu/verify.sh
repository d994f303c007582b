#!/usr/bin/env bash
# Verifies the CUDA backend on a machine with a GPU, python3 and PyTorch, and without Node.js, compiler or network:
#   bash .gpu/verify.sh [doctor|properties|parity|sanitizer|mnist|translation|speech|words|video|bench|cifar|alexnet|ptb ...]       all of them by default
# Writes one JSON file for each phase and report.md to $OUT (default: out beside this file). Exit status: 1 if a check fails.
# What is packed lies in $TMPDIR (default /tmp) afterwards.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
archive=$here/ostrich.tar.xz
if ! command -v python3 >/dev/null; then
  echo 'verify: expected python3 on the PATH, got none' >&2
  exit 1
fi

# Another archive is another folder; one that was left half unpacked has another name.
tree=${TMPDIR:-/tmp}/ostrich-gpu-$(id -u)-$(cksum <"$archive" | cut -d ' ' -f 1)
if [ ! -d "$tree" ]; then
  fresh=$(mktemp -d "$tree.XXXXXX")
  python3 -c 'import sys, tarfile; tarfile.open(sys.argv[1]).extractall(sys.argv[2])' "$archive" "$fresh"
  mv -T "$fresh" "$tree"
fi

export OUT=${OUT:-$here/out}
phases=("$@")
[ $# -gt 0 ] || phases=(doctor properties parity sanitizer mnist translation speech words video bench cifar alexnet ptb)
for phase in "${phases[@]}"; do
  # The phase has noted that it began; a phase that does not end says so in its file.
  timeout --kill-after=10 540 "$tree/node" "$tree/test/gpu/verify.mjs" "$phase" || true
done
exec "$tree/node" "$tree/test/gpu/verify.mjs" report "${phases[@]}"
