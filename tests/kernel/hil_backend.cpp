// hil-backend: plays the chips of a board file to the kernel, through a bus of the hil_i2c module.
//
// It says "serving i2c-N" on stdout when transfers will be answered, then nothing. Commands come over --control, a
// SOCK_SEQPACKET socket, one per packet: "fault <words>" (see parse_fault), "clear", "stats". Each is answered by one
// packet: "ok ..." or "error ...". Exit codes: 0 ended by SIGTERM or SIGINT, 1 anything else.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <iostream>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "emulated_board/board_file.h"
#include "emulated_board/words.h"
#include "support/file_descriptor.h"
#include "support/hil_device.h"

namespace edgejoule::kernel_tier {
namespace {

using emulated_board::Board;
using emulated_board::Message;

std::int64_t monotonic_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

// The ALERT pin of a chip, wired to a line of gpio-sim by the file that sets the line's pull.
struct AlertWire {
  std::uint16_t address = 0;
  FileDescriptor pull;
  bool high = true;
};

AlertWire parse_alert(const std::string& words) {
  const std::size_t equals = words.find('=');
  if (equals == std::string::npos) {
    throw std::runtime_error("--alert " + words + ": expected ADDRESS=FILE");
  }
  AlertWire wire;
  wire.address = static_cast<std::uint16_t>(emulated_board::to_integer(words.substr(0, equals), 0x03, 0x77));
  wire.pull = FileDescriptor::open(words.substr(equals + 1), O_WRONLY);
  return wire;
}

class Backend {
 public:
  Backend(Board board, HilDevice device, std::int64_t epoch_ns, std::vector<AlertWire> alerts)
      : board_(std::move(board)), device_(std::move(device)), epoch_ns_(epoch_ns), alerts_(std::move(alerts)) {}

  [[nodiscard]] const HilDevice& device() const { return device_; }

  void serve_transfer() {
    device_.serve([this](std::span<const Message> messages, std::int64_t start_mono_ns) {
      return board_.bus.transfer(messages, start_mono_ns - epoch_ns_);
    });
  }

  std::string command(const std::string& text) {
    try {
      if (text.rfind("fault ", 0) == 0) {
        board_.bus.faults().add(emulated_board::parse_fault(text.substr(6)));
        return "ok";
      }
      if (text == "clear") {
        board_.bus.faults().clear();
        return "ok";
      }
      if (text == "stats") {
        return "ok transfers=" + std::to_string(board_.bus.transfers()) +
               " hits=" + std::to_string(board_.bus.faults().hits());
      }
      return "error: '" + text + "' is unknown; use fault, clear or stats";
    } catch (const std::runtime_error& error) {
      return std::string("error: ") + error.what();
    }
  }

  // Moves the lines whose pin has changed.
  void drive_alerts() {
    const std::int64_t now_ns = monotonic_ns() - epoch_ns_;
    for (AlertWire& wire : alerts_) {
      emulated_board::Chip* chip = board_.bus.chip_at(wire.address);
      if (chip == nullptr) {
        throw std::runtime_error("--alert: no chip has address " + std::to_string(wire.address));
      }
      const bool high = chip->alert_pin_high(now_ns);
      if (high != wire.high) {
        wire.high = high;
        const std::string pull = high ? "pull-up" : "pull-down";
        if (::pwrite(wire.pull.get(), pull.data(), pull.size(), 0) < 0) {
          throw std::system_error(errno, std::generic_category(), "driving an alert line");
        }
      }
    }
  }

  // How long poll() may sleep before a pin can have changed; -1: for ever.
  [[nodiscard]] int sleep_ms() const {
    if (alerts_.empty()) {
      return -1;
    }
    const std::int64_t left_ns = board_.bus.next_event_ns() - (monotonic_ns() - epoch_ns_);
    return left_ns > 1'000'000'000 ? 1000 : static_cast<int>(std::max<std::int64_t>(1, left_ns / 1'000'000));
  }

