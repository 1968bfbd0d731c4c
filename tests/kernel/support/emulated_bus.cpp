#include "support/emulated_bus.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <utility>

#include "support/files.h"

namespace edgejoule::kernel_tier {
namespace {

std::string backend_program() {
  const char* program = std::getenv("EDGEJOULE_HIL_BACKEND");
  if (program == nullptr) {
    throw std::runtime_error("EDGEJOULE_HIL_BACKEND is not set; run the tests with tests/kernel/run");
  }
  return program;
}

}  // namespace

EmulatedBus::EmulatedBus(std::string board, std::vector<std::string> extra_arguments, int bus)
    : epoch_ns_(monotonic_ns() - 1'000'000'000) {
  const std::string stem = "/tmp/emulated_bus_" + std::to_string(::getpid()) + "_" + std::to_string(bus);
  control_path_ = stem + ".control";
  std::ofstream(stem + ".board") << board;
  arguments_ = {backend_program(), "--device",      "/dev/hil-i2c" + std::to_string(bus),
                "--board",         stem + ".board", "--control",
                control_path_,     "--epoch-ns",    std::to_string(epoch_ns_)};
  arguments_.insert(arguments_.end(), extra_arguments.begin(), extra_arguments.end());
  start_backend();
}

EmulatedBus::~EmulatedBus() {
  stop(SIGTERM);
}

void EmulatedBus::start_backend() {
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) < 0) {
    throw std::runtime_error("no pipe for hil-backend");
  }
  const FileDescriptor said(pipe[0]);
  std::vector<char*> pointers;
  for (std::string& argument : arguments_) {
    pointers.push_back(argument.data());
  }
  pointers.push_back(nullptr);
  process_ = ::fork();
  if (process_ == 0) {
    ::dup2(pipe[1], STDOUT_FILENO);
    ::execv(pointers[0], pointers.data());
    ::_exit(127);
  }
  // Ours of the pipe's write end must go, or the read below never sees the end of a backend that died.
  ::close(pipe[1]);
  std::string line;
  for (char letter = 0; ::read(said.get(), &letter, 1) == 1 && letter != '\n';) {
    line += letter;
  }
  const std::string prefix = "serving i2c-";
  if (line.rfind(prefix, 0) != 0) {
    stop(SIGKILL);
    throw std::runtime_error("hil-backend did not start; it said '" + line + "'");
  }
  adapter_ = std::stoi(line.substr(prefix.size()));

  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, control_path_.c_str(), control_path_.size() + 1);
  control_ = FileDescriptor(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (::connect(control_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) < 0) {
    throw std::runtime_error("no connection to hil-backend at " + control_path_);
  }
}

std::string EmulatedBus::command(const std::string& text) {
  std::array<char, 512> packet{};
  ssize_t size = -1;
  if (::send(control_.get(), text.data(), text.size(), MSG_NOSIGNAL) >= 0) {
    size = ::recv(control_.get(), packet.data(), packet.size(), 0);
  }
  const std::string reply = size < 0 ? "" : std::string(packet.data(), static_cast<std::size_t>(size));
  if (reply.rfind("ok", 0) != 0) {
    throw std::runtime_error("hil-backend answered '" + text + "' with '" + reply + "'");
  }
  return reply;
}

void EmulatedBus::stop(int signal) {
  if (process_ > 0) {
    ::kill(process_, signal);
    ::waitpid(process_, nullptr, 0);
    process_ = -1;
  }
}

void EmulatedBus::kill_backend() {
  stop(SIGKILL);
}

}  // namespace edgejoule::kernel_tier
