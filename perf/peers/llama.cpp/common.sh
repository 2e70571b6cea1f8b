# shellcheck shell=bash
# Shared by the commands of this folder: which release is the peer, and where it lies. Sourced, never run.
# shellcheck disable=SC2034 # Used by those that source this.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
package=@node-llama-cpp/linux-x64
version=3.22.1 # Holds llama.cpp v0.5.0, whose structures LlamaParameters.cs describes.
checksum=e6e0820cda9608d7da026f1a47f533c5ba381c1a4a80d17dd640873dea4a86032057638099ab6879f6ce94c8a1b2a0a21f639ddf913f7941d00856df44126e3a
base=${FASTLAYERS_PEERS:-${XDG_CACHE_HOME:-${HOME:?HOME is not set; set FASTLAYERS_PEERS}/.cache}/fastlayers/peers}
folder=$base/llama.cpp-$version
libraries=$folder/package/bins/linux-x64
program=$here/bin/Release/net10.0/FastLayers.Peers.LlamaCpp.dll

die() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; exit 1; }
