// A runtime of C++14 that reports to a hook.
#include "edgejoule/adapters/posix_clock.h"
#include "edgejoule/edgejoule.h"

static_assert(__cplusplus == 201402L, "the target leaves the language to its user");

int main() {
  edgejoule_hook_options options;
  edgejoule_hook_options_init(&options);
  options.clock = edgejoule::adapters::posix_clock;
  static edgejoule_hook hook;
  if (edgejoule_hook_init(&hook, &options) != EDGEJOULE_OK) {
    return 1;
  }
  const uint32_t op = edgejoule_hook_begin_op(&hook, "ADD", 0, 0);
  edgejoule_hook_end(&hook, op);
  return op == 0 ? 0 : 1;
}
