// Quantities that must not mix: one line per case, chosen by a macro (CMakeLists.txt).
#include <array>

#include "edgejoule/core/result.h"
#include "edgejoule/core/span.h"
#include "edgejoule/core/units.h"

using namespace edgejoule;

void take_joules(Joules);
void take_joule_span(Span<const Joules>);
void take_mutable_joule_span(Span<Joules>);
Status status();
Result<int> number();

void cases(Joules joules, Watts watts, Seconds seconds, Volts volts, std::array<Watts, 2>& some_watts,
           const std::array<Joules, 2>& constant_joules, Span<const Joules> joule_span) {
  // What must compile.
  Joules sum = joules + watts * seconds;
  sum += 2.0F * joules;
  take_joules(sum);
  take_joule_span(constant_joules);
  take_joule_span(joule_span);
  const float ratio = sum / joules;
  static_cast<void>(ratio);
  static_cast<void>(some_watts);
  static_cast<void>(volts);

#if defined(CASE_JOULES_FROM_WATTS)
  Joules wrong = watts;
#elif defined(CASE_JOULES_FROM_WATTS_EXPLICITLY)
  Joules wrong(watts);
#elif defined(CASE_JOULES_FROM_FLOAT)
  Joules wrong = 1.0F;
#elif defined(CASE_FLOAT_FROM_JOULES)
  float wrong = joules;
#elif defined(CASE_JOULES_PLUS_WATTS)
  Joules wrong = joules + watts;
#elif defined(CASE_JOULES_PLUS_FLOAT)
  Joules wrong = joules + 1.0F;
#elif defined(CASE_JOULES_PLUS_ASSIGN_SECONDS)
  joules += seconds;
#elif defined(CASE_JOULES_LESS_THAN_WATTS)
  bool wrong = joules < watts;
#elif defined(CASE_JOULES_TIMES_JOULES)
  Joules wrong = joules * joules;
#elif defined(CASE_WATTS_FROM_VOLTS_TIMES_SECONDS)
  Watts wrong = volts * seconds;
#elif defined(CASE_ARGUMENT_IN_WATTS)
  take_joules(watts);
#elif defined(CASE_ARGUMENT_AS_FLOAT)
  take_joules(1.0F);
#elif defined(CASE_SPAN_OF_JOULES_FROM_WATTS)
  take_joule_span(some_watts);
#elif defined(CASE_SPAN_OF_JOULES_FROM_SPAN_OF_WATTS)
  take_joule_span(Span<const Watts>(some_watts));
#elif defined(CASE_MUTABLE_SPAN_FROM_CONSTANT)
  take_mutable_joule_span(constant_joules);
#elif defined(CASE_MUTABLE_SPAN_FROM_CONSTANT_SPAN)
  take_mutable_joule_span(joule_span);
#elif defined(CASE_RESULT_AS_ITS_VALUE)
  int wrong = number();
#elif defined(CASE_ERROR_AS_SUCCESS)
  bool wrong = status();
#endif
}
