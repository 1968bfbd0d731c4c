// A real browser, driven as a person would: opens a page, clicks, types, tells what is on it.
//
// Speaks the Chrome DevTools Protocol over a pair of pipes (file descriptors 3 and 4 of the browser, messages that end
// in a zero byte): no port is opened.
// Errors: BrowserError; each says what was asked.
// Source: https://chromedevtools.github.io/devtools-protocol/ and --remote-debugging-pipe of Chromium.
#pragma once

#include <sys/types.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "support/temporary_folder.h"

namespace edgejoule::test {

struct BrowserError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// $EDGEJOULE_BROWSER, or a Chromium in PATH; "" where there is none.
[[nodiscard]] std::string find_browser();

class Browser {
 public:
  explicit Browser(const std::string& program);
  ~Browser();
  Browser(const Browser&) = delete;
  Browser& operator=(const Browser&) = delete;

  // A file, in a window of that many CSS pixels; returns once it has loaded.
  void open(const std::string& path, int width = 1200, int height = 900);
  // What a script's expression is, as text.
  [[nodiscard]] std::string ask(const std::string& expression);
  // The same, asked again until it is what is wanted or patience ends: what a page does on a click may come later.
  [[nodiscard]] std::string until(const std::string& expression, const std::string& wanted);
  // In the middle of the first element that the selector finds, with the mouse.
  void click(const std::string& selector);
  void press_escape();

  // Errors and warnings of the page: uncaught exceptions, what its security policy refused.
  [[nodiscard]] const std::vector<std::string>& complaints() const { return complaints_; }

 private:
  // The whole answer, as JSON text.
  std::string call(const std::string& method, const std::string& parameters);
  [[nodiscard]] std::string read_message();
  void press(const std::string& type);

  TemporaryFolder profile_;
  pid_t process_ = -1;
  int to_ = -1;
  int from_ = -1;
  int last_call_ = 0;
  std::string session_;
  std::string buffer_;
  std::vector<std::string> complaints_;
};

}  // namespace edgejoule::test
