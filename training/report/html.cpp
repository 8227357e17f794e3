#include "training/report/html.h"

#include <fmt/format.h>

#include <cmath>

#include "kernels/common/error.h"

namespace kern::training {
namespace {

constexpr std::string_view kStyle = R"css(
:root{color-scheme:light dark;--ground:#ffffff;--card:#f4f6f8;--ink:#1c2733;--soft:#5a6978;--rule:#d5dce3;--accent:#0063a3;--best:#e3f2e6}
@media (prefers-color-scheme:dark){:root{--ground:#14191f;--card:#1d242c;--ink:#e4eaf0;--soft:#9fb0c0;--rule:#36424e;--accent:#6db9ee;--best:#1e3a26}}
*{box-sizing:border-box}
html{scroll-padding-top:3.2rem}
body{margin:0;background:var(--ground);color:var(--ink);font:15px/1.5 system-ui,"Segoe UI","DejaVu Sans",sans-serif}
header,main,footer{max-width:1220px;margin:0 auto;padding:0 20px}
header{padding-top:28px}
h1{font-size:26px;line-height:1.2;margin:0 0 4px;overflow-wrap:anywhere}
h2{font-size:20px;margin:0 0 14px;padding-bottom:6px;border-bottom:1px solid var(--rule)}
h3{font-size:16px;margin:22px 0 8px}
p{margin:8px 0;max-width:80ch}
.soft,figcaption,caption,footer{color:var(--soft)}
.note{border-left:4px solid #d55e00;background:var(--card);padding:8px 14px}
nav{position:sticky;top:0;z-index:1;background:var(--ground);border-bottom:1px solid var(--rule);margin-top:16px}
nav div{max-width:1220px;margin:0 auto;padding:8px 20px;display:flex;flex-wrap:wrap;gap:4px 20px}
nav a{color:var(--accent);text-decoration:none}
nav a:hover{text-decoration:underline}
section{padding-top:30px}
.key{display:flex;flex-wrap:wrap;gap:12px;margin:4px 0 18px}
.key div{background:var(--card);border:1px solid var(--rule);border-radius:8px;padding:10px 18px;min-width:120px}
.key b{display:block;font-size:24px;line-height:1.25;font-variant-numeric:tabular-nums}
.key span{color:var(--soft);font-size:13px}
.row{display:flex;flex-wrap:wrap;gap:16px;align-items:flex-start}
figure{margin:0 0 16px;max-width:100%;overflow-x:auto;break-inside:avoid}
figure svg{display:block;max-width:100%;height:auto}
.tracks svg{max-width:none}
figcaption{font-size:13px;width:0;min-width:100%;margin-top:2px}
.scroll{overflow-x:auto;margin:0 0 18px}
table{border-collapse:collapse;font-size:14px}
caption{caption-side:bottom;text-align:left;font-size:13px;padding-top:4px}
th,td{padding:4px 12px;border-bottom:1px solid var(--rule);text-align:left;vertical-align:top}
th{font-weight:600;border-bottom:2px solid var(--rule)}
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
td.best{background:var(--best);font-weight:600}
.tag{white-space:nowrap}
.swatch{display:inline-block;width:12px;height:12px;border-radius:2px;margin-right:8px;vertical-align:-1px;print-color-adjust:exact;-webkit-print-color-adjust:exact}
.facts th{font-weight:400;color:var(--soft);border-bottom:1px solid var(--rule);white-space:nowrap}
.facts td{overflow-wrap:anywhere}
details{margin:0 0 16px}
summary{cursor:pointer;color:var(--accent)}
pre{background:var(--card);border:1px solid var(--rule);border-radius:6px;padding:12px;overflow-x:auto;font:13px/1.45 ui-monospace,"DejaVu Sans Mono",monospace}
select{font:inherit;padding:4px 8px;margin:0 0 10px 8px;background:var(--card);color:var(--ink);border:1px solid var(--rule);border-radius:6px;max-width:100%}
.explorer{margin:0 0 22px}
.explorer .under{position:relative;width:max-content;max-width:100%}
.explorer .cursor{position:absolute;top:0;bottom:0;width:0;border-left:2px solid var(--accent);pointer-events:none}
.explorer .slide{max-width:720px}
.explorer input{display:block;width:91%;margin:2px 0 10px 7.3%;accent-color:var(--accent)}
.explorer button{font:inherit;font-size:13px;padding:3px 10px;margin:0 6px 6px 0;background:var(--card);color:var(--ink);border:1px solid var(--rule);border-radius:6px;cursor:pointer}
.choose input{vertical-align:middle;width:min(420px,60%);margin:0 0 10px 12px;accent-color:var(--accent)}
footer{padding-top:24px;padding-bottom:32px;font-size:13px}
@media print{:root{--ground:#fff;--card:#fff;--ink:#000;--soft:#444;--rule:#bbb;--best:#eee}body{font-size:11pt}nav,.choose{display:none}section{break-inside:auto}h2,h3{break-after:avoid}
svg{print-color-adjust:exact;-webkit-print-color-adjust:exact}.panel[hidden]{display:block!important}.tracks svg{max-width:100%}}
)css";

// Shows the chosen panel of each group. Without script the lists stay hidden and every panel is visible.
constexpr std::string_view kScript = R"js(
document.querySelectorAll('.choose').forEach(function(choose){
  var list=choose.querySelector('select'),slider=choose.querySelector('input'),
      panels=choose.parentNode.querySelectorAll('.panel');
  function show(){panels.forEach(function(p,i){p.hidden=list.value!=='all'&&list.value!==String(i)});
    if(slider&&list.value!=='all')slider.value=list.value}
  if(slider)slider.addEventListener('input',function(){list.value=slider.value;show()});
  choose.hidden=false;list.addEventListener('change',show);show();
});
)js";

// Charts and logs by their view box: Ctrl and the wheel magnify round the pointer, dragging moves, a double click
// resets.
constexpr std::string_view kZoom = R"js(
document.querySelectorAll('main svg[viewBox]').forEach(function(svg){
  var v=svg.viewBox.baseVal,all={x:v.x,y:v.y,width:v.width,height:v.height},held=null;
  function at(x,y,share){
    v.width=all.width*share;v.height=all.height*share;
    v.x=Math.min(Math.max(x,all.x),all.x+all.width-v.width);v.y=Math.min(Math.max(y,all.y),all.y+all.height-v.height);
    svg.style.cursor=share<1?'move':''}
  svg.addEventListener('wheel',function(e){
    if(!e.ctrlKey||!all.width)return;
    e.preventDefault();
    var r=svg.getBoundingClientRect(),x=(e.clientX-r.left)/r.width,y=(e.clientY-r.top)/r.height,
        share=Math.min(1,Math.max(.02,v.width/all.width*(e.deltaY<0?.8:1.25)));
    at(v.x+x*(v.width-all.width*share),v.y+y*(v.height-all.height*share),share)},{passive:false});
  svg.addEventListener('pointerdown',function(e){if(v.width<all.width)held={x:e.clientX,y:e.clientY}});
  svg.addEventListener('pointermove',function(e){
    if(!held||!e.buttons){held=null;return}
    var r=svg.getBoundingClientRect();
    at(v.x-(e.clientX-held.x)*v.width/r.width,v.y-(e.clientY-held.y)*v.height/r.height,v.width/all.width);
    held={x:e.clientX,y:e.clientY}});
  svg.addEventListener('dblclick',function(){at(all.x,all.y,1)});
});
)js";

}  // namespace

HtmlTable::Cell figure_cell(double value, int decimals) {
  if (!std::isfinite(value)) return {readable(value), {}, {}};
  return {fmt::format("{:.{}f}", value, decimals), value, {}};
}

HtmlTable::Cell count_cell(int64_t count) { return {grouped(count), double(count), {}}; }

HtmlDocument::HtmlDocument(std::string title, std::string subtitle)
    : title_(std::move(title)), subtitle_(std::move(subtitle)) {}

void HtmlDocument::section(std::string_view title) {
  if (in_section_) body_ += "</section>\n";
  in_section_ = true;
  ++sections_;
  navigation_ += fmt::format("<a href=\"#s{}\">{}</a>\n", sections_, escape(title));
  body_ += fmt::format("<section id=\"s{}\">\n<h2>{}</h2>\n", sections_, escape(title));
}

void HtmlDocument::subsection(std::string_view title) { body_ += "<h3>" + escape(title) + "</h3>\n"; }
void HtmlDocument::paragraph(std::string_view text) { body_ += "<p>" + escape(text) + "</p>\n"; }
void HtmlDocument::note(std::string_view text) { body_ += "<p class=\"note\">" + escape(text) + "</p>\n"; }

void HtmlDocument::key_figures(const std::vector<std::pair<std::string, std::string>>& figures) {
  body_ += "<div class=\"key\">\n";
  for (const auto& [label, value] : figures)
    body_ += "<div><b>" + escape(value) + "</b><span>" + escape(label) + "</span></div>\n";
  body_ += "</div>\n";
}

void HtmlDocument::files(const std::vector<std::pair<std::string, std::string>>& files) {
  body_ += "<div class=\"scroll\"><table class=\"facts\">\n";
  for (const auto& [name, content] : files)
    body_ += "<tr><th scope=\"row\"><a href=\"" + escape(name) + "\">" + escape(name) + "</a></th><td>" +
             escape(content) + "</td></tr>\n";
  body_ += "</table></div>\n";
}

void HtmlDocument::facts(const std::vector<std::pair<std::string, std::string>>& facts) {
  body_ += "<div class=\"scroll\"><table class=\"facts\">\n";
  for (const auto& [name, value] : facts)
    body_ += "<tr><th scope=\"row\">" + escape(name) + "</th><td>" + escape(value) + "</td></tr>\n";
  body_ += "</table></div>\n";
}

void HtmlDocument::table(const HtmlTable& table) {
  std::vector<std::optional<double>> best(table.columns.size());
  body_ += "<div class=\"scroll\"><table>\n";
  if (!table.caption.empty()) body_ += "<caption>" + escape(table.caption) + "</caption>\n";
  body_ += "<thead><tr>";
  for (size_t c = 0; c < table.columns.size(); ++c) {
    const auto& column = table.columns[c];
    body_ += fmt::format("<th scope=\"col\"{}>{}</th>", column.numeric ? " class=\"n\"" : "", escape(column.name));
    if (column.best == HtmlTable::Best::none || table.rows.size() < 2) continue;
    for (const auto& row : table.rows) {
      if (c >= row.size() || !row[c].value || std::isnan(*row[c].value)) continue;
      const bool better =
          !best[c] || (column.best == HtmlTable::Best::highest ? *row[c].value > *best[c] : *row[c].value < *best[c]);
      if (better) best[c] = row[c].value;
    }
  }
  body_ += "</tr></thead>\n<tbody>\n";
  for (const auto& row : table.rows) {
    internal_check(row.size() == table.columns.size(), "a table row has ", row.size(), " cells, the table has ",
                   table.columns.size(), " columns");
    body_ += "<tr>";
    for (size_t c = 0; c < row.size(); ++c) {
      const bool is_best = best[c] && row[c].value && *row[c].value == *best[c];
      std::string classes = table.columns[c].numeric ? "n" : "";
      if (is_best) classes += classes.empty() ? "best" : " best";
      if (!row[c].colour.empty() && classes.empty()) classes = "tag";
      body_ += classes.empty() ? "<td>" : "<td class=\"" + classes + "\">";
      if (!row[c].colour.empty())
        body_ += "<span class=\"swatch\" style=\"background:" + escape(row[c].colour) + "\"></span>";
      body_ += escape(row[c].text) + "</td>";
    }
    body_ += "</tr>\n";
  }
  body_ += "</tbody></table></div>\n";
}

void HtmlDocument::figure(const Svg& image, std::string_view caption) {
  body_ += "<figure>" + image.inline_markup(caption);
  if (!caption.empty()) body_ += "<figcaption>" + escape(caption) + "</figcaption>";
  body_ += "</figure>\n";
}

void HtmlDocument::begin_row() { body_ += "<div class=\"row\">\n"; }
void HtmlDocument::end_row() { body_ += "</div>\n"; }

void HtmlDocument::raw_block(std::string_view title, std::string_view text, bool open) {
  body_ += fmt::format("<details{}><summary>{}</summary><pre>{}</pre></details>\n", open ? " open=\"\"" : "",
                       escape(title), escape(text));
}

void HtmlDocument::panels(std::string_view label, const std::vector<Panel>& panels, Choice choice, size_t first) {
  const int group = ++panel_groups_;
  body_ += "<div>\n";
  if (panels.size() > 1) {
    body_ +=
        fmt::format("<p class=\"choose\" hidden=\"\"><label for=\"choose{0}\">{1}</label><select id=\"choose{0}\">\n",
                    group, escape(label));
    for (size_t i = 0; i < panels.size(); ++i)
      body_ += fmt::format("<option value=\"{}\"{}>{}</option>\n", i, i == first ? " selected=\"\"" : "",
                           escape(panels[i].name));
    body_ += "<option value=\"all\">all of them</option>\n</select>";
    if (choice == Choice::slider)
      body_ += fmt::format("<input type=\"range\" min=\"0\" max=\"{}\" value=\"{}\" aria-label=\"{}\"/>",
                           panels.size() - 1, first, escape(label));
    body_ += "</p>\n";
  }
  for (const auto& panel : panels) {
    body_ += "<figure class=\"panel tracks\">" + panel.image.inline_markup(panel.name);
    if (!panel.caption.empty()) body_ += "<figcaption>" + escape(panel.caption) + "</figcaption>";
    body_ += "</figure>\n";
  }
  body_ += "</div>\n";
}

std::string HtmlDocument::markup() const {
  std::string out = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n";
  out += "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<title>" + escape(title_) +
         "</title>\n<style>";
  out += kStyle;
  out += "</style>\n</head>\n<body>\n<header>\n<h1>" + escape(title_) + "</h1>\n";
  if (!subtitle_.empty()) out += "<p class=\"soft\">" + escape(subtitle_) + "</p>\n";
  out += "</header>\n";
  if (!navigation_.empty()) out += "<nav><div>\n" + navigation_ + "</div></nav>\n";
  out += "<main>\n" + body_;
  if (in_section_) out += "</section>\n";
  out +=
      "</main>\n<footer>Written by Kern. This file is complete: it needs no network. In charts and logs Ctrl and the "
      "wheel magnify, "
      "dragging moves, a double click shows all.</footer>\n<script>";
  if (panel_groups_ > 0) out += kScript;
  out += kZoom;
  out += scripts_;
  out += "</script>\n";
  return out + "</body>\n</html>\n";
}

}  // namespace kern::training
