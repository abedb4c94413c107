#!/usr/bin/env bash
# get_mysql.sh PREFIX: unpacks a genuine MySQL server for tests below PREFIX, with a data directory to copy.
# It takes Debian's packages of a newer suite from the mirror that this system's apt is configured with, in an apt
# state of its own, signatures checked; they run with their own C library. No root, no change to the system.
# It refuses to use what it cannot verify. A PREFIX that is complete is left as it is, and the network unasked.
#   FIXPOINT_MYSQL_MIRROR=URI    another mirror         FIXPOINT_MYSQL_SUITE=sid    another suite
#   FIXPOINT_MYSQL_DEBS=DIR      keeps the packages there with their checksums; a DIR that is complete is used offline
set -euo pipefail

say() { printf 'get_mysql: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

[ $# = 1 ] || { say "usage: $0 PREFIX"; exit 2; }
mkdir -p "$1"
PREFIX=$(cd "$1" && pwd -P)
SUITE=${FIXPOINT_MYSQL_SUITE:-sid}
DEBS=${FIXPOINT_MYSQL_DEBS:-$PREFIX/debs}
KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
WANTED=(mysql-server-core mysql-client-core)
# What the packages depend on, and nothing that we run needs.
UNNEEDED='^(perl.*|libperl.*|libgdbm.*|libdb5\.3.*|libbz2-1\.0|mysql-common|.*-dev|libc-dev-bin|libc-gconv-modules-extra|gcc-.*-base|sensible-utils|ucf|debconf|libdebconf.*)$'
DONE=$PREFIX/complete

# Two at once (two test runs of one tree) must not unpack over each other.
exec 9>"$PREFIX/lock"
flock -w 600 9 || fail "somebody else has been unpacking into $PREFIX for ten minutes"

if [ -f "$DONE" ] && [ -x "$PREFIX/bin/mysqld" ] && [ -d "$PREFIX/template/mysql" ] && [ "$(cat "$DONE")" = "$PREFIX" ]; then
    exit 0
fi
rm -f "$DONE"

for tool in apt-get dpkg-deb sha256sum flock; do
    command -v "$tool" >/dev/null || fail "$tool is needed (a Debian system has it)"
done
[ -r "$KEYRING" ] || fail "there is no $KEYRING; install debian-archive-keyring"

cached() { [ -s "$DEBS/SHA256SUMS" ] && (cd "$DEBS" && sha256sum --quiet -c SHA256SUMS >/dev/null 2>&1); }

# The address of this system's own Debian suite, as its apt understands it.
mirror() {
    apt-get --print-uris update 2>/dev/null |
        sed -nE "s#^'([^']*/debian)/?/dists/[a-z]+/InRelease'.*#\\1#p" | sed -n 1p
}

apt_private() { # arguments of apt-get; everything it reads and writes is below $APT
    apt-get -q \
        -o Dir::Etc::SourceList="$APT/list.sources" -o Dir::Etc::SourceParts=/dev/null \
        -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null \
        -o Dir::State="$APT/state" -o Dir::State::Lists="$APT/state/lists" -o Dir::State::status="$APT/status" \
        -o Dir::Cache="$APT/cache" -o Dir::Cache::archives="$APT/cache/archives" \
        -o APT::Get::AllowUnauthenticated=false -o Acquire::AllowInsecureRepositories=false \
        -o Acquire::AllowWeakRepositories=false -o Acquire::AllowDowngradeToInsecureRepositories=false \
        -o Acquire::Retries=3 -o Acquire::Languages=none -o APT::Update::Error-Mode=any \
        -o APT::Sandbox::User= -o APT::Install-Recommends=false -o APT::Default-Release= \
        -o APT::Update::Post-Invoke-Success= -o APT::Update::Post-Invoke= "$@"
}

download() {
    local uri packages try log
    APT=$PREFIX/apt
    log=$APT/log
    rm -rf "$APT" "$DEBS"
    mkdir -p "$APT/state/lists/partial" "$APT/cache/archives/partial" "$DEBS"
    : >"$APT/status"
    uri=${FIXPOINT_MYSQL_MIRROR:-$(mirror)}
    [ -n "$uri" ] || fail "this system's apt is configured with no Debian mirror; name one in FIXPOINT_MYSQL_MIRROR"
    printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: %s\n' "$uri" "$SUITE" "$KEYRING" >"$APT/list.sources"
    # The suite may move between its index and the packages: then both are taken again.
    for try in 1 2 3; do
        rm -f "$DEBS"/*.deb
        if apt_private update >"$log" 2>&1; then
            packages=$(apt_private -s install "${WANTED[@]}" 2>>"$log" |
                awk -v unneeded="$UNNEEDED" '/^Inst / { gsub(/[(]/, "", $3); if ($2 !~ unneeded) print $2 "=" $3 }') || packages=
            # shellcheck disable=SC2086
            if [ -n "$packages" ] && (cd "$DEBS" && apt_private download $packages) >>"$log" 2>&1; then
                [ "$(wc -l <<<"$packages")" = "$(find "$DEBS" -name '*.deb' | wc -l)" ] || fail "some packages did not arrive"
                (cd "$DEBS" && sha256sum -- *.deb >SHA256SUMS.new && mv SHA256SUMS.new SHA256SUMS)
                rm -rf "$APT"
                return
            fi
        fi
        tail -n 5 "$log" >&2
        say "the packages could not be taken from suite $SUITE (try $try of 3)"
        sleep $((try * 2))
    done
    fail "no MySQL packages; the tests against real servers need them"
}

unpack() {
    local deb loader libraries program
    rm -rf "$PREFIX/root" "$PREFIX/bin"
    mkdir -p "$PREFIX/root" "$PREFIX/bin"
    for deb in "$DEBS"/*.deb; do dpkg-deb -x "$deb" "$PREFIX/root"; done
    rm -rf "$PREFIX"/root/usr/share/{man,locale,lintian} "$PREFIX"/root/usr/lib/*/gconv "$PREFIX/root/var"
    loader=$(find "$PREFIX/root/usr/lib" -maxdepth 2 -name 'ld-linux*.so.*' | sed -n 1p)
    [ -n "$loader" ] || fail "the packages hold no dynamic loader"
    libraries=$(dirname "$loader")
    for program in sbin/mysqld bin/mysql bin/mysqladmin bin/mysqlbinlog; do
        [ -x "$PREFIX/root/usr/$program" ] || fail "the packages hold no $program"
        printf '#!/bin/sh\nexec "%s" --library-path "%s" "%s" "$@"\n' \
            "$loader" "$libraries" "$PREFIX/root/usr/$program" >"$PREFIX/bin/${program##*/}"
        chmod 755 "$PREFIX/bin/${program##*/}"
    done
    for plugin in semisync_source semisync_replica mysql_clone; do
        [ -f "$PREFIX/root/usr/lib/mysql/plugin/$plugin.so" ] || fail "the packages hold no plugin $plugin"
    done
    "$PREFIX/bin/mysqld" --no-defaults --version >&2 || fail "the unpacked mysqld does not run here"
}

# A data directory as after --initialize, without the server's identity: each server starts with a copy.
make_template() {
    local base=$PREFIX/root/usr
    rm -rf "$PREFIX/template" "$PREFIX/template.new"
    "$PREFIX/bin/mysqld" --no-defaults --basedir="$base" --lc-messages-dir="$base/share/mysql" \
        --character-sets-dir="$base/share/mysql/charsets" --plugin-dir="$base/lib/mysql/plugin" --secure-file-priv=NULL \
        --user="$(id -un)" --initialize-insecure --datadir="$PREFIX/template.new" --skip-log-bin \
        --innodb-redo-log-capacity=16M --innodb-buffer-pool-size=64M --innodb-flush-method=nosync \
        --innodb-doublewrite=OFF >"$PREFIX/template.log" 2>&1 || { tail -n 5 "$PREFIX/template.log" >&2; fail "no data directory"; }
    rm -f "$PREFIX/template.new/auto.cnf" "$PREFIX"/template.new/*.dblwr
    mv "$PREFIX/template.new" "$PREFIX/template"
}

cached || download
unpack
make_template
printf '%s\n' "$PREFIX" >"$DONE"
say "complete in $PREFIX"
