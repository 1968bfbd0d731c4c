// What `account` shows of a run: text, CSV, JSON, a page.
#pragma once

#include <string>
#include <vector>

#include "account/lines.h"

namespace edgejoule::calibrate {

struct AccountView {
  std::string trace, timeline, model, table;  // paths; "": not given
  account::Account account;
  std::vector<account::Line> lines;
  std::vector<account::Line> tree;  // for the page; empty without a model
  account::Line whole;
};

[[nodiscard]] std::string account_text(const AccountView& view, bool colour, int width);
[[nodiscard]] std::string account_csv(const AccountView& view);
[[nodiscard]] std::string account_json(const AccountView& view);
[[nodiscard]] std::string account_html(const AccountView& view);

}  // namespace edgejoule::calibrate
