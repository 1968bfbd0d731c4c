# Sourced by tools/check: what each tier does. A tier is a function tier_NAME; its output
# goes to the log; it returns 0, $skip_code after printing "skipped: why", or a failure.
# shellcheck shell=bash disable=SC2154
readonly skip_code=77

# As many jobs as cores, but 1.5 GB of memory for each.
job_count() {
  local cores memory
  cores=$(nproc)
  memory=$(awk '/^MemAvailable:/ { print int($2 / 1500000) }' /proc/meminfo)
  ((memory < 1)) && memory=1
  echo $((cores < memory ? cores : memory))
}

# packages_for TIER: the package lists it needs (packages.sh)
packages_for() {
  case $1 in
    format | tidy | debian13) ;;
    *) printf '%s\n' build host ;;
  esac
  case $1 in
    host) ;;
    fuzz) echo asan-ubsan ;;
    tidy) printf '%s\n' build asan-ubsan tidy ;;
    instructions) printf '%s\n' aarch64 instructions ;;
    runtimes) command -v npm >/dev/null || echo runtimes ;;  # whoever has npm from elsewhere keeps it
    kernel) [[ -f tests/kernel/packages ]] && echo "$repository/tests/kernel/packages" ;;
    *) echo "$1" ;;
  esac
  return 0
}

# run_tier TIER LOG
run_tier() {
  local tier=$1 log=$2
  : >"$log"
  if [[ ${install:?} == yes ]]; then
    local -a lists
    mapfile -t lists < <(packages_for "$tier")
    if ! install_packages "${lists[@]}" 2>>"$log"; then
      echo "skipped: $packages_problem" >>"$log"
      # The fast tiers need nothing that a Debian or Ubuntu lacks.
      tier_names fast | grep -qx "$tier" && return 1
      return $skip_code
    fi
  fi
  # A shell of its own: a tier may change folder and use set -e.
  (set -e; "tier_${tier//-/_}") >>"$log" 2>&1
}

# tier_note LOG: tests passed, failed and skipped; why a tier was skipped
tier_note() {
  local log=$1
  {
    sed -n 's/^skipped: //p' "$log" | tail -n 1
    awk '
      /^[0-9]+% tests passed, / { failed += $4; total += $NF }
      /\*\*\*Skipped/ { skipped++ }
      END { if (total) printf "%d passed, %d failed, %d skipped\n", total - failed - skipped, failed, skipped }' "$log"
    sed -n 's/^note: //p' "$log"
  } | paste -sd ';' | sed 's/;/; /g'
}

# skip_reasons LOG: each reason once, with the number of tests (GoogleTest prints the reason
# on the line after "FILE:LINE: Skipped")
skip_reasons() {
  awk '/: Skipped$/ { getline; if ($0 != "") count[$0]++ } END { for (reason in count) print count[reason] " x " reason }' \
    "$1" 2>/dev/null | sort -rn
}

# configure PRESET: for this machine as tools/quickstart compiles, which is half the work; what a source forgot to
# include shows in asan-ubsan, aarch64 and debian13.
configure() {
  local unity=OFF
  [[ $1 == host ]] && unity=ON
  cmake --preset "$1" -DEDGEJOULE_SHARED_DIR="$EDGEJOULE_SHARED_DIR" -DEDGEJOULE_UNITY_BUILD=$unity
}

build_and_test() {  # PRESET
  configure "$1"
  cmake --build --preset "$1"
  local status=0
  ctest --preset "$1" --no-tests=error || status=$?
  echo "-- output of skipped tests"
  grep -A 1 ': Skipped$' "build/$1/Testing/Temporary/LastTest.log" || true
  return $status
}

tier_host() { build_and_test host; }
tier_asan_ubsan() { build_and_test asan-ubsan; }
tier_cortex_m() { build_and_test cortex-m; }
tier_size() { build_and_test size; }

tier_aarch64() {
  if [[ $(uname -m) == aarch64 ]]; then
    echo 'skipped: this machine is aarch64: the tier host covers it'
    return $skip_code
  fi
  # Minutes each under the emulator, and the same arithmetic as on the host.
  echo 'note: without the closed loops and scored fits, which the tier host runs'
  build_and_test aarch64
}

