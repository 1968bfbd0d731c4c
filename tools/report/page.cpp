#include "report/page.h"

#include <fmt/format.h>

#include "files/io.h"
#include "text/escape.h"

namespace edgejoule::report {
namespace {

// Series colours: Okabe and Ito's set, told apart by people with colour blindness.
constexpr std::string_view kStyle = R"(
:root{color-scheme:light dark;--ink:#1c2126;--dim:#5d6873;--paper:#fff;--panel:#f4f6f8;--line:#dfe4e8;--warn:#8a4b00;--warnbg:#fff4e2;
--c0:#0072b2;--c1:#d55e00;--c2:#009e73;--c3:#cc79a7;--c4:#e69f00;--c5:#56b4e9;--c6:#6b6b6b}
@media(prefers-color-scheme:dark){:root{--ink:#e4e8eb;--dim:#9aa5af;--paper:#14181b;--panel:#1d2327;--line:#323a40;--warn:#ffc980;--warnbg:#33270f;
--c0:#56b4e9;--c1:#ff8c42;--c2:#2fd0a0;--c3:#e6a3c8;--c4:#f0c04a;--c5:#8fd0ff;--c6:#a8a8a8}}
*{box-sizing:border-box}body{margin:0 auto;max-width:60rem;padding:1.2rem;background:var(--paper);color:var(--ink);
font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;overflow-wrap:anywhere}
h1{font-size:1.5rem;margin:.2rem 0}h2{font-size:1.15rem;margin:2rem 0 .5rem;border-bottom:1px solid var(--line)}
.sub{color:var(--dim);margin:0 0 1rem}.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.5rem,1fr));gap:.7rem}
.figures+.figures{margin-top:.7rem}.figure{background:var(--panel);border-radius:.4rem;padding:.7rem .8rem}.figure b{display:block;font-size:1.45rem;font-weight:600}
.figure span{display:block}.figure small{color:var(--dim)}.warn{background:var(--warnbg);color:var(--warn);border-radius:.4rem;padding:.6rem .8rem}
figure{margin:1rem 0}figcaption{color:var(--dim);font-size:.9rem}svg{width:100%;height:auto;display:block}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.9rem;overflow-wrap:normal}
th,td{padding:.25rem .6rem;text-align:left;border-bottom:1px solid var(--line);vertical-align:top}th{color:var(--dim);font-weight:600}.over{color:var(--ink);padding-top:.8rem}
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}summary{cursor:pointer;color:var(--dim);padding:.4rem 0}
svg text{fill:var(--ink);font-size:13px}svg .tick{fill:var(--dim);font-size:12px}.grid{stroke:var(--line)}.guide{stroke:var(--dim);stroke-dasharray:4 4}
.legend{color:var(--dim);font-size:.9rem;display:flex;flex-wrap:wrap;gap:.2rem 1rem;justify-content:flex-end}.legend svg{width:.75em;height:.75em;
display:inline-block;margin-right:.35em}.shade{fill:var(--line);opacity:.55}.c0{fill:var(--c0);stroke:var(--c0)}.c1{fill:var(--c1);stroke:var(--c1)}.c2{fill:var(--c2);stroke:var(--c2)}
.c3{fill:var(--c3);stroke:var(--c3)}.c4{fill:var(--c4);stroke:var(--c4)}.c5{fill:var(--c5);stroke:var(--c5)}.c6{fill:var(--c6);stroke:var(--c6)}
g.c0,g.c1,g.c2,g.c3,g.c4,g.c5,g.c6{stroke:none}.line{fill:none;stroke-width:1.6}
.icicle .bars{position:relative;margin:.5rem 0;font-size:.85rem}.icicle .bars button{position:absolute;height:1.7em;padding:0 .25em;border:1px solid var(--paper);
border-radius:.2em;background:var(--panel);color:var(--ink);font:inherit;text-align:left;overflow:hidden;white-space:nowrap;text-overflow:ellipsis;cursor:pointer}
.icicle button:focus-visible{outline:2px solid var(--ink);z-index:1}.views button,.trail button{font:inherit;font-size:.85rem;border:1px solid var(--line);background:var(--panel);
color:var(--ink);border-radius:.3em;margin:0 .3em .3em 0;padding:.15em .6em;cursor:pointer}.views button[aria-pressed=true]{background:var(--ink);color:var(--paper)}
.trail button:disabled{font-weight:600;color:var(--ink);cursor:default}.tones{display:flex;align-items:center;gap:.6em;color:var(--dim);font-size:.85rem}
.tones i{flex:0 0 8rem;height:.6em;border-radius:.3em;background:linear-gradient(90deg,var(--c0),var(--panel),var(--c1))}.details{background:var(--panel);border-radius:.4rem;
padding:.6rem .8rem;margin-top:.5rem}.details dl{display:grid;grid-template-columns:max-content 1fr;gap:0 1rem;margin:0}.details dt{color:var(--dim)}.details dd{margin:0}
.icicle{margin-bottom:.4rem}.hidden,.left{color:var(--dim);font-size:.85rem}.icicle .bars .k0{background:color-mix(in srgb,var(--c0) 55%,var(--panel))}.icicle .bars .k1{background:color-mix(in srgb,var(--c1) 55%,var(--panel))}.icicle .bars .k2{background:color-mix(in srgb,var(--c2) 55%,var(--panel))}.icicle .bars .k3{background:color-mix(in srgb,var(--c3) 55%,var(--panel))}.icicle .bars .k4{background:color-mix(in srgb,var(--c4) 55%,var(--panel))}.icicle .bars .k5{background:color-mix(in srgb,var(--c5) 55%,var(--panel))}.icicle .bars .k6{background:color-mix(in srgb,var(--c6) 55%,var(--panel))}
@media(max-width:40rem){svg text,svg .tick{font-size:19px}.minor{display:none}figure g circle{r:5px}table{font-size:.8rem}th,td{padding:.25rem .3rem}
.over span{display:block;max-width:calc(100vw - 3rem)}td:first-child:not(.n){min-width:7rem}td+td:not(.n){min-width:14rem}}
@media print{body{max-width:none}details{display:block}}
)";

