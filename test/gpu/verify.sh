#!/usr/bin/env bash
# Verifies the CUDA backend on a machine with a GPU, python3 and PyTorch, and without Node.js, compiler or network:
#   bash .gpu/verify.sh [--minutes M] [doctor|properties|parity|sanitizer|mnist|layers|translation|speech|words|video|bench|cifar|alexnet|ptb ...]
# All phases by default. With --minutes the most telling come first, those that ended in an earlier call are left out, and nothing runs beyond M minutes:
# the next call goes on from there.
# Writes one JSON file for each phase and report.md to $OUT (default: out beside this file). Exit status: 1 if a check fails.
# What is packed lies in $TMPDIR (default /tmp) afterwards.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
archive=$here/ostrich.tar.xz
if ! command -v python3 >/dev/null; then
  echo 'verify: expected python3 on the PATH, got none' >&2
  exit 1
fi

minutes=
if [ "${1:-}" = --minutes ]; then
  minutes=${2:-}
  if ! [[ $minutes =~ ^[1-9][0-9]{0,3}$ ]]; then
    echo "verify: expected --minutes and a whole number from 1 to 9999, got '$minutes'" >&2
    exit 2
  fi
  shift 2
fi

# Another archive is another folder; one that was left half unpacked has another name.
sum=$(cksum <"$archive" | cut -d ' ' -f 1)
tree=${TMPDIR:-/tmp}/ostrich-gpu-$(id -u)-$sum
if [ ! -d "$tree" ]; then
  fresh=$(mktemp -d "$tree.XXXXXX")
  python3 -c 'import sys, tarfile; tarfile.open(sys.argv[1]).extractall(sys.argv[2])' "$archive" "$fresh"
  mv -T "$fresh" "$tree"
fi

export OUT=${OUT:-$here/out}
phases=("$@")
[ $# -gt 0 ] || phases=(doctor properties parity sanitizer mnist layers translation speech words video bench cifar alexnet ptb)
[ $# -gt 0 ] || [ -z "$minutes" ] || phases=(doctor parity layers mnist ptb alexnet bench translation speech words cifar properties sanitizer video)
limit=540
ran=()
for phase in "${phases[@]}"; do
  if [ -n "$minutes" ]; then
    # Of another build nothing is known yet.
    if grep -qs "\"build\": \"$sum\"" "$OUT/$phase.json" && ! grep -qs '"unfinished": true' "$OUT/$phase.json"; then
      ran+=("$phase")
      continue
    fi
    left=$((minutes * 60 - SECONDS - 10))
    # Less is too little for any phase.
    [ "$left" -ge 20 ] || continue
    limit=$((left < 540 ? left : 540))
  fi
  ran+=("$phase")
  # The phase has noted that it began; a phase that does not end says so in its file.
  OSTRICH_BUILD=$sum timeout --kill-after=10 "$limit" "$tree/node" "$tree/test/gpu/verify.mjs" "$phase" || true
done
if [ ${#ran[@]} -lt ${#phases[@]} ]; then echo "verify: ${#ran[@]} of ${#phases[@]} phases so far; the next call goes on"; fi
exec "$tree/node" "$tree/test/gpu/verify.mjs" report "${ran[@]}"
