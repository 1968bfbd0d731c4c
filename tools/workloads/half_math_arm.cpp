#include "workloads/half_math.h"

#include <arm_neon.h>
#include <sys/auxv.h>

namespace edgejoule::workloads {
namespace {

float16x8_t load(const std::uint16_t* at) {
  return vreinterpretq_f16_u16(vld1q_u16(at));
}

}  // namespace

bool half_math_runs() {
  return (::getauxval(AT_HWCAP) & HWCAP_ASIMDHP) != 0;
}

std::uint16_t half_dot(const std::uint16_t* a, const std::uint16_t* b, std::size_t count, std::uint16_t start) {
  // Four sums: one would wait for itself.
  float16x8_t sums[4] = {};
  std::size_t i = 0;
  for (; i + 4 * kHalfLanes <= count; i += 4 * kHalfLanes) {
    for (std::size_t s = 0; s < 4; ++s) {
      sums[s] = vfmaq_f16(sums[s], load(a + i + s * kHalfLanes), load(b + i + s * kHalfLanes));
    }
  }
  for (; i < count; i += kHalfLanes) sums[0] = vfmaq_f16(sums[0], load(a + i), load(b + i));
  const float16x8_t all = vaddq_f16(vaddq_f16(sums[0], sums[1]), vaddq_f16(sums[2], sums[3]));
  float16x4_t sum = vadd_f16(vget_low_f16(all), vget_high_f16(all));
  sum = vpadd_f16(sum, sum);
  sum = vpadd_f16(sum, sum);
  sum = vadd_f16(sum, vreinterpret_f16_u16(vdup_n_u16(start)));
  return vget_lane_u16(vreinterpret_u16_f16(sum), 0);
}

void half_add(const std::uint16_t* a, const std::uint16_t* b, std::uint16_t* out, std::size_t count) {
  for (std::size_t i = 0; i < count; i += kHalfLanes) {
    vst1q_u16(out + i, vreinterpretq_u16_f16(vaddq_f16(load(a + i), load(b + i))));
  }
}

}  // namespace edgejoule::workloads
