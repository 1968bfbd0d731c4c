#include <cstddef>
#include <type_traits>

#include "edgejoule/core/meter.h"
#include "edgejoule/edgejoule.h"

// The meter's C interface, apart from the table's: a program links what it uses.
namespace {

using namespace edgejoule;

static_assert(std::is_trivially_copyable_v<Meter> && sizeof(Meter) <= sizeof(edgejoule_meter) &&
                  alignof(Meter) <= alignof(edgejoule_meter),
              "edgejoule.h: too few words");
static_assert(std::is_standard_layout_v<PowerSample> && sizeof(PowerSample) == sizeof(edgejoule_power_sample) &&
              offsetof(PowerSample, power_uw) == offsetof(edgejoule_power_sample, power_uw) &&
              offsetof(PowerSample, cycle_ns) == offsetof(edgejoule_power_sample, cycle_ns) &&
              offsetof(PowerSample, taps) == offsetof(edgejoule_power_sample, taps) &&
              offsetof(PowerSample, flags) == offsetof(edgejoule_power_sample, flags) &&
              offsetof(PowerSample, response) == offsetof(edgejoule_power_sample, response));
static_assert(EDGEJOULE_RESPONSE_UNKNOWN == static_cast<int>(ResponseKind::kUnknown) &&
              EDGEJOULE_RESPONSE_EXPONENTIAL == static_cast<int>(ResponseKind::kExponential) &&
              EDGEJOULE_SAMPLE_CLIPPED == static_cast<int>(SampleFlag::kClipped) &&
              EDGEJOULE_SAMPLE_MATH_OVERFLOW == static_cast<int>(SampleFlag::kMathOverflow) &&
              EDGEJOULE_SAMPLE_COUNTER_RESET == static_cast<int>(SampleFlag::kCounterReset));

Meter& meter_of(edgejoule_meter* meter) noexcept {
  void* const bytes = meter->opaque;
  return *static_cast<Meter*>(bytes);
}

}  // namespace

extern "C" {

edgejoule_status edgejoule_meter_start(const edgejoule_meter_options* options, edgejoule_meter* out) {
  MeterOptions meter_options;
  if (options != nullptr) {
    meter_options = {Seconds(options->memory_s), Watts(options->static_w), Watts(options->static_doubt_w),
                     options->gain_doubt};
  }
  const Status status = meter_of(out).start(meter_options);
  return status ? EDGEJOULE_OK : static_cast<edgejoule_status>(status.error());
}

edgejoule_status edgejoule_meter_add_work(edgejoule_meter* meter, int64_t begin_ns, int64_t end_ns, float predicted_j,
                                          uint32_t inferences) {
  const Status status = meter_of(meter).add_work(begin_ns, end_ns, Joules(predicted_j), inferences);
  return status ? EDGEJOULE_OK : static_cast<edgejoule_status>(status.error());
}

void edgejoule_meter_idle_until(edgejoule_meter* meter, int64_t t_ns) {
  meter_of(meter).idle_until(t_ns);
}

edgejoule_status edgejoule_meter_add_sample(edgejoule_meter* meter, const edgejoule_power_sample* sample) {
  const Result<MeterUse> use = meter_of(meter).add_sample(*reinterpret_cast<const PowerSample*>(sample));
  return use ? EDGEJOULE_OK : static_cast<edgejoule_status>(use.error());
}

void edgejoule_meter_mark(edgejoule_meter* meter) {
  meter_of(meter).mark();
}

void edgejoule_meter_read(const edgejoule_meter* meter, edgejoule_meter_reading* out) {
  const void* const bytes = meter->opaque;
  const MeterReading reading = static_cast<const Meter*>(bytes)->read();
  *out = {reading.since_mark.value(),
          reading.bridged.value(),
          reading.now.value(),
          reading.inferences,
          reading.per_inference.value(),
          reading.gain,
          reading.static_power.value(),
          reading.gain_sigma,
          reading.learned,
          reading.not_learned,
          reading.stuck ? 1 : 0};
}

}  // extern "C"
