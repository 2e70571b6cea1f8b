# shellcheck shell=bash
# Shared by the commands of this folder: where the prepared OpenCL runtime lies. Sourced, never run.
# shellcheck disable=SC2034 # Used by those that source this.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
base=${FASTLAYERS_OPENCL_ROOT:-${XDG_CACHE_HOME:-${HOME:?HOME is not set; set FASTLAYERS_OPENCL_ROOT}/.cache}/fastlayers/opencl}
case $base in /*) ;; *) base=$PWD/$base ;; esac
layout=1 # Raised whenever what `prepare` leaves in the folder changes, so that an older one is made anew.

say() { printf '%s\n' "$*"; }
die() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; exit 1; }

# Prints what `prepare` wrote last: "<layout> <kind> <folder>"; kind is system or root. A folder that was moved counts as not prepared.
prepared() {
  local was_layout was_kind was_folder
  if [ -n "${FASTLAYERS_OPENCL_TRY:-}" ]; then say "$FASTLAYERS_OPENCL_TRY"; return; fi # `prepare` proves before it writes.
  [ -f "$base/prepared" ] || return 0
  read -r was_layout was_kind was_folder < "$base/prepared"
  if [ "$was_layout" = "$layout" ] && [ "$was_folder" = "$base" ]; then say "$was_kind"; fi
}

# Sets loader and libraries: the dynamic loader of the Debian tree and where its libraries lie.
find_loader() {
  local found
  found=$(find "$1/usr/lib" -name 'ld-linux-*.so.*' -not -type d 2>/dev/null | head -n 1)
  [ -n "$found" ] || return 1
  # shellcheck disable=SC2034
  loader=$found libraries=$(dirname "$found")
}
