#!/bin/bash
# Follows the README on a minimal system with nothing but Python: what a new user sees there.
#
#   tests/hosts.sh trixie|bookworm|forky [--user] [--bare] [--build R] [--options O] [--tests W] [--keep]
#
#   --user      as an ordinary user with sudo, whose home is 0700; else as root
#   --bare      without Python, too
#   --build R   what is built instead of the README's 3.13,3.14; "none" for nothing
#   --options O further options of the build, as one word: "--profile fast"
#   --tests W   the README's test command too, with these words: --fast, or tests/unit
#   --keep      leave the system where it is, and say where
#
# As root, with debootstrap. The system is made by it once, below $FTBUILD_HOSTS (/var/tmp/ftbuild-hosts),
# and copied for each use. It asks the package archive and the package index that this host is configured
# with. Ends with 77 where such a system cannot be made here, and with 1 where a command failed.
set -euo pipefail

top=$(cd "$(dirname "$0")/.." && pwd)
cache=${FTBUILD_HOSTS:-/var/tmp/ftbuild-hosts}
suite='' user=root bare='' request=3.13,3.14 options='' tests='' keep=''

while [ $# -gt 0 ]; do
    case $1 in
    trixie | bookworm | forky) suite=$1 ;;
    --user) user=somebody ;;
    --bare) bare=-bare ;;
    --build) request=$2 && shift ;;
    --options) options=$2 && shift ;;
    --tests) tests=$2 && shift ;;
    --keep) keep=yes ;;
    *) echo "usage: tests/hosts.sh trixie|bookworm|forky [--user] [--bare] [--build R] [--tests W] [--keep]" >&2 && exit 2 ;;
    esac
    shift
done
[ -n "$suite" ] || { echo "tests/hosts.sh: name a system: trixie, bookworm or forky" >&2 && exit 2; }

skip() {
    echo "$1" >&2
    exit 77
}

[ "$(id -u)" = 0 ] || skip "only root can make another system and enter it"
command -v debootstrap >/dev/null || skip "there is no debootstrap: apt-get install debootstrap"

# The first package archive that apt is configured with has all suites.
archive=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Codename: *' 2>/dev/null | head -n 1)
base=$cache/$suite$bare
if [ ! -e "$base/etc/os-release" ]; then
    script=/usr/share/debootstrap/scripts/$suite
    [ -e "$script" ] || script=/usr/share/debootstrap/scripts/sid
    mkdir -p "$cache"
    rm -rf "$base.new"
    debootstrap --variant=minbase ${bare:---include=python3} "$suite" "$base.new" "$archive" "$script" >"$base.log" 2>&1 ||
        skip "debootstrap cannot make $suite: $(tail -n 1 "$base.log")"
    mv "$base.new" "$base"
fi

host=$(mktemp -d "$cache/run-$suite.XXXXXX")
leave() {
    for below in dev proc sys; do
        umount -l "$host/$below" 2>/dev/null || true
    done
    if [ -n "$keep" ]; then echo "kept: $host" >&2; else rm -rf --one-file-system "$host"; fi
}
trap leave EXIT
cp -a "$base/." "$host"
chmod 755 "$host"
mount --rbind /dev "$host/dev"
mount --make-rslave "$host/dev"
mount -t proc proc "$host/proc"
mount -t sysfs sysfs "$host/sys" 2>/dev/null || true
cp /etc/resolv.conf /etc/hosts "$host/etc/"
[ ! -e /etc/pip.conf ] || cp /etc/pip.conf "$host/etc/"

# The clients there trust whom the clients here do.
trust=()
bundle=${SSL_CERT_FILE:-${REQUESTS_CA_BUNDLE:-}}
if [ -n "$bundle" ]; then
    mkdir -p "$host/etc/ftbuild-tests"
    cp "$bundle" "$host/etc/ftbuild-tests/ca.crt"
    for name in SSL_CERT_FILE REQUESTS_CA_BUNDLE PIP_CERT; do
        trust+=("$name=/etc/ftbuild-tests/ca.crt")
    done
    sed -i 's#^cert *=.*#cert = /etc/ftbuild-tests/ca.crt#' "$host/etc/pip.conf" 2>/dev/null || true
fi

home=/root
if [ "$user" != root ]; then
    home=/home/$user
    chroot "$host" sh -c "apt-get -qq update && apt-get -qq install -y --no-install-recommends sudo" >/dev/null 2>&1
    chroot "$host" useradd --create-home --shell /bin/bash "$user"
    echo "$user ALL=(ALL) NOPASSWD: ALL" >"$host/etc/sudoers.d/$user"
fi
chmod 700 "$host$home"
git clone -q "$top" "$host$home/ftbuild"
chroot "$host" chown -R "$user" "$home"

# Processor seconds of what this shell has run so far.
spent() {
    local fields
    read -r -a fields <"/proc/$$/stat"
    echo $(((fields[15] + fields[16]) / $(getconf CLK_TCK)))
}

# One command of a user: what it showed, its status, its processor seconds.
commands=0
follow() {
    commands=$((commands + 1))
    echo "\$ $1"
    local status=0 seconds before after
    # Of all that ended: the processor seconds of the children of this shell.
    before=$(spent) seconds=$SECONDS
    chroot --userspec="$user" "$host" /usr/bin/env -i "HOME=$home" "USER=$user" TERM=dumb LANG=C.UTF-8 \
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "${trust[@]}" \
        sh -c "cd ~/ftbuild && $1" || status=$?
    after=$(spent)
    echo "  → status $status, $((SECONDS - seconds)) s, processor $((after - before)) s"
    return "$status"
}

name=$(. "$host/etc/os-release" && echo "$PRETTY_NAME")
echo "# $name, as $user, $([ -z "$bare" ] && echo "Python there" || echo "without Python")"
failed=
[ "$request" = none ] || follow "./ftbuild build $request --yes${options:+ $options}" || failed=yes
if [ -n "$tests" ]; then
    [ "$request" != none ] || follow "./ftbuild doctor --install" || failed=yes
    follow "./ftbuild test $tests" || failed=yes
fi
echo "| $name | $user | $commands command$([ $commands = 1 ] || echo s) | $([ -z "$failed" ] && echo green || echo red) |"
[ -z "$failed" ]
