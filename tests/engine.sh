#!/bin/sh
# A container engine for the tests of images, and a base image where no registry can be reached.
#
#   tests/engine.sh install      what it needs, by apt: docker.io, debootstrap (as root)
#   tests/engine.sh up DIR [KIB] prints DOCKER_HOST=… for the engine, with the base debian:trixie-slim;
#                                an engine of ours is started where DIR has so much space
#   tests/engine.sh client       prints the path of docker's client
#   tests/engine.sh down DIR     ends what `up` started, and removes DIR
#
# An engine that answers is used as it is. Else, as root, dockerd is started: without a service
# manager, firewall rules or a bridge, its data below DIR. Where that cannot be, `up` exits 77 and
# says why on standard error.
set -eu

BASE=debian:trixie-slim
SUITE=trixie
SPACE=12000000    # KiB that an image takes below DIR while it is built: vfs copies every layer
LONGEST=68        # characters of DIR: sockets below it have 39 more, and may have 107
STARTED_WITHIN=60 # seconds that dockerd has to answer, and to end

skip() {
    echo "$1" >&2
    exit 77
}

# Docker's client, of those on the PATH the first that can talk to any daemon of ours and build:
# from 23 on that takes the plugin buildx.
client() {
    echo "$PATH" | tr ':' '\n' | while read -r folder; do
        found=$folder/docker
        if [ -x "$found" ]; then
            major=$("$found" version --format '{{.Client.Version}}' 2>/dev/null | cut -d. -f1)
            if [ "${major:-0}" -lt 23 ] || "$found" buildx version >/dev/null 2>&1; then
                echo "$found"
                break
            fi
        fi
    done
}

install() {
    [ "$(id -u)" = 0 ] || skip "only root can install docker.io"
    command -v apt-get >/dev/null || skip "there is no apt-get to install docker.io with"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends \
        docker.io debootstrap >/dev/null
}

start() {
    [ "$(id -u)" = 0 ] || skip "no container engine answers, and only root can start dockerd"
    command -v dockerd >/dev/null || skip "there is no dockerd: tests/engine.sh install"
    [ "${#1}" -le "$LONGEST" ] || skip "$1 is too long a name for the sockets below it"
    mkdir -p "$1"
    if [ "$(df -Pk "$1" | awk 'NR == 2 { print $4 }')" -lt "$2" ]; then
        skip "$1 has less than $2 KiB free, which an image takes while it is built"
    fi
    # In a session of its own: Ctrl-C in the terminal is for the tests.
    setsid dockerd --data-root "$1/data" --exec-root "$1/exec" --pidfile "$1/pid" \
        --host "unix://$1/docker.sock" --iptables=false --ip6tables=false --bridge=none \
        --storage-driver=vfs >"$1/log" 2>&1 </dev/null &
    waited=0
    until [ -S "$1/docker.sock" ] && "$docker" version >/dev/null 2>&1; do
        if [ "$waited" -ge "$STARTED_WITHIN" ]; then
            down "$1" keep
            skip "dockerd does not start: $(tail -n 1 "$1/log")"
        fi
        sleep 1
        waited=$((waited + 1))
    done
}

# As debuerreotype makes Debian's official slim images, in what matters for sizes.
base() {
    command -v debootstrap >/dev/null ||
        skip "$BASE cannot be pulled, and there is no debootstrap to make it: tests/engine.sh install"
    [ "$(id -u)" = 0 ] || skip "$BASE cannot be pulled, and only root can make it with debootstrap"
    archive=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Codename: *' 2>/dev/null |
        head -n 1)
    top=$1/base
    rm -rf "$top"
    debootstrap --variant=minbase "$SUITE" "$top" ${archive:+"$archive"} >"$1/debootstrap.log" 2>&1 ||
        skip "debootstrap fails: $(tail -n 1 "$1/debootstrap.log")"
    cat >"$top/etc/dpkg/dpkg.cfg.d/slim" <<'END'
path-exclude /usr/share/doc/*
path-include /usr/share/doc/*/copyright
path-exclude /usr/share/info/*
path-exclude /usr/share/locale/*
path-exclude /usr/share/man/*
END
    cat >"$top/etc/apt/apt.conf.d/slim" <<'END'
Acquire::Languages "none";
APT::AutoRemove::SuggestsImportant "false";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
END
    find "$top/usr/share/doc" -type f ! -name copyright -delete
    rm -rf "$top"/usr/share/info/* "$top"/usr/share/locale/* "$top"/usr/share/man/* \
        "$top"/var/cache/apt/* "$top"/var/lib/apt/lists/* "$top"/var/log/*.log "$top/debootstrap"
    tar -C "$top" -c . | "$docker" import - "$BASE" >/dev/null
    rm -rf "$top"
}

up() {
    docker=$(client)
    [ -n "$docker" ] || skip "there is no docker client that can build: tests/engine.sh install"
    if ! "$docker" version >/dev/null 2>&1; then
        export DOCKER_HOST="unix://$1/docker.sock"
        start "$1" "${2:-$SPACE}"
    fi
    if ! "$docker" image inspect "$BASE" >/dev/null 2>&1 && ! timeout 300 "$docker" pull "$BASE" >/dev/null 2>&1
    then
        base "$1"
    fi
    said=$("$docker" run --rm --network none "$BASE" true 2>&1) || {
        down "$1" keep
        skip "containers do not run here: $(echo "$said" | tail -n 1)"
    }
    echo "DOCKER_HOST=${DOCKER_HOST:-}"
}

down() {
    if [ -f "$1/pid" ]; then
        pid=$(cat "$1/pid")
        # Another process may have that number by now.
        if [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = dockerd ]; then
            kill "$pid"
            timeout "$STARTED_WITHIN" sh -c "while kill -0 $pid 2>/dev/null; do sleep 0.2; done" ||
                kill -9 "$pid"
        fi
    fi
    # What dockerd mounted and could not unmount any more, the deepest first.
    awk -v top="$1/" 'index($2, top) == 1 { print $2 }' /proc/mounts | sort -r | xargs -r umount -l
    if [ "${2:-}" != keep ]; then
        rm -rf "$1"
    fi
}

case "${1:-}" in
install) install ;;
client) client ;;
up | down) "$1" "${2:?a directory}" "${3:-}" ;;
*)
    sed -n '2,/^$/s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
