#!/usr/bin/env bash
# Runs the program once against a simulated platform: what it declares is posted, waited for and cleaned up, and no real
# node is touched. Needs what `pulumi install` installs, and nothing else.
set -euo pipefail
cd "$(dirname "$0")"
work=$(mktemp -d)
venv/bin/togetherai-simulator --port 0 --speed 60 >"$work/simulator.log" 2>&1 &
simulator=$!
trap 'kill "$simulator" 2>/dev/null; wait "$simulator" || true; rm -rf "$work"' EXIT
until grep -q "use it" "$work/simulator.log"; do
  kill -0 "$simulator" || { cat "$work/simulator.log"; exit 1; }
  sleep 0.1
done
# It prints the line that points the provider to it.
eval "$(sed -n 's/^ *use it *//p' "$work/simulator.log")"
mkdir "$work/state"
export PULUMI_BACKEND_URL="file://$work/state" PULUMI_CONFIG_PASSPHRASE=rehearsal
pulumi stack init rehearsal
pulumi preview --stack rehearsal
pulumi up --yes --skip-preview --stack rehearsal
pulumi destroy --yes --skip-preview --stack rehearsal
pulumi stack rm --yes rehearsal
