// The page's look, light and dark, and its skeleton. See html_parts.hpp.
#include "reports/html_parts.hpp"

namespace fixpoint::reports {

std::string_view html_style() {
    return R"css(
:root {
  color-scheme: light dark;
  --paper: #fbfbf9; --panel: #ffffff; --ink: #1d2126; --soft: #68717b; --line: #dfe2e5; --hover: #eef2f6; --chosen: #e0ebf7;
  --good: #1f7a45; --fair: #8a6100; --odd: #6b4fa0; --bad: #b3261e; --accent: #1a5fb4;
  --state-P: #35a066; --state-p: #d99a2b; --state-r: #7fb0e6; --state-s: #c3c9d2; --state-w: #e0564a;
  --state-dead: #4a4f57; --state-paused: #a58bd0; --state-starting: #e8d9b5; --on-dark: #ffffff; --on-light: #1d2126;
  --fault: rgba(214, 69, 50, .16); --fault-line: #d64532; --commit: #1a5fb4; --band: #5b8dc9;
}
@media (prefers-color-scheme: dark) { :root:not([data-theme=light]) {
  --paper: #15181c; --panel: #1c2025; --ink: #e4e7ea; --soft: #98a2ad; --line: #323840; --hover: #262c33; --chosen: #24384f;
  --good: #6ccf94; --fair: #e0b04f; --odd: #b69ce6; --bad: #ff8a80; --accent: #7db4f0;
  --state-P: #2f8f5b; --state-p: #b27d1e; --state-r: #3f6fa6; --state-s: #565e69; --state-w: #c1443a;
  --state-dead: #0b0c0e; --state-paused: #6d559c; --state-starting: #7c6f4d; --on-dark: #ffffff; --on-light: #f2f4f6;
  --fault: rgba(255, 110, 90, .17); --fault-line: #ff7a68; --commit: #7db4f0; --band: #4d7fba;
} }
:root[data-theme=dark] {
  color-scheme: dark;
  --paper: #15181c; --panel: #1c2025; --ink: #e4e7ea; --soft: #98a2ad; --line: #323840; --hover: #262c33; --chosen: #24384f;
  --good: #6ccf94; --fair: #e0b04f; --odd: #b69ce6; --bad: #ff8a80; --accent: #7db4f0;
  --state-P: #2f8f5b; --state-p: #b27d1e; --state-r: #3f6fa6; --state-s: #565e69; --state-w: #c1443a;
  --state-dead: #0b0c0e; --state-paused: #6d559c; --state-starting: #7c6f4d; --on-dark: #ffffff; --on-light: #f2f4f6;
  --fault: rgba(255, 110, 90, .17); --fault-line: #ff7a68; --commit: #7db4f0; --band: #4d7fba;
}
:root[data-theme=light] { color-scheme: light; }
* { box-sizing: border-box; }
html, body { height: 100%; }
body { margin: 0; display: flex; flex-direction: column; background: var(--paper); color: var(--ink); font: 14px/1.45 system-ui, "Segoe UI", sans-serif; }
header { display: flex; gap: 18px; align-items: baseline; flex-wrap: wrap; padding: 12px 18px; border-bottom: 1px solid var(--line); background: var(--panel); }
header h1 { font-size: 17px; margin: 0; }
header .soft { flex: 1; min-width: 120px; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
button, input, select { font: inherit; color: inherit; background: var(--paper); border: 1px solid var(--line); border-radius: 6px; padding: 3px 9px; }
button { cursor: pointer; } button:hover { background: var(--hover); }
button[aria-pressed=true] { background: var(--chosen); border-color: var(--accent); }
.soft { color: var(--soft); } .mono { font-family: ui-monospace, "DejaVu Sans Mono", Menlo, monospace; font-size: 12.5px; }
.converged { color: var(--good); } .failed_justified { color: var(--fair); } .unknown { color: var(--odd); } .violation, .failed { color: var(--bad); }
.failed, .violation { font-weight: 600; }
main { flex: 1; min-height: 0; display: grid; grid-template-columns: minmax(340px, 30%) 1fr; }
#list { border-right: 1px solid var(--line); display: flex; flex-direction: column; min-height: 0; }
#filters { display: flex; gap: 6px; flex-wrap: wrap; padding: 10px 12px; border-bottom: 1px solid var(--line); }
#filters input { flex: 1 1 100%; }
#rows { overflow-y: auto; flex: 1; }
.row { display: grid; grid-template-columns: 16px 1fr auto; gap: 2px 8px; padding: 6px 12px; border-bottom: 1px solid var(--line); cursor: pointer; }
.row:hover { background: var(--hover); } .row[aria-selected=true] { background: var(--chosen); }
.row .name { overflow-wrap: anywhere; } .row .sub { grid-column: 2 / 4; font-size: 12px; color: var(--soft); overflow-wrap: anywhere; }
.groupname { padding: 10px 12px 3px; font-weight: 600; font-size: 12px; color: var(--soft); }
#detail { overflow-y: auto; padding: 16px 20px 60px; min-width: 0; }
#detail h2 { margin: 0 0 2px; font-size: 19px; overflow-wrap: anywhere; }
#incident { max-width: 88ch; margin: 4px 0 10px; }
.facts { display: flex; flex-wrap: wrap; gap: 4px 22px; margin: 8px 0; }
.facts dt { display: inline; color: var(--soft); } .facts dd { display: inline; margin: 0 0 0 4px; }
.alarm { border-left: 4px solid var(--bad); background: var(--panel); padding: 7px 12px; margin: 6px 0; overflow-wrap: anywhere; }
#chart { position: relative; margin: 14px 0 4px; border: 1px solid var(--line); border-radius: 8px; background: var(--panel); overflow: hidden; }
#chart canvas { display: block; width: 100%; cursor: crosshair; touch-action: none; }
#tip { position: fixed; pointer-events: none; max-width: 460px; background: var(--panel); border: 1px solid var(--line); border-radius: 6px; box-shadow: 0 4px 18px rgba(0,0,0,.25); padding: 7px 10px; font-size: 12.5px; z-index: 9; display: none; }
#tip table { border-spacing: 0; } #tip td { padding: 0 10px 0 0; vertical-align: top; }
#tools { display: flex; gap: 6px; flex-wrap: wrap; align-items: center; margin: 6px 0 10px; font-size: 12.5px; }
.legend { display: inline-flex; gap: 4px 12px; flex-wrap: wrap; margin-left: auto; }
.legend i { display: inline-block; width: 12px; height: 12px; border-radius: 3px; margin-right: 4px; vertical-align: -1px; border: 1px solid var(--line); }
#events { width: 100%; border-collapse: collapse; }
#events td { padding: 1px 8px; vertical-align: top; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
#events td:first-child { text-align: right; white-space: nowrap; width: 84px; color: var(--soft); } #events td:nth-child(2) { white-space: nowrap; width: 110px; }
#events tr:hover { background: var(--hover); } #events tr.fault td { color: var(--bad); } #events tr.commit_point td { color: var(--accent); font-weight: 600; }
#events tr.phase td { color: var(--soft); font-style: italic; }
#token { overflow-wrap: anywhere; user-select: all; }
@media (max-width: 900px) { body { display: block; } main { display: block; } #rows { max-height: 40vh; } #list { border-right: 0; } }
)css";
}

std::string_view html_body() {
    return R"html(<header>
<h1 id="title"></h1><span id="counts"></span><span class="soft mono" id="command"></span>
<button id="theme" type="button" title="light, dark, or as the system has it">theme</button>
</header>
<main>
<section id="list" aria-label="runs">
<div id="filters">
<input id="search" type="search" placeholder="filter: name, recovery, fault, text of the incident" aria-label="filter">
<span id="chips"></span>
</div>
<div id="rows" role="listbox"></div>
</section>
<section id="detail" aria-live="polite"></section>
</main>
<div id="tip" role="tooltip"></div>
)html";
}

}  // namespace fixpoint::reports
