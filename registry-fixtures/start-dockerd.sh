#!/bin/sh
# Starts the Docker engine for CI, unless one answers already. Needs root.
# Says one line; exit status 1, with the end of the engine's log, when it does not come up.
set -eu

log="${TMPDIR:-/tmp}/dockerd.log"
pid_file=/var/run/docker.pid
limit=60 # seconds

answers() {
    docker info >/dev/null 2>&1
}

fail() {
    echo "start-dockerd: $1; the end of $log:" >&2
    tail -n 20 "$log" >&2
    exit 1
}

if answers; then
    echo "start-dockerd: an engine answers already"
    exit 0
fi

# An engine that was killed leaves its pid file, and the next one refuses to start beside it.
# Its number may be another process's by now, so the name is what counts.
if [ -f "$pid_file" ] && [ "$(cat "/proc/$(cat "$pid_file")/comm" 2>/dev/null)" != dockerd ]; then
    rm -f "$pid_file"
fi

nohup dockerd >"$log" 2>&1 </dev/null &
engine=$!

waited=0
until answers; do
    kill -0 "$engine" 2>/dev/null || fail "dockerd ended"
    [ "$waited" -lt "$limit" ] || fail "dockerd did not answer within $limit s"
    sleep 1
    waited=$((waited + 1))
done
echo "start-dockerd: the engine answers after $waited s, log in $log"
