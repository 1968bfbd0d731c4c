#include "edgejoule/linux/os_error.h"

#include <errno.h>

namespace edgejoule {

Error error_from_errno(int number) noexcept {
  switch (number) {
    case EACCES:
    case EPERM: return Error::kPermission;
    case ENOENT:
    case ENOTDIR: return Error::kNotFound;
    case ENODEV: return Error::kGone;
    case ENXIO:
    case EREMOTEIO: return Error::kBusNak;
    case ETIMEDOUT: return Error::kBusTimeout;
    case EIO: return Error::kBusIo;
    case ENODATA: return Error::kNoData;
    case EAGAIN: return Error::kNotReady;
    case EBUSY: return Error::kBusy;
    case EINTR: return Error::kInterrupted;
    case ENOSPC:
    case EDQUOT:
    case EFBIG: return Error::kFull;
    case EOPNOTSUPP:
    case ENOTTY: return Error::kUnsupported;
    default: return Error::kSystem;
  }
}

Error bus_error_from_errno(int number) noexcept {
  switch (number) {
    case EAGAIN: return Error::kBusArbitration;
    case EBUSY: return Error::kBusArbitration;  // the adapter gave up waiting for a free bus
    default: break;
  }
  const Error error = error_from_errno(number);
  return error == Error::kSystem ? Error::kBusIo : error;
}

}  // namespace edgejoule
