#include "report/icicle.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "text/escape.h"

namespace edgejoule::report {
namespace {

// A share of the whole below which no click can reach a bar at first sight; zooming in shows more, so it is small.
constexpr double kSmallestShare = 2e-5;
constexpr std::size_t kMostNodes = 20'000;

// Draws the bars below the chosen node, its ancestors above them; the address keeps the choice (#node=12), so that a
// view can be sent to somebody and the browser's back button goes up again.
constexpr std::string_view kScript = R"js('use strict';
for (const box of document.querySelectorAll('.icicle')) {
  const {views, nodes} = JSON.parse(box.querySelector('script').textContent);
  const children = nodes.map(() => []);
  nodes.forEach((n, i) => { if (n.p >= 0) children[n.p].push(i); });
  const bars = box.querySelector('.bars'), trail = box.querySelector('.trail'), details = box.querySelector('.details');
  let view = 0, chosen = 0;
  const make = (tag, parent, name, text) => {
    const e = document.createElement(tag);
    if (name) e.className = name;
    if (text !== undefined) e.textContent = text;
    parent.append(e);
    return e;
  };
  const describe = i => {
    details.textContent = '';
    make('b', details, '', nodes[i].n);
    const list = make('dl', details);
    for (const [label, value] of nodes[i].d) { make('dt', list, '', label); make('dd', list, '', value); }
  };
  const bar = (i, row, left, width) => {
    const b = make('button', bars, nodes[i].c < 0 ? '' : 'k' + nodes[i].c, nodes[i].n);
    b.type = 'button';
    b.dataset.node = i;
    b.title = nodes[i].n + nodes[i].d.map(d => '\n' + d[0] + ': ' + d[1]).join('');
    b.style.left = 100 * left + '%';
    b.style.width = 100 * width + '%';
    b.style.top = 1.75 * row + 'em';
    if (width < 0.02) b.style.padding = 0;
    if (nodes[i].c < 0) {
      const mix = Math.round(75 * Math.min(1, Math.abs(nodes[i].t)));
      b.style.background = `color-mix(in srgb, var(${nodes[i].t < 0 ? '--c0' : '--c1'}) ${mix}%, var(--panel))`;
    }
    b.onclick = () => { location.hash = 'node=' + (i === chosen && nodes[i].p >= 0 ? nodes[i].p : i); };
    b.onmouseenter = b.onfocus = () => describe(i);
  };
  const draw = () => {
    bars.textContent = trail.textContent = '';
    let rows = 0, hidden = 0;
    const below = (i, row, left, width) => {
      if (width < 0.0015) { ++hidden; return; }
      bar(i, row, left, width);
      rows = Math.max(rows, row + 1);
      const sum = children[i].reduce((s, c) => s + nodes[c].s[view], 0);
      const whole = Math.max(sum, nodes[i].s[view]);
      if (!(whole > 0)) return;
      const order = [...children[i]];
      for (const c of order) {
        const part = width * nodes[c].s[view] / whole;
        below(c, row + 1, left, part);
        left += part;
      }
    };
    below(chosen, 0, 0, 1);
    bars.style.height = 1.75 * rows + 'em';
    const up = [];
    for (let i = chosen; i >= 0; i = nodes[i].p) up.unshift(i);
    for (const i of up) {
      const b = make('button', trail, '', nodes[i].n);
      b.type = 'button';
      b.disabled = i === chosen;
      b.onclick = () => { location.hash = 'node=' + i; };
    }
    box.querySelector('.hidden').textContent = hidden ? hidden + ' too narrow to show: click a bar to look inside' : '';
    box.dataset.chosen = chosen;
    describe(chosen);
  };
  const select = box.querySelector('.views');
  views.forEach((name, v) => {
    const b = make('button', select, '', name);
    b.type = 'button';
    b.setAttribute('aria-pressed', v === view);
    b.onclick = () => {
      view = v;
      [...select.children].forEach((other, o) => other.setAttribute('aria-pressed', o === v));
      draw();
    };
  });
  select.hidden = views.length < 2;
  const follow = () => {
    const asked = /^#node=(\d+)$/.exec(location.hash);
    chosen = asked && +asked[1] < nodes.length ? +asked[1] : 0;
    draw();
  };
  addEventListener('hashchange', follow);
  addEventListener('keydown', e => {
    if (e.key === 'Escape' && nodes[chosen].p >= 0) location.hash = 'node=' + nodes[chosen].p;
  });
  follow();
}
)js";

// JSON inside a script element: nothing in it may end the element.
std::string data_string(std::string_view text) {
  std::string out;
  for (const char c : text::json_string(text)) {
    if (c == '<') {
      out += "\\u003c";
    } else {
      out += c;
    }
  }
  return out;
}

double number(double value) {
  return std::isfinite(value) ? value : 0;
}

// Nodes whose share of the whole is too small in every view are left out, with all below them.
std::vector<bool> shown_of(const Icicle& icicle) {
  std::vector<bool> shown(icicle.nodes.size(), true);
  std::size_t count = 0;
  for (std::size_t i = 1; i < icicle.nodes.size(); ++i) {
    const IcicleNode& node = icicle.nodes[i];
    bool wide = false;
    for (std::size_t v = 0; v < icicle.views.size(); ++v) {
      wide = wide || number(node.sizes[v]) > kSmallestShare * number(icicle.nodes.front().sizes[v]);
    }
    shown[i] = shown[node.parent] && wide && count < kMostNodes;
    count += shown[i] ? 1 : 0;
  }
  return shown;
}

}  // namespace

