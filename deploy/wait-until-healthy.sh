#!/bin/sh
# deploy/wait-until-healthy.sh PORT: returns when the web process on that port is healthy, or fails after a minute.
set -eu
for _ in $(seq 120); do
    if curl --fail --silent --max-time 2 "http://127.0.0.1:$1/health" >/dev/null; then exit 0; fi
    sleep 0.5
done
echo "No healthy process on port $1." >&2
exit 1