std::string rows_html(const std::vector<TableColumn>& columns, const std::vector<std::vector<std::string>>& rows,
                      std::size_t from, std::size_t to) {
  std::string out = "<div class=\"wide\"><table><thead><tr>";
  for (const TableColumn& column : columns) {
    out += fmt::format("<th scope=\"col\"{}>{}</th>", column.numeric ? " class=\"n\"" : "", text::html(column.title));
  }
  out += "</tr></thead><tbody>";
  for (std::size_t r = from; r < to; ++r) {
    if (rows[r].size() == 1 && columns.size() > 1) {
      out += fmt::format("<tr><th class=\"over\" scope=\"rowgroup\" colspan=\"{}\"><span>{}</span></th></tr>",
                         columns.size(), text::html(rows[r][0]));
      continue;
    }
    out += "<tr>";
    for (std::size_t c = 0; c < columns.size(); ++c) {
      out += fmt::format("<td{}>{}</td>", columns[c].numeric ? " class=\"n\"" : "", text::html(rows[r][c]));
    }
    out += "</tr>";
  }
  return out + "</tbody></table></div>";
}

bool has_headings(const std::vector<std::vector<std::string>>& rows) {
  return rows.front().size() == 1 && rows.size() > 1 && rows[1].size() > 1;
}

// Content Security Policy names a script by its SHA-256 in base64.
std::string base64_of_hex(std::string_view hex) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  unsigned bits = 0, count = 0;
  for (const char c : hex) {
    bits = bits << 4U | static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10);
    count += 4;
    while (count >= 6) {
      count -= 6;
      out += kDigits[bits >> count & 63U];
    }
  }
  if (count > 0) out += kDigits[bits << (6 - count) & 63U];
  while (out.size() % 4 != 0) out += '=';
  return out;
}

}  // namespace

Page::Page(std::string title, std::string subtitle) : title_(std::move(title)), subtitle_(std::move(subtitle)) {}

void Page::heading(std::string_view text) {
  body_ += fmt::format("<h2>{}</h2>\n", text::html(text));
}

void Page::paragraph(std::string_view text) {
  body_ += fmt::format("<p>{}</p>\n", text::html(text));
}

void Page::warning(std::string_view text) {
  body_ += fmt::format("<p class=\"warn\">{}</p>\n", text::html(text));
}

void Page::figures(const std::vector<Figure>& figures) {
  body_ += "<div class=\"figures\">";
  for (const Figure& figure : figures) {
    body_ += fmt::format("<div class=\"figure\"><b>{}</b><span>{}</span><small>{}</small></div>",
                         text::html(figure.value), text::html(figure.label), text::html(figure.note));
  }
  body_ += "</div>\n";
}

void Page::chart(std::string_view caption, const std::string& svg) {
  body_ += fmt::format("<figure>{}<figcaption>{}</figcaption></figure>\n", svg, text::html(caption));
}

void Page::icicle(std::string_view caption, const Icicle& icicle) {
  body_ += fmt::format("<figure>{}<figcaption>{}</figcaption></figure>\n", icicle_html(icicle), text::html(caption));
  has_icicle_ = true;
}

void Page::table(const std::vector<TableColumn>& columns, const std::vector<std::vector<std::string>>& rows,
                 std::size_t shown) {
  // What stands under one heading is not parted.
  while (shown < rows.size() && rows[shown].size() > 1 && has_headings(rows)) ++shown;
  if (rows.size() <= shown) {
    body_ += rows_html(columns, rows, 0, rows.size()) + "\n";
    return;
  }
  body_ += rows_html(columns, rows, 0, shown);
  body_ += fmt::format("<details><summary>{} more rows</summary>{}</details>\n", rows.size() - shown,
                       rows_html(columns, rows, shown, rows.size()));
}

std::string Page::render() const {
  const std::string script = has_icicle_ ? fmt::format("<script>{}</script>\n", icicle_script()) : std::string();
  const std::string allowed =
      has_icicle_ ? fmt::format("; script-src 'sha256-{}'", base64_of_hex(files::sha256(icicle_script()))) : "";
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src "
      "data:{4}\">"
      "<title>{0}</title><style>{1}</style></head><body>\n<h1>{0}</h1><p class=\"sub\">{2}</p>\n{3}{5}</body></html>\n",
      text::html(title_), kStyle, text::html(subtitle_), body_, allowed, script);
}

}  // namespace edgejoule::report
