#include "capture/watched_source.h"

namespace edgejoule::capture {

RailSource WatchedSource::source() {
  static constexpr RailSourceOps kOps = {
      [](void* self, std::int64_t now_ns, Span<PowerSample> out) {
        auto& me = *static_cast<WatchedSource*>(self);
        const Result<std::size_t> count = me.source_.ops->poll(me.source_.self, now_ns, out);
        me.failed_with(count ? std::nullopt : std::optional(count.error()));
        return count;
      },
      [](const void* self) {
        const auto& me = *static_cast<const WatchedSource*>(self);
        return me.source_.ops->next_poll_ns(me.source_.self);
      },
      [](const void* self) {
        const auto& me = *static_cast<const WatchedSource*>(self);
        return me.source_.ops->counters(me.source_.self);
      },
      [](void* self, std::int64_t now_ns) {
        auto& me = *static_cast<WatchedSource*>(self);
        const Status status = me.source_.ops->reopen(me.source_.self, now_ns);
        if (!status) me.failed_with(status.error());
        return status;
      },
      [](void* self) {
        const auto& me = *static_cast<WatchedSource*>(self);
        me.source_.ops->close(me.source_.self);
      },
  };
  RailSource watched = source_;
  watched.self = this;
  watched.ops = &kOps;
  return watched;
}

}  // namespace edgejoule::capture
