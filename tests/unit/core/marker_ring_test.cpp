#include "edgejoule/core/marker_ring.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "edgejoule/edgejoule.h"

namespace edgejoule::test {
namespace {

class Ring {
 public:
  Ring(std::size_t markers, std::size_t name_bytes)
      : memory_((MarkerRing::required_bytes(markers, name_bytes) + 7) / 8), ring_(make(name_bytes)) {}
  MarkerRing* operator->() { return &ring_; }
  [[nodiscard]] std::vector<Marker> read_all() {
    std::vector<Marker> out;
    Marker batch[7];  // no divisor of any capacity
    for (std::size_t n = ring_.read(batch); n != 0; n = ring_.read(batch)) out.insert(out.end(), batch, batch + n);
    return out;
  }
  void put(std::int64_t t, std::uint32_t node = 0) { ring_.put(MarkerKind::kOpBegin, t, node, 0, 0); }

 private:
  MarkerRing make(std::size_t name_bytes) {
    return *MarkerRing::create({reinterpret_cast<std::byte*>(memory_.data()), memory_.size() * 8}, name_bytes);
  }
  std::vector<std::uint64_t> memory_;
  MarkerRing ring_;
};

TEST(MarkerRing, GivesBackWhatWasPutIn) {
  Ring ring(16, 64);
  const std::uint32_t name = ring->name_index("CONV_2D", 3);
  ring->put(MarkerKind::kOpBegin, -5, 3, 0, name);
  ring->put(MarkerKind::kInnerEnd, INT64_MAX, kNoMarkedNode, 255, (1U << 20U) - 1);
  const std::vector<Marker> got = ring.read_all();
  ASSERT_EQ(got.size(), 2U);
  EXPECT_EQ(got[0].kind(), MarkerKind::kOpBegin);
  EXPECT_EQ(got[0].t_ns, -5);
  EXPECT_EQ(got[0].node, 3U);
  EXPECT_EQ(got[0].part(), 0U);
  EXPECT_EQ(ring->name(got[0].name()), "CONV_2D");
  EXPECT_EQ(got[1].kind(), MarkerKind::kInnerEnd);
  EXPECT_EQ(got[1].t_ns, INT64_MAX);
  EXPECT_EQ(got[1].node, kNoMarkedNode);
  EXPECT_EQ(got[1].part(), 255U);
  EXPECT_EQ(got[1].name(), (1U << 20U) - 1);
  EXPECT_TRUE(ring.read_all().empty());
}

// A runtime's hook makes its ring through the C interface, and whoever drains it looks at the same memory.
TEST(MarkerRing, IsFoundWhereTheCInterfaceMadeIt) {
  std::vector<std::uint64_t> memory(edgejoule_markers_required_bytes(64, 64) / 8 + 1);
  const Span<std::byte> bytes{reinterpret_cast<std::byte*>(memory.data()), memory.size() * 8};
  EXPECT_EQ(MarkerRing::open(bytes).error(), Error::kWrongIdentifier);
  edgejoule_markers made;
  ASSERT_EQ(edgejoule_markers_create(memory.data(), bytes.size(), 64, &made), EDGEJOULE_OK);
  Result<MarkerRing> ring = MarkerRing::open(bytes);
  ASSERT_TRUE(ring.ok());
  ring->put(MarkerKind::kOpBegin, 7, 3, 0, ring->name_index("CONV_2D", 3));
  edgejoule_marker marker;
  ASSERT_EQ(edgejoule_markers_read(&made, &marker, 1), 1U);
  EXPECT_EQ(marker.t_ns, 7);
  EXPECT_STREQ(edgejoule_markers_name(&made, marker.name), "CONV_2D");
  EXPECT_EQ(MarkerRing::open({bytes.data(), 64}).error(), Error::kTruncated);
  EXPECT_EQ(MarkerRing::open({bytes.data() + 4, bytes.size() - 4}).error(), Error::kMisaligned);
}

TEST(MarkerRing, HoldsAsManyAsWereAskedFor) {
  for (const std::size_t markers : {0U, 16U, 17U, 1000U, 1024U}) {
    Ring ring(markers, 100);
    EXPECT_GE(ring->capacity(), markers);
    for (std::uint32_t i = 0; i < ring->capacity(); ++i) ring.put(i);
    EXPECT_EQ(ring->lost(), 0U);
    ring.put(0);
    EXPECT_EQ(ring->lost(), 1U);
    EXPECT_EQ(ring.read_all().size(), ring->capacity());
  }
}

TEST(MarkerRing, TellsWhereMarkersWereLost) {
  Ring ring(16, 0);
  for (int t = 0; t < 20; ++t) ring.put(t);  // 16 to 19 find no room
  Marker first[3];
  ASSERT_EQ(ring->read(first), 3U);
  ring.put(20);
  ring.put(21);
  ring.put(22);  // again no room
  EXPECT_EQ(ring->lost(), 5U);
  const std::vector<Marker> got = ring.read_all();
  ASSERT_EQ(got.size(), 16U);
  EXPECT_EQ(got[13].kind(), MarkerKind::kGap);
  EXPECT_EQ(got[13].t_ns, 16);
  EXPECT_EQ(got[13].node, 4U);
  EXPECT_EQ(got[14].t_ns, 20);
  EXPECT_EQ(got[15].t_ns, 21);
  // What was lost since is told before the next that is kept.
  ring.put(30);
  const std::vector<Marker> rest = ring.read_all();
  ASSERT_EQ(rest.size(), 2U);
  EXPECT_EQ(rest[0].kind(), MarkerKind::kGap);
  EXPECT_EQ(rest[0].t_ns, 22);
  EXPECT_EQ(rest[0].node, 1U);
  EXPECT_EQ(rest[1].t_ns, 30);
}

TEST(MarkerRing, NeedsRoomForTheGapAndTheMarkerBehindIt) {
  Ring ring(16, 0);
  for (int t = 0; t < 17; ++t) ring.put(t);
  Marker one[1];
  ASSERT_EQ(ring->read(one), 1U);
  ring.put(17);  // room for one: neither is written
  EXPECT_EQ(ring->lost(), 2U);
  ASSERT_EQ(ring->read(one), 1U);
  ring.put(18);
  EXPECT_EQ(ring.read_all().back().t_ns, 18);
  EXPECT_EQ(ring->lost(), 2U);
}

TEST(MarkerRing, KeepsEachNameOnce) {
  Ring ring(16, 64);
  EXPECT_EQ(ring->name_index(nullptr, 0), 0U);
  EXPECT_EQ(ring->name_index("", 1), 0U);
  EXPECT_EQ(ring->name(0), "");
  const std::uint32_t conv = ring->name_index("CONV_2D", 0);
  const std::uint32_t add = ring->name_index("ADD", 1);
  EXPECT_NE(conv, add);
  std::string elsewhere = "CONV_2D";  // compared by what it says, not where it stands
  EXPECT_EQ(ring->name_index(elsewhere.c_str(), 0), conv);
  EXPECT_EQ(ring->name_index(elsewhere.c_str(), 17), conv);
  elsewhere = "CONV_2E";
  const std::uint32_t other = ring->name_index(elsewhere.c_str(), 0);
  EXPECT_NE(other, conv);
  EXPECT_EQ(ring->name_index("CONV", 0), other + 1);  // a beginning of another is another
  EXPECT_EQ(ring->name(conv), "CONV_2D");
  EXPECT_EQ(ring->name(add), "ADD");
  EXPECT_EQ(ring->name_count(), 5U);
}

TEST(MarkerRing, GivesUpNamesRatherThanMemory) {
  for (const std::size_t name_bytes : {0U, 4U, 64U, 4096U}) {
    Ring ring(16, name_bytes);
    std::size_t kept = 0;
    for (std::uint32_t i = 0; i < 2000; ++i) {
      const std::string name = std::to_string(i);
      const std::uint32_t index = ring->name_index(name.c_str(), i);
      if (index == 0) continue;
      EXPECT_EQ(ring->name(index), name);
      ++kept;
    }
    EXPECT_EQ(kept + ring->names_lost(), 2000U);
    EXPECT_EQ(ring->name_count(), kept + 1);
    EXPECT_EQ(kept == 0, name_bytes == 0);
  }
}

TEST(MarkerRing, CutsNamesWithoutEnd) {
  Ring ring(16, 1000);
  const std::string endless(100000, 'x');
  const std::uint32_t index = ring->name_index(endless.c_str(), 0);
  EXPECT_EQ(ring->name(index), std::string(255, 'x'));
  EXPECT_EQ(ring->name_index(endless.c_str(), 0), index);
  EXPECT_EQ(ring->name_index(endless.c_str(), 1), index);
}

TEST(MarkerRing, AsksForEnoughMemory) {
  for (const std::size_t name_bytes : {0U, 1U, 63U, 64U, 1000U}) {
    const std::size_t needed = MarkerRing::required_bytes(64, name_bytes);
    std::vector<std::uint64_t> memory(needed / 8 + 1);
    auto* const bytes = reinterpret_cast<std::byte*>(memory.data());
    ASSERT_TRUE(MarkerRing::create({bytes, needed}, name_bytes).ok());
    EXPECT_EQ(MarkerRing::create({bytes, needed}, name_bytes)->capacity(), 64U);
    EXPECT_EQ(MarkerRing::create({bytes, needed - 8}, name_bytes)->capacity(), 32U);
    const auto small = MarkerRing::create({bytes, MarkerRing::required_bytes(0, name_bytes) - 8}, name_bytes);
    ASSERT_FALSE(small.ok());
    EXPECT_EQ(small.error(), Error::kWorkspaceTooSmall);
    const auto skewed = MarkerRing::create({bytes + 4, needed - 8}, name_bytes);
    ASSERT_FALSE(skewed.ok());
    EXPECT_EQ(skewed.error(), Error::kMisaligned);
  }
  std::vector<std::uint64_t> memory(1000);
  const auto greedy =
      MarkerRing::create({reinterpret_cast<std::byte*>(memory.data()), memory.size() * 8}, kMaxNameBytes + 1);
  ASSERT_FALSE(greedy.ok());
  EXPECT_EQ(greedy.error(), Error::kTooLarge);
}

// A reader that is too slow by design: what it misses is counted to the last marker, what it
// gets is whole and in order.
TEST(MarkerRing, LosesNothingUncountedBetweenTwoThreads) {
  constexpr std::uint32_t kMarkers = 200000;
  Ring ring(64, 256);
  std::atomic<bool> done{false};
  std::thread writer([&] {
    for (std::uint32_t i = 0; i < kMarkers; ++i) {
      const std::string name = "op" + std::to_string(i % 40);
      const std::uint32_t index = ring->name_index(name.c_str(), i % 40);
      ring->put(MarkerKind::kOpBegin, i, i ^ 0xA5A5A5A5U, static_cast<std::uint8_t>(i), index);
      if (i % 256 == 0) std::this_thread::yield();
    }
    done = true;
  });
  std::uint32_t received = 0;
  std::uint32_t told = 0;
  std::int64_t last = -1;
  std::uint32_t wrong = 0;
  const auto take = [&] {
    for (const Marker& marker : ring.read_all()) {
      if (marker.kind() == MarkerKind::kGap) {
        if (marker.t_ns <= last) ++wrong;
        told += marker.node;
        continue;
      }
      const auto i = static_cast<std::uint32_t>(marker.t_ns);
      if (marker.t_ns <= last || marker.node != (i ^ 0xA5A5A5A5U) || marker.part() != static_cast<std::uint8_t>(i))
        ++wrong;
      if (marker.name() != 0 && ring->name(marker.name()) != "op" + std::to_string(i % 40)) ++wrong;
      last = marker.t_ns;
      ++received;
    }
  };
  while (!done) take();
  writer.join();
  take();
  EXPECT_EQ(wrong, 0U);
  EXPECT_GT(received, 0U);
  EXPECT_EQ(received + ring->lost(), kMarkers);
  EXPECT_LE(told, ring->lost());
  ring.put(kMarkers);
  take();
  EXPECT_EQ(told, ring->lost());
}

}  // namespace
}  // namespace edgejoule::test
