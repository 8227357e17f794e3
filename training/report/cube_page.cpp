#include "training/report/cube_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "data/gzip.h"
#include "engine/json.h"
#include "kernels/common/error.h"
#include "training/report/svg.h"

namespace kern::training {
namespace {

constexpr std::string_view kStyle = R"css(
:root{--ground:#f6f7f9;--card:#fff;--ink:#1b2733;--soft:#5b6b7a;--rule:#d5dce3}
@media (prefers-color-scheme:dark){:root{--ground:#14191f;--card:#1d242c;--ink:#e4eaf0;--soft:#9fb0c0;--rule:#36424e}}
body{margin:0;padding:1rem;background:var(--ground);color:var(--ink);font:15px/1.45 system-ui,sans-serif}
h1{font-size:1.3rem;margin:0 0 .2rem}p{margin:.2rem 0 .8rem;color:var(--soft)}
.planes{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,22rem),1fr));gap:1rem}
figure{margin:0;background:var(--card);border:1px solid var(--rule);border-radius:6px;padding:.6rem}
canvas{width:100%;height:22rem;image-rendering:pixelated;display:block;background:#888}
figcaption,label{display:block;margin-top:.4rem}input[type=range]{width:100%}
.settings{display:flex;flex-wrap:wrap;gap:.3rem 1.5rem;margin:0 0 .8rem}.settings label{flex:1 1 14rem;margin:0}
)css";

// Every plane is a canvas of one pixel a sample. A click in one moves the sliders of the other two there.
constexpr std::string_view kScript = R"js(
(async function(){
  var d=JSON.parse(document.getElementById('cube').textContent),said=document.getElementById('said');
  async function unpacked(id){
    var text=document.getElementById(id).textContent,bytes=Uint8Array.from(atob(text),function(c){return c.charCodeAt(0)});
    var stream=new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }
  if(typeof DecompressionStream==='undefined'){said.textContent='This browser is too old to unpack the cube: use one of 2023 or later.';return}
  var a=await unpacked('amplitude'),p=await unpacked('probability'),n=d.size,at=n.map(function(s){return s>>1});
  var over=document.getElementById('over'),from=document.getElementById('from');
  // Of plane axis k: the axes that run to the right and downwards.
  var planes=[{k:0,x:1,y:2},{k:1,x:0,y:2},{k:2,x:1,y:0}],step=[n[1]*n[2],n[2],1];
  function name(k,i){var v=d.axes[k];return v.name+' '+(Math.round((v.first+i*v.step)*100)/100)+(v.unit?' '+v.unit:'')}
  function draw(q){
    var w=n[q.x],h=n[q.y],c=q.canvas.getContext('2d'),image=c.createImageData(w,h),least=255*from.value,i=0;
    for(var y=0;y<h;y++)for(var x=0;x<w;x++){
      var s=at[q.k]*step[q.k]+x*step[q.x]+y*step[q.y],g=255-a[s],r=g,e=g,b=g;
      if(over.checked&&p[s]>0&&p[s]>=least){var t=Math.min(1,Math.max(0,(p[s]-least)/Math.max(1,255-least)));r=255-35*t;e=220-200*t;b=30}
      image.data[i++]=r;image.data[i++]=e;image.data[i++]=b;image.data[i++]=255;
    }
    c.putImageData(image,0,0);
    q.label.textContent=name(q.k,at[q.k]);
    q.slider.value=at[q.k];
  }
  function all(){planes.forEach(draw)}
  planes.forEach(function(q){
    var box=document.querySelectorAll('figure')[q.k];
    q.canvas=box.querySelector('canvas');q.label=box.querySelector('b');q.slider=box.querySelector('input');
    q.canvas.width=n[q.x];q.canvas.height=n[q.y];q.slider.max=n[q.k]-1;
    q.slider.addEventListener('input',function(){at[q.k]=+q.slider.value;draw(q)});
    q.canvas.addEventListener('click',function(e){
      var r=q.canvas.getBoundingClientRect();
      at[q.x]=Math.min(n[q.x]-1,Math.floor((e.clientX-r.left)/r.width*n[q.x]));
      at[q.y]=Math.min(n[q.y]-1,Math.floor((e.clientY-r.top)/r.height*n[q.y]));
      all();
    });
  });
  over.addEventListener('change',all);
  from.addEventListener('input',function(){document.getElementById('least').textContent=(+from.value).toFixed(2);all()});
  all();said.textContent='';
})();
)js";

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') out += "&amp;";
    else if (c == '<') out += "&lt;";
    else if (c == '>') out += "&gt;";
    else out += c;
  }
  return out;
}

std::string packed(const char* id, const std::vector<uint8_t>& bytes) {
  const std::string_view view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return fmt::format("<script type=\"application/octet-stream\" id=\"{}\">{}</script>\n", id, base64(data::gzip(view)));
}

}  // namespace

uint8_t amplitude_byte(float amplitude) {
  constexpr float kDeviations = 3;
  if (!std::isfinite(amplitude)) return 128;
  return uint8_t(std::lround(128 + 127 * std::clamp(amplitude / kDeviations, -1.0f, 1.0f)));
}

std::string cube_page(const CubePage& page) {
  const data::Block& b = page.size;
  internal_check(
      b.size() > 0 && int64_t(page.amplitude.size()) == b.size() && int64_t(page.probability.size()) == b.size(),
      "a page of a cube of ", b.size(), " samples");
  nlohmann::json cube{{"size", {b.inlines, b.crosslines, b.samples}}, {"axes", nlohmann::json::array()}};
  for (const CubePage::Axis& a : page.axes)
    cube["axes"].push_back({{"name", a.name}, {"unit", a.unit}, {"first", a.first}, {"step", a.step}});
  std::string about = cube.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  for (size_t at = 0; (at = about.find("</", at)) != about.npos;) about.replace(at, 2, "<\\/");
  std::string html = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width,initial-scale=1\">\n<title>{0}</title><style>{1}</style></head><body>\n"
      "<h1>{0}</h1>\n<p>{2} Click into a plane to move the other two there.</p>\n<p id=\"said\">Unpacking…</p>\n"
      "<div class=\"settings\"><label><input type=\"checkbox\" id=\"over\" checked> faults</label>"
      "<label>from probability <b id=\"least\">{3:.2f}</b><input type=\"range\" id=\"from\" min=\"0.05\" max=\"1\" "
      "step=\"0.01\" value=\"{3:.2f}\"></label></div>\n<div class=\"planes\">\n",
      escaped(page.title), kStyle, escaped(page.text), page.clear_below);
  for (const CubePage::Axis& a : page.axes)
    html += fmt::format(
        "<figure><canvas></canvas><figcaption><b></b></figcaption><label><input type=\"range\" min=\"0\" "
        "aria-label=\"{}\"></label></figure>\n",
        escaped(a.name));
  html += fmt::format("</div>\n<script type=\"application/json\" id=\"cube\">{}</script>\n", about);
  html += packed("amplitude", page.amplitude);
  html += packed("probability", page.probability);
  html += fmt::format("<script>{}</script></body></html>\n", kScript);
  return html;
}

}  // namespace kern::training
