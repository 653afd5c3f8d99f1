#!/bin/sh
# A PostgreSQL cluster of our own for the tests: in a scratch directory, on loopback, with fsync on.
#
#   tests/postgres.sh start   starts it (installing Debian's postgresql when it is missing) and prints its URL
#   tests/postgres.sh url     prints the URL of the running cluster
#   tests/postgres.sh stop    stops it and removes the directory
#
# TONGBAN_POSTGRES_DIR chooses the directory (default: under TMPDIR, one for each checkout). The server never runs as
# root: a root caller hands it to the user `postgres` or `nobody`.
set -eu

here=$(cd "$(dirname "$0")/.." && pwd)
name=$(printf %s "$here" | cksum | cut -d' ' -f1)
dir=${TONGBAN_POSTGRES_DIR:-${TMPDIR:-/tmp}/tongban-postgres-$name}

fail() {
    echo "postgres.sh: $*" >&2
    exit 1
}

find_bin() {
    for found in /usr/lib/postgresql/*/bin /usr/local/pgsql/bin; do
        if [ -x "$found/initdb" ] && [ -x "$found/pg_ctl" ]; then bin=$found; fi
    done
    if [ -z "${bin:-}" ] && command -v initdb > /dev/null && command -v pg_ctl > /dev/null; then
        bin=$(dirname "$(command -v pg_ctl)")
    fi
    [ -n "${bin:-}" ]
}

install() {
    command -v apt-get > /dev/null || fail "PostgreSQL is missing and so is apt-get: install PostgreSQL 15 or newer"
    [ "$(id -u)" = 0 ] || fail "PostgreSQL is missing: run as root once, or 'apt-get install postgresql'"
    mkdir -p /etc/postgresql-common
    # Without this Debian would start a cluster of its own.
    [ -e /etc/postgresql-common/createcluster.conf ] || echo "create_main_cluster = false" > /etc/postgresql-common/createcluster.conf
    (apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends postgresql) >&2
}

as_owner() {
    if [ "$(id -u)" = 0 ]; then
        (cd "$dir" && runuser -u "$owner" -- "$@")
    else
        "$@"
    fi
}

choose_owner() {
    owner=$(id -un)
    if [ "$(id -u)" = 0 ]; then
        if id postgres > /dev/null 2>&1; then owner=postgres; else owner=nobody; fi
    fi
}

free_port() {
    port=$((20000 + $(od -An -N2 -tu2 /dev/urandom) % 20000))
}

running() {
    [ -f "$dir/url" ] && as_owner "$bin/pg_ctl" -D "$dir/data" status > /dev/null 2>&1
}

start() {
    find_bin || { install && find_bin; } || fail "PostgreSQL could not be installed"
    choose_owner
    if running; then
        cat "$dir/url"
        return
    fi
    rm -rf "$dir"
    mkdir -p "$dir"
    chmod 0755 "$dir"
    [ "$(id -u)" != 0 ] || chown "$owner" "$dir"
    as_owner "$bin/initdb" -D "$dir/data" -U tongban -A trust -E UTF8 --locale=C.UTF-8 > "$dir/initdb.log" 2>&1 \
        || { cat "$dir/initdb.log" >&2; fail "initdb failed"; }
    {
        echo "listen_addresses = '127.0.0.1'"
        echo "unix_socket_directories = '$dir'"
        echo "fsync = on"
        echo "synchronous_commit = on"
        echo "max_connections = 200"
        echo "shared_buffers = 256MB"
        echo "deadlock_timeout = 200ms"
    } > "$dir/extra.conf"
    echo "include = '$dir/extra.conf'" >> "$dir/data/postgresql.conf"
    chmod 0644 "$dir/extra.conf"
    tries=0
    while :; do
        free_port
        if as_owner "$bin/pg_ctl" -D "$dir/data" -l "$dir/data/server.log" -w -t 30 -o "-p $port" start > "$dir/start.log" 2>&1; then
            break
        fi
        tries=$((tries + 1))
        [ "$tries" -lt 5 ] || { cat "$dir/start.log" >&2; fail "the server did not start"; }
    done
    echo "postgres://tongban@127.0.0.1:$port/postgres" > "$dir/url"
    cat "$dir/url"
}

stop() {
    find_bin || fail "PostgreSQL is not installed"
    choose_owner
    if running; then as_owner "$bin/pg_ctl" -D "$dir/data" -m fast -w stop > /dev/null; fi
    rm -rf "$dir"
}

case ${1:-} in
    start) start ;;
    stop) stop ;;
    url) [ -f "$dir/url" ] || fail "not running: tests/postgres.sh start"; cat "$dir/url" ;;
    *) fail "expected start, stop or url, found '${1:-}'" ;;
esac
