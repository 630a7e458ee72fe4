#!/bin/bash
# Measures reconcile beside psql and pg_dump on a generated schema: median time and peak memory of each command.
# Starts a PostgreSQL of its own from the binaries on this machine, and leaves nothing behind.
#
#     benches/run.sh [TABLES] [RUNS]        (1000 tables and 5 runs unless said otherwise)
#
# RECONCILE names the program (target/release/reconcile), PGBIN the folder with PostgreSQL's programs. Built before by
# `cargo build --release --bin reconcile --example read`; the example reads the catalogs and does nothing else.

set -euo pipefail

tables=${1:-1000}
runs=${2:-5}
here=$(cd "$(dirname "$0")" && pwd)
reconcile=${RECONCILE:-$(dirname "$here")/target/release/reconcile}

find_postgres() {
    local folder
    for folder in "${PGBIN:-}" $(printf '%s\n' /usr/lib/postgresql/*/bin /usr/pgsql-*/bin | sort -rV) \
        /opt/homebrew/opt/postgresql@*/bin "$(pg_config --bindir 2>/dev/null || true)"; do
        if [ -x "$folder/initdb" ] && [ -x "$folder/postgres" ]; then
            echo "$folder"
            return
        fi
    done
    echo "no initdb found: name its folder in PGBIN" >&2
    return 1
}

# PostgreSQL refuses to run as root.
unprivileged() {
    if [ "$(id -u)" -ne 0 ]; then
        "$@"
    else
        (cd / && setpriv --reuid "$user" --regid "$(id -g "$user")" --clear-groups "$@")
    fi
}

user=postgres
id "$user" >/dev/null 2>&1 || user=nobody
pgbin=$(find_postgres)
PATH=$pgbin:$PATH
work=$(mktemp -d "${TMPDIR:-/tmp}/reconcile-bench.XXXXXX")
server=$work/server

finish() {
    [ ! -f "$server/data/postmaster.pid" ] || unprivileged "$pgbin/pg_ctl" -D "$server/data" -m immediate stop >/dev/null || true
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

start_server() {
    mkdir "$server"
    chmod 755 "$work"
    [ "$(id -u)" -ne 0 ] || chown "$user" "$server"
    unprivileged "$pgbin/initdb" -D "$server/data" -U bench -A trust -E UTF8 --no-locale >/dev/null
    # One transaction locks each table and index; the default has room for some 900 tables.
    unprivileged "$pgbin/pg_ctl" -D "$server/data" -l "$server/log" -w \
        -o "-k $server -c listen_addresses= -c max_locks_per_transaction=1024" start >/dev/null
}

export PGHOST=$server PGUSER=bench PGDATABASE=bench
unset PGPORT PGSERVICE PGOPTIONS PGPASSWORD

# measure NAME PREPARE COMMAND [EXIT_CODE]: one line of the table.
measure() {
    local name=$1 prepare=$2 command=$3 expected=${4:-0} code=0 peak=- median
    bash -c "$prepare" >/dev/null 2>&1
    if [ -x /usr/bin/time ] && /usr/bin/time -v true 2>/dev/null; then
        /usr/bin/time -v -o "$work/time" bash -c "exec $command" >"$work/out" 2>&1 || code=$?
        peak=$(awk '/Maximum resident set size/ { printf "%.0f MB", $NF / 1024 }' "$work/time")
    else
        bash -c "exec $command" >"$work/out" 2>&1 || code=$?
    fi
    if [ "$code" -ne "$expected" ]; then
        printf '%-34s ended with exit code %s instead of %s:\n' "$name" "$code" "$expected"
        tail -n 5 "$work/out"
        failed=1
        return
    fi
    if command -v hyperfine >/dev/null; then
        hyperfine --style none --ignore-failure --runs "$runs" --prepare "$prepare" --export-csv "$work/csv" \
            "$command >/dev/null 2>&1" >/dev/null 2>&1
        median=$(awk -F, 'NR == 2 { print $(NF - 4) }' "$work/csv")
    else
        median=$(time_loop "$prepare" "$command")
    fi
    [ -n "${unit:-}" ] || unit=$median
    awk -v name="$name" -v median="$median" -v unit="$unit" -v peak="$peak" \
        'BEGIN { printf "%-34s %9.3f s %8.1f %12s\n", name, median, median / unit, peak }'
}

time_loop() {
    local started i
    for ((i = 0; i < runs; i++)); do
        bash -c "$1" >/dev/null 2>&1
        started=$(date +%s%N)
        bash -c "exec $2" >/dev/null 2>&1 || true
        echo $(($(date +%s%N) - started))
    done | sort -n | awk '{ t[NR] = $1 } END { print (t[int((NR + 1) / 2)] + t[int(NR / 2) + 1]) / 2e9 }'
}

# Statements between zero bytes, as SQL.
lines() {
    sed -z 's/$/;/' | tr '\0' '\n'
}

start_server
"$here/generate.sh" "$tables" >"$work/schema.sql"
"$here/generate.sh" "$tables" 10 >"$work/changed.sql"
createdb bench
psql -X -q -1 -v ON_ERROR_STOP=1 -f "$work/schema.sql"
psql -X -q -c 'VACUUM ANALYZE'

cd "$work"
failed=0
empty='dropdb --if-exists bench_load && createdb bench_load'
url="postgresql://bench@/bench?host=$server"
echo "$tables tables, $("$pgbin/postgres" --version), median of $runs runs"
printf '%-34s %11s %8s %12s\n' command time ratio 'peak memory'
measure 'pg_dump -s' true 'pg_dump -s'
measure 'psql -1 -f' "$empty" "psql -X -q -1 -v ON_ERROR_STOP=1 -d bench_load -f '$work/schema.sql'"
if [ -x "$reconcile" ]; then
    plan="'$reconcile' plan --db '$url' -o '$work/plan.json'"
    [ ! -x "$(dirname "$reconcile")/examples/read" ] ||
        measure 'reading the catalogs' true "'$(dirname "$reconcile")/examples/read' '$url'"
    measure 'reconcile inspect' true "'$reconcile' inspect --db '$url'"
    measure 'reconcile plan, no change' true "$plan --schema '$work/schema.sql'"
    measure 'reconcile plan, 10 changes' true "$plan --schema '$work/changed.sql'" 2
    measure 'the same with --no-proof' true "$plan --schema '$work/changed.sql' --no-proof" 2
    # The order of statements must not matter much: what a plan without changes takes is mostly loading.
    awk -v RS=';\n' -v ORS='\0' 'NR <= 5000' "$work/schema.sql" | lines >"$work/sorted.sql"
    awk -v RS=';\n' -v ORS='\0' 'NR <= 5000' "$work/schema.sql" | shuf -z --random-source="$work/schema.sql" | lines >"$work/random.sql"
    createdb bench_5000
    psql -X -q -1 -v ON_ERROR_STOP=1 -d bench_5000 -f "$work/sorted.sql"
    plan="'$reconcile' plan --db 'postgresql://bench@/bench_5000?host=$server' -o '$work/plan.json'"
    measure 'plan of 5,000 statements, sorted' true "$plan --schema '$work/sorted.sql'"
    measure 'the same in random order' true "$plan --schema '$work/random.sql'"
else
    echo "no $reconcile: build it with cargo build --release --bin reconcile --example read" >&2
    failed=1
fi
exit "$failed"
