# Sourced by tools/check and tools/quickstart: installs what a tier needs through apt,
# says so, and touches nothing that is already there (no network needed then).
# shellcheck shell=bash disable=SC2034

readonly package_lists=${repository:?}/tools/packages

# is_installed PACKAGE
is_installed() {
  local status
  status=$(dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null) && [[ $status == ii* ]]
}

# first_of "a | b" -> the alternative that is installed, else the first apt knows, else the first
first_of() {
  local alternative chosen=
  for alternative in ${1//|/ }; do
    if is_installed "$alternative"; then
      echo "$alternative"
      return
    fi
    if [[ -z $chosen ]] && apt-cache show --no-all-versions "$alternative" >/dev/null 2>&1; then
      chosen=$alternative
    fi
  done
  echo "${chosen:-${1%% *}}"
}

# packages_of LIST...: a list is a name below tools/packages or a file
packages_of() {
  local list line
  for list in "$@"; do
    [[ -f $list ]] || list=$package_lists/$list.txt
    while read -r line; do
      [[ -z $line || $line == '#'* ]] || first_of "$line"
    done <"$list"
  done
}

# as_root COMMAND...
as_root() {
  if ((EUID == 0)); then
    "$@"
  elif [[ -t 2 ]]; then
    sudo "$@"
  else
    sudo -n "$@"
  fi
}

# install_packages LIST...: 0 when everything is there. Otherwise 1, and
# $packages_problem says what is missing and what to do.
install_packages() {
  packages_problem=
  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    # Not Debian or Ubuntu: whoever runs this has installed the programs by hand.
    echo "no apt here: assuming that what $* name(s) in tools/packages is installed" >&2
    return 0
  fi
  local package log
  local -a missing=()
  while read -r package; do
    is_installed "$package" || missing+=("$package")
  done < <(packages_of "$@" | sort -u)
  ((${#missing[@]})) || return 0

  if ((EUID != 0)) && ! command -v sudo >/dev/null; then
    packages_problem="not installed: ${missing[*]} (run as root: apt-get install ${missing[*]})"
    return 1
  fi
  if [[ " ${missing[*]} " == *:arm64\ * ]] && ! dpkg --print-foreign-architectures | grep -qx arm64 &&
    [[ $(dpkg --print-architecture) != arm64 ]]; then
    echo "adding the architecture arm64 to dpkg" >&2
    as_root dpkg --add-architecture arm64 || true
  fi
  echo "installing: ${missing[*]}" >&2
  log=$(mktemp)
  if [[ -z ${package_lists_updated:-} ]] && ! as_root apt-get update >"$log" 2>&1; then
    echo "apt-get update failed (no network?): going on with the package lists this machine has" >&2
  fi
  package_lists_updated=yes
  # Alternatives are chosen again: only now does apt know every name.
  mapfile -t missing < <(packages_of "$@" | sort -u | while read -r package; do
    is_installed "$package" || echo "$package"
  done)
  if as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}" \
    >>"$log" 2>&1; then
    rm -f "$log"
    return 0
  fi
  tail -5 "$log" >&2
  packages_problem="apt could not install: ${missing[*]} (its output: $log)"
  return 1
}

# warn_about_system: one line where nobody has tried this system.
warn_about_system() {
  local name=unknown
  # shellcheck disable=SC1091
  [[ -r /etc/os-release ]] && name=$(. /etc/os-release && echo "${ID:-} ${VERSION_ID:-}")
  case $name in
    'debian 12' | 'debian 13' | 'ubuntu 22.04' | 'ubuntu 24.04') ;;
    *)
      echo "this is $name; the checks are tried on Debian 12 and 13 and meant for Ubuntu 22.04 and 24.04." \
        "Needed: CMake 3.22, GCC 11, FlatBuffers 2, Eigen 3.4, fmt 8, CLI11 2.1, GoogleTest 1.11" >&2
      ;;
  esac
}