tier_format() {
  if ! git rev-parse --git-dir; then
    echo 'skipped: not a git checkout'
    return $skip_code
  fi
  # The style is clang-format 14's; other releases break lines elsewhere.
  if clang-format --version | grep -qE 'version 14\.'; then
    git ls-files '*.h' '*.cpp' '*.c' | xargs -r clang-format --dry-run --Werror
  else
    echo "note: clang-format skipped: $(clang-format --version), the tree is formatted with 14"
  fi
  git grep -lIE '^#!/.*\b(ba)?sh\b' | xargs -r shellcheck -x
  shellcheck -x tools/checks/*.sh
  git diff --check "$(git hash-object -t tree /dev/null)" HEAD
}

tier_tidy() {
  [[ -f build/asan-ubsan/build.ninja ]] || cmake --preset asan-ubsan
  cmake --build --preset asan-ubsan --target edgejoule_core_schema_headers
  # What the build compiles: of the sources for libgpiod 1 and 2, one.
  sed -n 's/^ *"file": "\(.*firmware-lib\/src\/.*\.cpp\)".*/\1/p' build/asan-ubsan/compile_commands.json | sort -u |
    xargs -r -n 1 -P "$CMAKE_BUILD_PARALLEL_LEVEL" timeout 300 clang-tidy --quiet -p build/asan-ubsan
}

# The tier asan-ubsan runs each fuzzer for seconds, as a test; here each has longer. A
# fuzzer is a program fuzz_NAME; its seeds lie beside it in corpus/NAME.
tier_fuzz() {
  local seconds=60 fuzzer name work seeds
  [[ -f build/asan-ubsan/build.ninja ]] || cmake --preset asan-ubsan
  cmake --build --preset asan-ubsan
  local -a fuzzers
  mapfile -t fuzzers < <(find build/asan-ubsan -type f -name 'fuzz_*' -perm -u+x | sort)
  ((${#fuzzers[@]})) || {
    echo 'no program fuzz_* below build/asan-ubsan'
    return 1
  }
  local failures=0 running=0
  for fuzzer in "${fuzzers[@]}"; do
    if ((running == CMAKE_BUILD_PARALLEL_LEVEL)); then
      wait -n || failures=$((failures + 1))
      running=$((running - 1))
    fi
    name=${fuzzer##*/fuzz_}
    seeds=${fuzzer%/*}/corpus/$name
    work=build/fuzz/$name
    mkdir -p "$work"
    echo "-- fuzz_$name, $seconds s, seeds from $seeds"
    "$fuzzer" -max_total_time=$seconds -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
      -artifact_prefix="$work-" "$work" "$seeds" &
    running=$((running + 1))
  done
  for ((; running > 0; running--)); do
    wait -n || failures=$((failures + 1))
  done
  ((failures == 0)) || {
    echo "$failures of ${#fuzzers[@]} fuzzers found something; what they found is build/fuzz/*-crash-* and the like"
    return 1
  }
  echo "note: ${#fuzzers[@]} fuzzers, $seconds s each"
}

tier_instructions() { benchmarks/instructions/run; }

tier_kernel() {
  if [[ ! -x tests/kernel/run ]]; then
    echo 'skipped: tests/kernel/run is not in this tree'
    return $skip_code
  fi
  tests/kernel/run
}

tier_browser() {
  configure host
  cmake --build --preset host --target browser_test
  local status=0
  ctest --preset host -L browser --no-tests=error || status=$?
  grep -A 1 ': Skipped$' build/host/Testing/Temporary/LastTest.log || true
  return $status
}

tier_runtimes() {
  local package=onnxruntime-node@1.30
  mkdir -p build/runtimes
  if [[ ! -f build/runtimes/node_modules/onnxruntime-node/package.json ]] &&
    ! timeout 120 npm install --prefix build/runtimes --ignore-scripts --no-audit --no-fund "$package"; then
    echo "npm could not install $package (no network?): its tests skip"
  fi
  configure host
  cmake --build --preset host --target runtimes_test edge_calibrate_runtime_closed_loop_test
  local status=0
  CTEST_PARALLEL_LEVEL=1 ctest --test-dir build/host -L 'runtimes|real_time' --output-on-failure --no-tests=error ||
    status=$?
  # What was measured, and what was skipped.
  grep -hE '^seed |^[0-9]+ inferences ' build/host/Testing/Temporary/LastTest.log || true
  grep -A 1 ': Skipped$' build/host/Testing/Temporary/LastTest.log || true
  return $status
}

tier_debian13() { tools/checks/debian13; }
