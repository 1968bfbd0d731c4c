// What `account` shows of a run: text, CSV, JSON, a page.
#pragma once

#include <string>
#include <vector>

#include "account/lines.h"
#include "accounted_run.h"

namespace edgejoule::calibrate {

struct AccountView {
  const AccountedRun& run;
  std::vector<account::Line> lines;
  std::vector<account::Line> tree;  // for the page; empty without a model
  account::Line whole;
};

[[nodiscard]] std::string account_text(const AccountView& view, bool colour, int width);
[[nodiscard]] std::string account_csv(const AccountView& view);
[[nodiscard]] std::string account_json(const AccountView& view);
[[nodiscard]] std::string account_html(const AccountView& view);

}  // namespace edgejoule::calibrate
