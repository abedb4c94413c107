// The list of runs, its filter, and what is said of the chosen one. See html_parts.hpp.
#include "reports/html_parts.hpp"

namespace fixpoint::reports {

std::string_view html_script() {
    return R"js(
const data = JSON.parse(document.getElementById("data").textContent);
const byId = id => document.getElementById(id);
const el = (tag, cls, text) => { const e = document.createElement(tag); if (cls) e.className = cls; if (text !== undefined) e.textContent = text; return e; };
let chosen = null, chart = null, verdictFilter = "all";
const detailKinds = { statement: false, lock: false, write: false, state: true };

function haystack(c) {
  return [c.group, c.name, c.incident, c.recoveries, c.verdict, c.reason, c.failure, c.policy, ...c.faults.map(f => f[0])].join(" ").toLowerCase();
}
data.cases.forEach((c, i) => { c.index = i; c.hay = haystack(c); c.key = c.group + "/" + c.name; });

function visible() {
  const words = byId("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  return data.cases.filter(c => (verdictFilter === "all" || (verdictFilter === "failed" ? !c.passed : c.verdict === verdictFilter)) && words.every(w => c.hay.includes(w)));
}
function renderRows() {
  const rows = byId("rows"); rows.textContent = "";
  let group = null;
  for (const c of visible()) {
    if (c.group !== group) { group = c.group; rows.append(el("div", "groupname", group || "(no group)")); }
    const row = el("div", "row"); row.setAttribute("role", "option"); row.setAttribute("aria-selected", String(c === chosen)); row.tabIndex = 0;
    row.append(el("span", c.passed ? "converged" : "failed", c.passed ? "✓" : "✗"), el("span", "name", c.name), el("span", c.verdict, c.verdict.replace("_", ", ")));
    row.append(el("span", "sub", c.passed ? c.recoveries : c.failure));
    row.onclick = () => choose(c); row.onkeydown = e => { if (e.key === "Enter") choose(c); };
    rows.append(row);
  }
  if (!rows.children.length) rows.append(el("div", "groupname", "nothing fits the filter"));
}
function renderChips() {
  const chips = byId("chips"); chips.textContent = "";
  const words = ["all", "failed", ...new Set(data.cases.map(c => c.verdict))];
  for (const w of words) {
    const n = data.cases.filter(c => w === "all" || (w === "failed" ? !c.passed : c.verdict === w)).length;
    const b = el("button", "", w.replace("_", ", ") + " " + n); b.type = "button"; b.setAttribute("aria-pressed", String(w === verdictFilter));
    b.onclick = () => { verdictFilter = w; renderChips(); renderRows(); };
    chips.append(b, " ");
  }
}
function fact(list, name, value, cls) {
  if (value === "" || value === undefined || value === null) return;
  const pair = el("div"); pair.append(el("dt", "", name), el("dd", cls, value)); list.append(pair);
}
function choose(c) {
  chosen = c; history.replaceState(null, "", "#" + encodeURIComponent(c.key)); renderRows();
  const d = byId("detail"); d.textContent = ""; d.scrollTop = 0;
  d.append(el("h2", "", c.name), el("p", "", "")); d.lastChild.id = "incident"; d.lastChild.textContent = c.incident;
  if (!c.passed) d.append(el("div", "alarm failed", "Failed: " + c.failure));
  for (const [at, invariant, text] of c.violations) d.append(el("div", "alarm", invariant + " at " + fmtTime(at) + ": " + text));
  const facts = el("dl", "facts");
  fact(facts, "verdict", c.verdict.replace("_", ", ") + (c.why ? ": " + c.why : ""), c.verdict); fact(facts, "reason", c.reason);
  fact(facts, "recoveries", c.recoveries); fact(facts, "policy", c.policy);
  fact(facts, "writes", `${c.writes[0]} acknowledged, ${c.writes[1]} judged, ${c.writes[2]} failed, ${c.writes[3]} unknown` + (c.writes[4] ? `, ${c.writes[4]} excused` : ""));
  fact(facts, "writes blocked at most", fmtTime(c.blocked)); fact(facts, "commit points", c.commits);
  fact(facts, "statements", `${c.statements[0]}, ${c.statements[1]} mutating`);
  fact(facts, "faults", c.faults.map(f => `${f[0]} ${f[2]}/${f[1]}` + (f[3] ? "" : " (not observed)")).join(", "));
  fact(facts, "tablets", c.tablets.map(t => t[0] + " " + t[1] + (t[2] === "neutral" ? "" : " (" + t[2] + ")")).join(", "));
  fact(facts, "time", `${fmtTime(c.virtual)} virtual, ${c.wall.toFixed(1)} ms wall`);
  d.append(facts);
  const holder = el("div"); holder.id = "chart"; const canvas = el("canvas"); holder.append(canvas);
  const tools = el("div"); tools.id = "tools"; d.append(holder, tools);
  const table = el("table", "mono"); table.id = "events"; d.append(table);
  const replay = el("p", "soft"); replay.append("Again, to the very event: "); const t = el("span", "mono", "fixpoint-sim replay " + c.token); t.id = "token"; replay.append(t); d.append(replay);
  if (!c.timeline.length && !c.samples.length) { holder.remove(); tools.textContent = "No timeline was recorded for this run."; return; }
  chart = new Timeline(canvas, c, () => renderEvents());
  renderTools(tools); renderEvents();
}
function renderTools(tools) {
  const button = (text, act) => { const b = el("button", "", text); b.type = "button"; b.onclick = act; tools.append(b); return b; };
  button("what happened", () => { chart.fit(); chart.draw(); renderEvents(); });
  button("whole run", () => { chart.from = 0; chart.to = chart.end; chart.draw(); renderEvents(); });
  for (const kind of Object.keys(detailKinds)) {
    const b = button(kind + "s", () => { detailKinds[kind] = !detailKinds[kind]; b.setAttribute("aria-pressed", String(detailKinds[kind])); renderEvents(); });
    b.setAttribute("aria-pressed", String(detailKinds[kind]));
  }
  tools.append(el("span", "soft", "wheel: zoom, drag: move, double click: back"));
  const legend = el("span", "legend");
  for (const [key, text] of [["P", "P primary"], ["p", "p primary, closed"], ["r", "r receives"], ["s", "s does not"], ["w", "w writable, no primary"], ["dead", "dead"], ["paused", "paused"], ["starting", "starting"]]) {
    const item = el("span"), box = el("i"); box.style.background = `var(--state-${key})`; item.append(box, text); legend.append(item);
  }
  tools.append(legend);
}
function renderEvents() {
  const table = byId("events"); table.textContent = "";
  const shown = chosen.timeline.filter(e => e[0] >= chart.from && e[0] <= chart.to && detailKinds[e[2]] !== false);
  for (const e of shown.slice(0, 1500)) {
    const row = el("tr", e[2]);
    row.append(el("td", "", (e[0] / 1000).toFixed(3)), el("td", "", chosen.lanes[e[1]].name), el("td", "", e[3] + (e[4] > 0 ? `  (${e[4] < 1000 ? e[4].toFixed(1) + " ms" : fmtTime(e[4])})` : "")));
    row.onmouseenter = () => chart.show(e[0]);
    table.append(row);
  }
  if (shown.length > 1500) { const row = el("tr"); row.append(el("td"), el("td"), el("td", "soft", `… ${shown.length - 1500} more: zoom in`)); table.append(row); }
}
function showTip(chart, t, x, y) {
  const tip = byId("tip"); tip.textContent = ""; tip.append(el("b", "", fmtTime(t)));
  const table = el("table", "mono");
  chart.run.lanes.forEach((lane, i) => { if (lane.kind !== "tablet") return; const row = el("tr"); row.append(el("td", "", lane.name), el("td", "", chart.stateAt(i, t) || "?")); table.append(row); });
  tip.append(table);
  const near = chart.near(t, 5).filter(e => detailKinds[e[2]] !== false || e[2] === "statement");
  for (const e of near.slice(0, 8)) tip.append(el("div", "mono " + (e[2] === "fault" ? "failed" : "soft"), chart.run.lanes[e[1]].name + ": " + e[3]));
  if (near.length > 8) tip.append(el("div", "soft", `… ${near.length - 8} more`));
  tip.style.display = "block";
  const w = tip.offsetWidth, h = tip.offsetHeight;
  tip.style.left = Math.max(4, x + 16 + w > innerWidth ? x - w - 12 : x + 16) + "px"; tip.style.top = Math.max(4, y + 16 + h > innerHeight ? y - h - 12 : y + 16) + "px";
}
function hideTip(chart) { byId("tip").style.display = "none"; chart.cursor = null; chart.draw(); }

byId("title").textContent = data.title;
byId("counts").append(el("span", "converged", data.passed + " passed"), ", ", el("span", data.failed ? "failed" : "soft", data.failed + " failed"), el("span", "soft", `, ${data.wall.toFixed(1)} s`));
byId("command").textContent = data.command; byId("command").title = data.command;
byId("search").oninput = renderRows;
byId("theme").onclick = () => {
  const next = { "": "dark", dark: "light", light: "" }[document.documentElement.dataset.theme || ""];
  if (next) document.documentElement.dataset.theme = next; else delete document.documentElement.dataset.theme;
  byId("theme").textContent = "theme" + (next ? ": " + next : ""); if (chart) chart.draw();
};
addEventListener("resize", () => { if (chart) chart.layout(); });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { if (chart) chart.draw(); });
addEventListener("keydown", e => {
  if (e.target.tagName === "INPUT" || !["j", "k"].includes(e.key)) return;
  const list = visible(), at = list.indexOf(chosen), next = list[at + (e.key === "j" ? 1 : -1)]; if (next) choose(next);
});
renderChips(); renderRows();
const wanted = decodeURIComponent(location.hash.slice(1));
const first = data.cases.find(c => c.key === wanted) || data.cases.find(c => !c.passed) || data.cases[0];
if (first) choose(first);
)js";
}

}  // namespace fixpoint::reports