 private:
  Board board_;
  HilDevice device_;
  std::int64_t epoch_ns_;
  std::vector<AlertWire> alerts_;
};

FileDescriptor listen_at(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) {
    throw std::runtime_error("--control " + path + ": the path is too long for a socket; choose a shorter one");
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  FileDescriptor listener(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  ::unlink(path.c_str());
  if (::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) < 0 ||
      ::listen(listener.get(), 4) < 0) {
    throw std::system_error(errno, std::generic_category(), "--control " + path);
  }
  return listener;
}

FileDescriptor termination_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  return FileDescriptor(::signalfd(-1, &signals, SFD_CLOEXEC));
}

void serve(Backend& backend, const FileDescriptor& listener, const FileDescriptor& signals) {
  FileDescriptor client;
  for (;;) {
    // A descriptor of -1 is ignored by poll: no client, or no control socket at all.
    std::array<pollfd, 4> wait{pollfd{signals.get(), POLLIN, 0}, pollfd{backend.device().descriptor(), POLLIN, 0},
                               pollfd{listener.get(), POLLIN, 0}, pollfd{client.get(), POLLIN, 0}};
    if (::poll(wait.data(), wait.size(), backend.sleep_ms()) < 0 && errno != EINTR) {
      throw std::system_error(errno, std::generic_category(), "waiting");
    }
    if ((wait[0].revents & POLLIN) != 0) {
      return;
    }
    if ((wait[1].revents & POLLIN) != 0) {
      backend.serve_transfer();
    }
    if ((wait[2].revents & POLLIN) != 0) {
      client = FileDescriptor(::accept(listener.get(), nullptr, nullptr));
    }
    if ((wait[3].revents & (POLLIN | POLLHUP)) != 0) {
      std::array<char, 512> packet{};
      const ssize_t size = ::recv(client.get(), packet.data(), packet.size(), 0);
      if (size <= 0) {
        client = FileDescriptor();
      } else {
        const std::string reply = backend.command(std::string(packet.data(), static_cast<std::size_t>(size)));
        (void)::send(client.get(), reply.data(), reply.size(), MSG_NOSIGNAL);
      }
    }
    backend.drive_alerts();
  }
}

int run(int argc, char** argv) {
  CLI::App app{
      "Plays the chips of a board file to the kernel, through a bus of the hil_i2c module.\n"
      "Example: hil-backend --device /dev/hil-i2c0 --board orin.board --control /tmp/hil"};
  std::string device = "/dev/hil-i2c0";
  std::string board;
  std::string control;
  std::vector<std::string> alerts;
  std::int64_t epoch_ns = monotonic_ns();
  app.add_option("--device", device, "the bus")->capture_default_str();
  app.add_option("--board", board, "the board file (tools/emulated_board/board_file.h)")->required();
  app.add_option("--epoch-ns", epoch_ns, "CLOCK_MONOTONIC at which the traces begin; default: now");
  app.add_option("--control", control, "socket for commands");
  app.add_option("--alert", alerts, "ADDRESS=FILE: wire a chip's ALERT to a gpio-sim line by its pull file");
  CLI11_PARSE(app, argc, argv);

  const FileDescriptor signals = termination_signals();
  std::vector<AlertWire> wires;
  for (const std::string& alert : alerts) {
    wires.push_back(parse_alert(alert));
  }
  const FileDescriptor listener = control.empty() ? FileDescriptor() : listen_at(control);
  Backend backend(emulated_board::read_board_file(board), HilDevice(device), epoch_ns, std::move(wires));
  std::cout << "serving i2c-" << backend.device().adapter() << std::endl;
  serve(backend, listener, signals);
  return 0;
}

}  // namespace
}  // namespace edgejoule::kernel_tier

int main(int argc, char** argv) {
  try {
    return edgejoule::kernel_tier::run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "hil-backend: " << error.what() << "\n";
    return 1;
  }
}
