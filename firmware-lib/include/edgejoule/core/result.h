// Errors as values: one code per thing that can go wrong, and Result<T>.
//
// Errors: the codes are contract. Each has one row of text in error_text() and a
// test that provokes it. Codes are appended, never renumbered: the C header and
// logs from the field carry the number.
#pragma once

#include <cstdint>
#include <type_traits>
#include <utility>

namespace edgejoule {

enum class Error : std::uint8_t {
  // bytes handed in
  kMisaligned = 1,          // the buffer does not start on an 8-byte boundary
  kTruncated = 2,           // shorter than its header promises
  kWrongIdentifier = 3,     // not the kind of file asked for
  kUnsupportedVersion = 4,  // a format version this build does not read
  kCorrupt = 5,             // the structure does not verify
  kMissingField = 6,        // a field the format requires is absent
  kBadIndex = 7,            // an index points outside its vector
  kShapeMismatch = 8,       // vectors that must have one entry per node do not
  kNotFinite = 9,           // NaN or infinity where a number is required
  kNegative = 10,           // a negative coefficient, power or spread
  kDuplicateRow = 11,       // two rows answer the same key under the same conditions
  kMissingRoofline = 12,    // no roofline row: some op could not be priced at all
  kTooDeep = 13,            // the tree is deeper than kMaxDepth
  kParentCycle = 14,        // a parent does not stand before its child
  kOverflow = 15,           // an exact count exceeds 64 bits
  kTooLarge = 16,           // more nodes, rows or terms than the limits allow
  kBadUnit = 17,            // a unit that does not fit its feature
  kBadRange = 18,           // min above max, or quantiles that do not ascend
  kUnknownValue = 19,       // an enumerator that this build cannot interpret safely
  // requests
  kWorkspaceTooSmall = 32,  // required_bytes() says how much is needed
  kOutputTooSmall = 33,     // fewer output slots than results
  kOtherBoard = 34,         // the table is for another board and the caller insisted
  kUnknownOperatingPoint = 35,
  kUnknownEngine = 36,
  kBoundaryMismatch = 37,  // joules of different boundaries or baselines
  kInvalidArgument = 38,
  kStalePlan = 39,  // the predictor was bound to a plan that has been reused
  // sensors and their buses
  kBusNak = 64,  // nobody answered at the address
  kBusTimeout = 65,
  kBusArbitration = 66,
  kBusShortTransfer = 67,
  kBusIo = 68,        // any other failure of the transfer
  kWrongDevice = 69,  // the identity register holds something else
  kNotReady = 70,     // no new conversion since the last read
  kBadShunt = 71,     // a shunt of zero, or beyond what the registers can hold
  kUnsupported = 72,  // the chip or the driver cannot do this
  // the operating system
  kPermission = 96,
  kNotFound = 97,
  kDriverBound = 98,  // a kernel driver owns the chip
  kNoData = 99,       // the channel is disabled (ENODATA)
  kParse = 100,       // a file of the kernel holds what it should not
  kFull = 101,        // a ring or a disk is full
  kGone = 102,        // a device vanished while in use
  kInterrupted = 103,
  kSystem = 104,  // any other failure of a system call
  kBusy = 105     // a line, device or file that somebody else holds (EBUSY)
};

// One sentence, in English, without a full stop; never null.
[[nodiscard]] const char* error_text(Error error) noexcept;

// A value or an error. It cannot hold "ok" as an error, and cannot be ignored.
template <class T>
class [[nodiscard]] Result {
  static_assert(std::is_trivially_destructible_v<T>, "values of Result own nothing");

 public:
  constexpr Result(T value) noexcept : value_(std::move(value)), ok_(true) {}
  constexpr Result(Error error) noexcept : error_(error), ok_(false) {}

  [[nodiscard]] constexpr bool ok() const noexcept { return ok_; }
  constexpr explicit operator bool() const noexcept { return ok_; }

  // Precondition: ok().
  [[nodiscard]] constexpr const T& value() const noexcept { return value_; }
  [[nodiscard]] constexpr T& value() noexcept { return value_; }
  constexpr const T& operator*() const noexcept { return value_; }
  constexpr T& operator*() noexcept { return value_; }
  constexpr const T* operator->() const noexcept { return &value_; }
  constexpr T* operator->() noexcept { return &value_; }

  // Precondition: !ok().
  [[nodiscard]] constexpr Error error() const noexcept { return error_; }

 private:
  union {
    T value_;
    Error error_;
  };
  bool ok_;
};

// Success without a value.
template <>
class [[nodiscard]] Result<void> {
 public:
  constexpr Result() noexcept = default;
  constexpr Result(Error error) noexcept : error_(error), ok_(false) {}
  [[nodiscard]] constexpr bool ok() const noexcept { return ok_; }
  constexpr explicit operator bool() const noexcept { return ok_; }
  [[nodiscard]] constexpr Error error() const noexcept { return error_; }

 private:
  Error error_ = Error::kInvalidArgument;
  bool ok_ = true;
};

using Status = Result<void>;

}  // namespace edgejoule
