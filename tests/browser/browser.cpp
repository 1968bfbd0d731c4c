#include "browser/browser.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "flatbuffers/flexbuffers.h"
#include "flatbuffers/idl.h"
#include "text/escape.h"

namespace edgejoule::test {
namespace {

constexpr std::chrono::milliseconds kPatience(60'000);  // of one answer; a busy machine takes its time

class Json {
 public:
  explicit Json(const std::string& text) {
    flatbuffers::IDLOptions options;
    options.strict_json = true;
    flatbuffers::Parser parser(options);
    if (!parser.ParseFlexBuffer(text.c_str(), nullptr, &builder_)) throw BrowserError("no JSON: " + text);
  }
  [[nodiscard]] flexbuffers::Map root() const { return flexbuffers::GetRoot(builder_.GetBuffer()).AsMap(); }

 private:
  flexbuffers::Builder builder_;
};

}  // namespace

std::string find_browser() {
  if (const char* named = std::getenv("EDGEJOULE_BROWSER")) return named;
  const char* path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    for (const char* name : {"chromium", "chromium-browser", "google-chrome"}) {
      const std::filesystem::path program = std::filesystem::path(folder) / name;
      if (::access(program.c_str(), X_OK) == 0) return program;
    }
  }
  return "";
}

Browser::Browser(const std::string& program) {
  std::array<int, 2> commands{}, answers{};
  if (::pipe2(commands.data(), O_CLOEXEC) != 0 || ::pipe2(answers.data(), O_CLOEXEC) != 0) {
    throw BrowserError("no pipe for the browser");
  }
  const std::string profile = "--user-data-dir=" + profile_.file("profile");
  process_ = ::fork();
  if (process_ == 0) {
    // Above 4 first, so that neither end is overwritten before its turn.
    const int in = ::fcntl(commands[0], F_DUPFD, 10), out = ::fcntl(answers[1], F_DUPFD, 10);
    ::dup2(in, 3);
    ::dup2(out, 4);
    const int nowhere = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    for (const int stream : {0, 1, 2}) ::dup2(nowhere, stream);
    // Tests may run as root, which Chromium's sandbox refuses; the pages are our own.
    ::execl(program.c_str(), program.c_str(), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            "--no-first-run", "--disable-extensions", "--disable-background-networking", "--remote-debugging-pipe",
            profile.c_str(), "about:blank", nullptr);
    ::_exit(127);
  }
  ::close(commands[0]);
  ::close(answers[1]);
  to_ = commands[1];
  from_ = answers[0];
  ::signal(SIGPIPE, SIG_IGN);
  const Json made(call("Target.createTarget", R"({"url":"about:blank"})"));
  const std::string target = made.root()["result"].AsMap()["targetId"].AsString().str();
  const Json attached(call("Target.attachToTarget", fmt::format(R"({{"targetId":"{}","flatten":true}})", target)));
  session_ = attached.root()["result"].AsMap()["sessionId"].AsString().str();
  call("Page.enable", "{}");
  call("Runtime.enable", "{}");
  call("Log.enable", "{}");
}

Browser::~Browser() {
  ::close(to_);
  ::close(from_);
  ::kill(process_, SIGKILL);
  ::waitpid(process_, nullptr, 0);
}

std::string Browser::read_message() {
  while (true) {
    if (const std::size_t end = buffer_.find('\0'); end != std::string::npos) {
      std::string message = buffer_.substr(0, end);
      buffer_.erase(0, end + 1);
      return message;
    }
    pollfd ready{from_, POLLIN, 0};
    if (::poll(&ready, 1, static_cast<int>(kPatience.count())) != 1) throw BrowserError("the browser does not answer");
    std::array<char, 65536> bytes{};
    const ssize_t got = ::read(from_, bytes.data(), bytes.size());
    if (got <= 0) throw BrowserError("the browser ended");
    buffer_.append(bytes.data(), static_cast<std::size_t>(got));
  }
}

std::string Browser::call(const std::string& method, const std::string& parameters) {
  const int id = ++last_call_;
  std::string message = fmt::format(R"({{"id":{},"method":"{}","params":{})", id, method, parameters);
  message += session_.empty() ? "}" : fmt::format(R"(,"sessionId":"{}"}})", session_);
  message += '\0';
  for (std::size_t sent = 0; sent < message.size();) {
    const ssize_t wrote = ::write(to_, message.data() + sent, message.size() - sent);
    if (wrote <= 0) throw BrowserError("the browser ended before " + method);
    sent += static_cast<std::size_t>(wrote);
  }
  while (true) {
    const std::string text = read_message();
    const Json answer(text);
    const flexbuffers::Map root = answer.root();
    if (root["id"].IsIntOrUint() && root["id"].AsInt64() == id) {
      if (!root["error"].IsNull()) throw BrowserError(method + ": " + text);
      return text;
    }
    const std::string event = root["method"].IsString() ? root["method"].AsString().str() : "";
    if (event == "Runtime.exceptionThrown" || event == "Log.entryAdded") complaints_.push_back(text);
  }
}

void Browser::open(const std::string& path, int width, int height) {
  call("Emulation.setDeviceMetricsOverride",
       fmt::format(R"({{"width":{},"height":{},"deviceScaleFactor":1,"mobile":false}})", width, height));
  // The page before may still answer for a moment: it is told from the new one by a mark that it keeps.
  (void)ask("window.left = true");
  const Json answer(call("Page.navigate", fmt::format(R"({{"url":{}}})", text::json_string("file://" + path))));
  const flexbuffers::Map result = answer.root()["result"].AsMap();
  if (result["errorText"].IsString()) throw BrowserError(path + ": " + result["errorText"].AsString().str());
  const std::string loaded = "complete file: false";
  if (until("document.readyState + ' ' + location.protocol + ' ' + ('left' in window)", loaded) != loaded) {
    throw BrowserError(path + " does not finish loading");
  }
}

std::string Browser::ask(const std::string& expression) {
  const Json answer(call("Runtime.evaluate", fmt::format(R"({{"expression":{},"returnByValue":true}})",
                                                         text::json_string("String(" + expression + ")"))));
  const flexbuffers::Map result = answer.root()["result"].AsMap();
  if (!result["exceptionDetails"].IsNull()) throw BrowserError(expression + ": the page threw");
  return result["result"].AsMap()["value"].AsString().str();
}

std::string Browser::until(const std::string& expression, const std::string& wanted) {
  const auto begin = std::chrono::steady_clock::now();
  std::string answer = ask(expression);
  while (answer != wanted && std::chrono::steady_clock::now() - begin < kPatience) answer = ask(expression);
  return answer;
}

void Browser::click(const std::string& selector) {
  const std::string box = text::json_string(selector);
  const std::string place = ask(fmt::format(
      "(() => {{ const e = document.querySelector({}); if (!e) return ''; e.scrollIntoView({{block: 'center'}}); "
      "const b = e.getBoundingClientRect(); return (b.x + b.width / 2) + ' ' + (b.y + b.height / 2); }})()",
      box));
  std::istringstream numbers(place);
  double x = 0, y = 0;
  if (!(numbers >> x >> y)) throw BrowserError("nothing on the page is " + selector);
  for (const char* type : {"mouseMoved", "mousePressed", "mouseReleased"}) {
    call("Input.dispatchMouseEvent",
         fmt::format(R"({{"type":"{}","x":{},"y":{},"button":"left","clickCount":1}})", type, x, y));
  }
}

void Browser::press_escape() {
  press("keyDown");
  press("keyUp");
}

void Browser::press(const std::string& type) {
  call("Input.dispatchKeyEvent",
       fmt::format(R"({{"type":"{}","key":"Escape","code":"Escape","windowsVirtualKeyCode":27}})", type));
}

}  // namespace edgejoule::test
