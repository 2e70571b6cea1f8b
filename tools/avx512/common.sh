# shellcheck shell=bash
# Shared by the commands of this folder. Sourced, never run.
# shellcheck disable=SC2034
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
base=${FASTLAYERS_AVX512_ROOT:-${XDG_CACHE_HOME:-${HOME:?HOME is not set; set FASTLAYERS_AVX512_ROOT}/.cache}/fastlayers/avx512}
case $base in /*) ;; *) base=$PWD/$base ;; esac
tree=$base/debian
libraries=$tree/usr/lib/x86_64-linux-gnu

say() { printf '%s\n' "$*"; }
die() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; exit 1; }

# Runs a program of the Debian tree with its own libraries.
of_tree() { "$libraries/ld-linux-x86-64.so.2" --library-path "$libraries" "$@"; }
