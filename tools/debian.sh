# shellcheck shell=bash
# Fetching Debian packages without rights and without touching the system's. Sourced, never run; wants base (a folder), suite, say and die.
# shellcheck disable=SC2154

debian_mirror() {
  if [ -n "${FASTLAYERS_DEBIAN_MIRROR:-}" ]; then say "${FASTLAYERS_DEBIAN_MIRROR%/}"; return; fi
  apt-get update --print-uris 2>/dev/null | sed -n "s#^'\\([^']*/debian\\)/*/dists/.*#\\1#p" | head -n 1
}

# An apt of its own: its lists, status and downloads lie in the cache folder, so it needs no rights and leaves the system's alone.
private_apt() { APT_CONFIG=$base/apt/apt.conf apt-get -q "$@"; }

set_up_apt() {
  local mirror keys='' candidate architecture
  for tool in apt-get apt-config dpkg; do
    command -v "$tool" > /dev/null || die "this system has no $tool, so Debian packages cannot be fetched${without_apt:+; $without_apt}"
  done
  for candidate in /usr/share/keyrings/debian-archive-keyring.{gpg,pgp} /etc/apt/trusted.gpg.d/debian-archive-"$suite"-stable.{gpg,asc}; do
    if [ -r "$candidate" ]; then keys=$candidate; break; fi
  done
  [ -n "$keys" ] || die "Debian's archive keys are missing (package debian-archive-keyring)"
  mirror=$(debian_mirror)
  [ -n "$mirror" ] || die 'apt knows no Debian archive here; name one in FASTLAYERS_DEBIAN_MIRROR'
  architecture=$(dpkg --print-architecture)
  local folder=$base/apt
  mkdir -p "$folder"/{lists/partial,archives/partial,state,cache,parts,log}
  : > "$folder/status"
  printf 'deb [arch=%s signed-by=%s] %s %s main\n' "$architecture" "$keys" "$mirror" "$suite" > "$folder/sources.list"
  {
    cat <<CONF
Dir::State "$folder/state";
Dir::State::lists "$folder/lists";
Dir::State::status "$folder/status";
Dir::Cache "$folder/cache";
Dir::Cache::archives "$folder/archives";
Dir::Log "$folder/log";
Dir::Etc::sourcelist "$folder/sources.list";
Dir::Etc::sourceparts "-";
Dir::Etc::preferences "-";
Dir::Etc::preferencesparts "-";
Dir::Etc::main "-";
Dir::Etc::parts "$folder/parts";
APT::Architecture "$architecture";
APT::Architectures { "$architecture"; };
APT::Install-Recommends "false";
APT::Get::List-Cleanup "false";
APT::Sandbox::User "";
Acquire::Languages "none";
Acquire::Retries "3";
CONF
    # Proxies and the like as the system has them.
    apt-config dump | grep -E '^Acquire::(http|https|ftp)(::| )' || true
  } > "$folder/apt.conf"
}
