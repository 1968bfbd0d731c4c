#include "account_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "account_text.h"
#include "account_time_line.h"
#include "report/page.h"
#include "text/columns.h"
#include "text/escape.h"
#include "text/quantity_text.h"

namespace edgejoule::calibrate {
namespace {

using account::Account;
using account::Energy;
using account::kInterval90;
using account::Line;
using text::exact;
using text::si;

std::string against_table(const Account& account, const Line& line) {
  if (!line.expected || line.expected->joules <= 0) return "";
  if (!line.is_resolved) return si(line.expected->joules, "J");
  return fmt::format("{} ({:+.0f} %{})", si(line.expected->joules, "J"),
                     100 * (line.expected->joules / shown(account, line).joules - 1),
                     line.parts_from_table() ? " !" : "");
}

std::string marks(const Line& line) {
  return fmt::format("{}{}", line.is_shared ? " *" : "", line.is_matched ? "" : " ?");
}

struct Part {
  const char* name;
  double seconds;
  Energy energy;
};

std::vector<Part> parts_of(const Account& account) {
  double op_seconds = 0, unseen = 0;
  for (std::size_t a = account::kRests; a < account.activity_seconds.size(); ++a) {
    (account.was_seen[a] ? op_seconds : unseen) += account.activity_seconds[a];
  }
  std::vector<Part> parts{{"ops", op_seconds, account.all_ops},
                          {"between ops", account.activity_seconds[account::kBetweenOps], account.between_ops},
                          {"between inferences", account.activity_seconds[account::kPause], account.pauses},
                          {"idle", account.activity_seconds[account::kIdle], account.idle},
                          {"events lost", account.activity_seconds[account::kLost], account.lost},
                          {"fell between samples", unseen, account.not_seen}};
  std::erase_if(parts, [](const Part& part) { return part.seconds <= 0; });
  parts.push_back({"sum", account.seconds, account.total});
  return parts;
}

// Twice or half the mean power has the full tone.
double tone_of(const Account& account, const Line& line, const Line& whole) {
  if (!line.is_resolved || line.seconds <= 0 || whole.seconds <= 0) return 0;
  const double watts = shown(account, line).joules / line.seconds;
  const double mean = shown(account, whole).joules / whole.seconds;
  return watts > 0 && mean > 0 ? std::clamp(std::log2(watts / mean), -1.0, 1.0) : 0;
}

std::string sampled_text(const Account& account) {
  return fmt::format("samples held {} \u00b1 {}; {} of the time was seen, {} samples", si(account.sampled_joules, "J"),
                     si(kInterval90 * account.sampled_error, "J"), text::percent(account.covered), account.samples);
}

}  // namespace

std::string account_text(const AccountView& view, bool colour, int width) {
  const Account& account = view.run.account();
  const bool has_table = !view.run.files().table.empty();
  std::string out = fmt::format(
      "{}: {} of {} ({}) on {}\n\n", text::printable(view.run.files().timeline),
      with_interval(shown(account, view.whole), view.whole.is_resolved), unit_of(account),
      account.has_idle ? fmt::format("above idle of {}", si(account.idle_watts, "W")) : "total", rails_text(account));
  std::vector<std::string> header{account.has_idle ? "dynamic" : "total", "time", "power", "share", "name"};
  std::vector<text::Align> align(4, text::Align::kRight);
  align.push_back(text::Align::kLeft);
  if (has_table) header.push_back("table says"), align.push_back(text::Align::kRight);
  text::Columns columns(header, align);
  const double whole = shown(account, view.whole).joules;
  for (const Line& line : view.lines) {
    const double joules = shown(account, line).joules;
    std::vector<text::Cell> cells{
        {with_interval(shown(account, line), line.is_resolved)},
        {si(line.seconds, "s")},
        {line.is_resolved ? si(line.watts(), "W") : ""},
        {line.is_resolved && whole > 0 ? fmt::format("{:.1f} %", 100 * joules / whole) : ""},
        {std::string(2 * static_cast<std::size_t>(line.depth), ' ') + line.name + marks(line)}};
    if (has_table) cells.push_back({against_table(account, line)});
    columns.add(std::move(cells));
  }
  out += columns.render(colour, width, 4);
  out += fmt::format("\nthe run, {:.3f} s, {} inferences\n", account.seconds, account.run.inferences.size());
  text::Columns sums({"", "", "", ""},
                     {text::Align::kLeft, text::Align::kRight, text::Align::kRight, text::Align::kRight});
  for (const Part& part : parts_of(account)) {
    sums.add(
        {{part.name},
         {si(part.seconds, "s")},
         {fmt::format("{} \u00b1 {}", si(part.energy.joules, "J"), si(kInterval90 * part.energy.standard_error, "J"))},
         {account.total.joules > 0 ? fmt::format("{:.1f} %", 100 * part.energy.joules / account.total.joules) : ""}});
  }
  out += sums.render(colour, width, 0);
  return out + sampled_text(account) + "\n";
}

std::string account_csv(const AccountView& view) {
  std::string out =
      "name,depth,seconds,dynamic_j,dynamic_se_j,total_j,total_se_j,watts,resolved,shared,matched,table_j\n";
  for (const Line& line : view.lines) {
    const bool dynamic = view.run.account().has_idle && line.is_resolved;
    out += fmt::format(
        "{},{},{},{},{},{},{},{},{},{},{},{}\n", text::csv_name(line.name), line.depth, exact(line.seconds),
        dynamic ? exact(line.dynamic.joules) : "", dynamic ? exact(line.dynamic.standard_error) : "",
        line.is_resolved ? exact(line.total.joules) : "", line.is_resolved ? exact(line.total.standard_error) : "",
        line.is_resolved ? exact(line.watts()) : "", line.is_resolved ? 1 : 0, line.is_shared ? 1 : 0,
        line.is_matched ? 1 : 0, line.expected ? exact(line.expected->joules) : "");
  }
  return out;
}

std::string account_json(const AccountView& view) {
  const Account& account = view.run.account();
  std::string out = fmt::format(
      "{{\"unit\":\"{}\",\"inferences\":{},\"seconds\":{},\"blind_seconds\":{},\"idle_watts\":{},\"offset_ns\":{},"
      "\"sampled_joules\":{},\"whole\":{{\"seconds\":{},\"total\":{},\"dynamic\":{}}},\n\"parts\":[",
      account.run.inferences.empty() ? "run" : "inference", account.run.inferences.size(), exact(account.seconds),
      exact(account.blind_seconds), account.has_idle ? exact(account.idle_watts) : "null", account.offset_ns,
      exact(account.sampled_joules), exact(view.whole.seconds), json_energy(view.whole.total),
      account.has_idle ? json_energy(view.whole.dynamic) : "null");
  const char* comma = "";
  for (const Part& part : parts_of(account)) {
    out += fmt::format("{}\n {{\"name\":\"{}\",\"seconds\":{},\"energy\":{}}}", comma, part.name, exact(part.seconds),
                       json_energy(part.energy));
    comma = ",";
  }
  out += "],\n\"lines\":[";
  comma = "";
  for (const Line& line : view.lines) {
    out += fmt::format(
        "{}\n {{\"name\":{},\"depth\":{},\"seconds\":{},\"resolved\":{},\"shared\":{},\"matched\":{},\"total\":{},"
        "\"dynamic\":{},\"table_joules\":{}}}",
        comma, text::json_string(line.name), line.depth, exact(line.seconds), line.is_resolved, line.is_shared,
        line.is_matched, line.is_resolved ? json_energy(line.total) : "null",
        line.is_resolved && account.has_idle ? json_energy(line.dynamic) : "null",
        line.expected ? exact(line.expected->joules) : "null");
    comma = ",";
  }
  out += "],\n\"notes\":[";
  comma = "";
  for (const std::string& note : account.notes) {
    out += comma + text::json_string(note);
    comma = ",";
  }
  return out + "]}\n";
}

std::string account_html(const AccountView& view) {
  const Account& account = view.run.account();
  report::Page page("Where the energy went", fmt::format("{}, {}", view.run.files().timeline, rails_text(account)));
  page.figures({{with_interval(shown(account, view.whole), view.whole.is_resolved), "of " + unit_of(account),
                 account.has_idle ? "above idle" : "total"},
                {si(view.whole.seconds, "s"), "of " + unit_of(account), "ops and the time between them"},
                {si(account.total.joules, "J"), "of the run", sampled_text(account)}});
  for (const std::string& note : account.notes) page.warning(note);
  report::Icicle icicle{{account.has_idle ? "dynamic joules" : "joules", "seconds"},
                        {},
                        "draws half of the mean or less",
                        "twice or more"};
  const std::vector<Line>& nodes = view.tree.empty() ? view.lines : view.tree;
  const std::uint32_t shift = view.tree.empty() ? 1 : 0;
  const auto add = [&](const Line& line, std::uint32_t parent) {
    report::IcicleNode& node = icicle.nodes.emplace_back();
    node.parent = parent;
    node.name = line.name;
    node.sizes = {line.is_resolved ? std::max(0.0, shown(account, line).joules) : 0, line.seconds};
    node.details = {{"energy", with_interval(shown(account, line), line.is_resolved)}, {"time", si(line.seconds, "s")}};
    if (line.is_resolved) node.details.emplace_back("power", si(line.watts(), "W"));
    if (line.expected) node.details.emplace_back("table says", against_table(account, line));
    node.tone = tone_of(account, line, view.whole);
  };
  if (shift == 1) add(view.whole, report::kNoIcicleParent);
  for (const Line& line : nodes) {
    add(line, line.parent != account::kNoNode ? line.parent : (shift == 1 ? 0 : report::kNoIcicleParent));
  }
  page.heading(view.tree.empty() ? "The ops" : "The model");
  page.icicle(
      "Click a bar to look inside, the trail above or Escape to come out again. Widths are parts of the one above; "
      "colours are power, beside the mean of all.",
      icicle);
  page.heading("One inference over time");
  add_time_line(page, account, view.run.model(), "");
  std::vector<report::TableColumn> columns{
      {"name"}, {account.has_idle ? "dynamic" : "total", true}, {"time", true}, {"power", true}};
  const bool has_table = !view.run.files().table.empty();
  if (has_table) columns.push_back({"table says", true});
  std::vector<std::vector<std::string>> rows;
  for (const Line& line : view.lines) {
    rows.push_back({std::string(2 * static_cast<std::size_t>(line.depth), ' ') + line.name + marks(line),
                    with_interval(shown(account, line), line.is_resolved), si(line.seconds, "s"),
                    line.is_resolved ? si(line.watts(), "W") : ""});
    if (has_table) rows.back().push_back(against_table(account, line));
  }
  page.heading("Its energy");
  page.table(columns, rows);
  page.heading("The run");
  std::vector<std::vector<std::string>> sums;
  for (const Part& part : parts_of(account)) {
    sums.push_back({part.name, si(part.seconds, "s"), si(part.energy.joules, "J")});
  }
  page.table({{"part"}, {"time", true}, {"energy", true}}, sums);
  return page.render();
}

}  // namespace edgejoule::calibrate
