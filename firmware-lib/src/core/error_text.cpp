#include "edgejoule/core/result.h"

namespace edgejoule {

const char* error_text(Error error) noexcept {
  switch (error) {
    case Error::kMisaligned: return "the bytes do not start on an 8-byte boundary";
    case Error::kTruncated: return "the data is shorter than its header promises";
    case Error::kWrongIdentifier: return "the file identifier is another one: this is not the kind of file asked for";
    case Error::kUnsupportedVersion: return "the format version is not one this build reads";
    case Error::kCorrupt: return "the structure does not verify: the file is damaged";
    case Error::kMissingField: return "a required field is absent";
    case Error::kBadIndex: return "an index points outside its vector";
    case Error::kShapeMismatch: return "vectors that need one entry per node have different lengths";
    case Error::kNotFinite: return "a number is NaN or infinite";
    case Error::kNegative: return "a coefficient, power or spread is negative";
    case Error::kDuplicateRow: return "two rows answer the same key under the same conditions";
    case Error::kMissingRoofline: return "the table has no roofline row, so some ops could not be priced";
    case Error::kTooDeep: return "the tree is deeper than 64 levels";
    case Error::kParentCycle: return "a parent does not stand before its child";
    case Error::kOverflow: return "an exact count exceeds 64 bits";
    case Error::kTooLarge: return "more nodes, rows or terms than the limits allow";
    case Error::kBadUnit: return "a unit does not fit its feature";
    case Error::kBadRange: return "values contradict each other (a minimum above a maximum, groups that do not divide)";
    case Error::kUnknownValue: return "an enumerator has a value this build does not know";
    case Error::kWorkspaceTooSmall: return "the workspace is smaller than required_bytes() said";
    case Error::kOutputTooSmall: return "the output has fewer slots than there are results";
    case Error::kOtherBoard: return "the table was measured on another board";
    case Error::kUnknownOperatingPoint: return "the table has no operating point of that name";
    case Error::kUnknownEngine: return "the table has no such engine";
    case Error::kBoundaryMismatch: return "joules of different boundaries or baselines cannot be combined";
    case Error::kInvalidArgument: return "an argument is outside what the function accepts";
    case Error::kStalePlan: return "the plan this was bound to has been prepared anew";
    case Error::kBusNak: return "no device answered at this bus address";
    case Error::kBusTimeout: return "the bus did not answer in time";
    case Error::kBusArbitration: return "another master won the bus";
    case Error::kBusShortTransfer: return "the bus moved fewer bytes than asked for";
    case Error::kBusIo: return "the bus transfer failed";
    case Error::kWrongDevice: return "the identity register belongs to another chip";
    case Error::kNotReady: return "no new conversion since the last read";
    case Error::kBadShunt: return "the shunt resistance is zero or outside what the chip can represent";
    case Error::kUnsupported: return "the chip or its driver cannot do this";
    case Error::kPermission: return "permission denied";
    case Error::kNotFound: return "not found";
    case Error::kDriverBound: return "a kernel driver owns the chip";
    case Error::kNoData: return "the channel is disabled";
    case Error::kParse: return "a file holds something other than what its place promises";
    case Error::kFull: return "no room left";
    case Error::kGone: return "the device vanished while in use";
    case Error::kInterrupted: return "interrupted";
    case Error::kSystem: return "a system call failed";
    case Error::kBusy: return "somebody else is using it";
  }
  return "unknown error";
}

}  // namespace edgejoule
