# Sourced by the checks that hold a figure against tests/size/budgets.
# shellcheck shell=bash

# hold WHAT TARGET COMPILER USED: 0 within the limit, 1 above it, 77 where no line names
# this compiler.
hold() {
  local limit goal date
  read -r limit goal date < <(awk -v w="$1" -v t="$2" -v c="$3" '$1 == w && $2 == t && $3 == c { print $4, $5, $6 }' \
    "$(dirname "${BASH_SOURCE[0]}")/budgets") || true
  if [[ -z ${limit:-} ]]; then
    echo "$1, $2, $3: $4 bytes; tests/size/budgets has no line for it"
    return 77
  fi
  echo "$1, $2, $3: $4 bytes; limit $limit ($date), goal $goal"
  (($4 <= limit)) || {
    echo "$(($4 - limit)) bytes above the limit"
    return 1
  }
}