std::string icicle_html(const Icicle& icicle) {
  const std::vector<bool> shown = shown_of(icicle);
  std::vector<std::size_t> place(icicle.nodes.size(), 0);
  std::string data = "{\"views\":[";
  for (std::size_t v = 0; v < icicle.views.size(); ++v) data += (v == 0 ? "" : ",") + data_string(icicle.views[v]);
  data += "],\"nodes\":[";
  std::size_t written = 0;
  for (std::size_t i = 0; i < icicle.nodes.size(); ++i) {
    if (!shown[i]) continue;
    const IcicleNode& node = icicle.nodes[i];
    place[i] = written;
    data += fmt::format("{}{{\"p\":{},\"n\":{},\"t\":{:.3g},\"c\":{},\"s\":[", written++ == 0 ? "" : ",\n",
                        node.parent == kNoIcicleParent ? -1L : static_cast<long>(place[node.parent]),
                        data_string(node.name), number(node.tone), node.colour);
    for (std::size_t v = 0; v < icicle.views.size(); ++v) {
      data += fmt::format("{}{:.6g}", v == 0 ? "" : ",", std::max(0.0, number(node.sizes[v])));
    }
    data += "],\"d\":[";
    for (std::size_t d = 0; d < node.details.size(); ++d) {
      data += fmt::format("{}[{},{}]", d == 0 ? "" : ",", data_string(node.details[d].first),
                          data_string(node.details[d].second));
    }
    data += "]}";
  }
  data += "]}";
  std::string out = "<div class=\"icicle\">\n<script type=\"application/json\">" + data + "</script>\n";
  out += "<noscript>The bars need this page's script: the table below has the same figures.</noscript>\n";
  out += "<div class=\"views\"></div><div class=\"trail\"></div><div class=\"bars\"></div>";
  if (!icicle.less_label.empty()) {
    out += fmt::format("<div class=\"tones\"><span>{}</span><i></i><span>{}</span></div>",
                       text::html(icicle.less_label), text::html(icicle.more_label));
  }
  out += "<div class=\"hidden\"></div><div class=\"details\" aria-live=\"polite\"></div>";
  if (const auto left_out = static_cast<std::size_t>(std::count(shown.begin(), shown.end(), false)); left_out > 0) {
    out += fmt::format("<div class=\"left\">{} of {} nodes {} not drawn: too small a part of the whole</div>", left_out,
                       icicle.nodes.size(), left_out == 1 ? "is" : "are");
  }
  return out + "</div>";
}

std::string_view icicle_script() {
  return kScript;
}

}  // namespace edgejoule::report
