// The timeline of a run, drawn on a canvas: lanes from top to bottom, time from left to right. See
// html_parts.hpp.
#include "reports/html_parts.hpp"

namespace fixpoint::reports {

std::string_view html_timeline_script() {
    return R"js("use strict";
const GUTTER = 118, TOP = 44, LANE = { faults: 26, clients: 22, store: 22, manager: 28, tablet: 30, other: 20 };
const cssColor = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const fmtTime = t => (t / 1000).toFixed(3) + " s";

class Timeline {
  constructor(canvas, run, onMove) {
    Object.assign(this, { canvas, run, onMove });
    this.end = Math.max(run.virtual, 1000);
    this.states = run.lanes.map(() => []);
    for (const [at, lane, state] of run.samples) this.states[lane].push([at, state]);
    this.cursor = null;
    this.fit();
    this.layout();
    this.listen();
  }
  // From just before anything happens to just after the last thing that matters.
  fit() {
    const marks = this.run.timeline.filter(e => ["fault", "recovery", "commit_point"].includes(e[2]));
    const from = marks.length ? marks[0][0] : 0, to = marks.length ? Math.max(...marks.map(e => e[0] + e[4])) : this.end;
    const margin = Math.max(500, (to - from) * 0.08);
    this.from = Math.max(0, from - margin); this.to = Math.min(this.end, to + margin);
    if (this.to - this.from < 10) this.to = this.from + 1000;
  }
  layout() {
    let y = TOP;
    this.rows = this.run.lanes.map(l => { const h = LANE[l.kind] || 20, row = { y, h }; y += h; return row; });
    this.height = y + 6;
    const ratio = window.devicePixelRatio || 1;
    this.width = Math.max(300, this.canvas.parentElement.clientWidth);
    this.canvas.width = this.width * ratio; this.canvas.height = this.height * ratio;
    this.canvas.style.height = this.height + "px";
    this.g = this.canvas.getContext("2d");
    this.g.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.draw();
  }
  x(t) { return GUTTER + (t - this.from) / (this.to - this.from) * (this.width - GUTTER - 8); }
  t(x) { return this.from + (x - GUTTER) / (this.width - GUTTER - 8) * (this.to - this.from); }
  stateAt(lane, t) {
    const list = this.states[lane];
    let lo = 0, hi = list.length;
    while (lo < hi) { const m = (lo + hi) >> 1; if (list[m][0] <= t) lo = m + 1; else hi = m; }
    return lo ? list[lo - 1][1] : "";
  }
  stateColor(state) {
    const key = state.startsWith("dead") || state.startsWith("paused") || state.startsWith("starting") ? state.split(" ")[0] : state[0];
    return cssColor("--state-" + key) || cssColor("--state-s");
  }
  draw() {
    const { g } = this, right = this.width - 8;
    const ink = cssColor("--ink"), soft = cssColor("--soft"), line = cssColor("--line");
    g.clearRect(0, 0, this.width, this.height);
    g.font = "12px ui-monospace, 'DejaVu Sans Mono', Menlo, monospace"; g.textBaseline = "middle";
    this.drawScale(soft, line, right);
    g.save(); g.beginPath(); g.rect(GUTTER, TOP - 22, right - GUTTER, this.height); g.clip();
    this.drawFaultBands();
    this.run.lanes.forEach((lane, i) => { if (lane.kind === "tablet") this.drawStates(i); });
    this.drawFaults(); this.drawBands(); this.drawMarks(); this.drawPhases(soft);
    g.restore();
    this.run.lanes.forEach((lane, i) => {
      const r = this.rows[i];
      g.fillStyle = ink; g.textAlign = "right"; g.fillText(lane.name, GUTTER - 10, r.y + r.h / 2);
      g.strokeStyle = line; g.beginPath(); g.moveTo(0, r.y + r.h + .5); g.lineTo(this.width, r.y + r.h + .5); g.stroke();
    });
    if (this.cursor !== null) {
      const x = this.x(this.cursor);
      g.strokeStyle = ink; g.setLineDash([2, 3]); g.beginPath(); g.moveTo(x, TOP - 6); g.lineTo(x, this.height); g.stroke(); g.setLineDash([]);
    }
  }
  drawScale(soft, line, right) {
    const { g } = this, span = this.to - this.from;
    const step = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 60000].find(s => s / span * (right - GUTTER) > 80) || 120000;
    g.fillStyle = soft; g.textAlign = "center";
    for (let t = Math.ceil(this.from / step) * step; t <= this.to; t += step) {
      const x = Math.round(this.x(t)) + .5;
      g.strokeStyle = line; g.beginPath(); g.moveTo(x, TOP - 8); g.lineTo(x, this.height); g.stroke();
      g.fillText(step >= 1000 ? t / 1000 + " s" : (t / 1000).toFixed(step >= 100 ? 1 : 3) + " s", Math.min(x, right - 24), 11);
    }
  }
  drawStates(i) {
    const { g } = this, r = this.rows[i], list = this.states[i];
    for (let k = 0; k < list.length; ++k) {
      const [at, state] = list[k];
      let next = k + 1;  // the GTIDs alone change all the time: one block for one letter
      const letter = state.split(" ")[0];
      while (next < list.length && list[next][1].split(" ")[0] === letter) ++next;
      const from = at, to = next < list.length ? list[next][0] : this.end;
      k = next - 1;
      if (to < this.from || from > this.to) continue;
      const a = Math.max(this.x(from), GUTTER), b = Math.min(this.x(to), this.width);
      g.fillStyle = this.stateColor(state); g.fillRect(a, r.y + 4, Math.max(1, b - a), r.h - 8);
      if (letter === "dead" || letter === "w" || b - a > 14) {
        g.fillStyle = cssColor(["dead", "P", "w", "paused"].includes(letter) ? "--on-dark" : "--on-light"); g.textAlign = "left";
        if (b - a > 6 + 7.3 * letter.length) g.fillText(letter, a + 4, r.y + r.h / 2 + .5);
      }
    }
  }
  drawFaultBands() {
    const { g } = this;
    g.fillStyle = cssColor("--fault");
    for (const [at, lane, kind, text, lasts] of this.run.timeline) {
      if (kind === "fault" && lasts > 0) g.fillRect(this.x(at), TOP - 6, Math.max(1, this.x(at + lasts) - this.x(at)), this.height);
    }
  }
  drawFaults() {
    const { g } = this, r = this.rows[0];
    let free = -1;
    for (const [at, lane, kind, text, lasts] of this.run.timeline) {
      if (kind !== "fault") continue;
      const x = this.x(at);
      g.strokeStyle = cssColor("--fault-line"); g.beginPath(); g.moveTo(x, TOP - 6); g.lineTo(x, this.height); g.stroke();
      g.fillStyle = cssColor("--fault-line"); g.textAlign = "left";
      if (x > free) { g.fillText(text, x + 4, r.y + r.h / 2); free = x + 4 + g.measureText(text).width; }
    }
  }
  drawBands() {
    const { g } = this;
    for (const [at, lane, kind, text, lasts] of this.run.timeline) {
      if (kind !== "recovery" || lasts <= 0 || at > this.to || at + lasts < this.from) continue;
      const r = this.rows[lane], x = this.x(at), w = Math.max(3, this.x(at + lasts) - x);
      g.fillStyle = cssColor("--band"); g.globalAlpha = .85; g.fillRect(x, r.y + 4, w, r.h - 8); g.globalAlpha = 1;
      const label = text.replace(/^recovery_began /, "").split(" ")[0];
      g.save(); g.beginPath(); g.rect(x, r.y, w, r.h); g.clip();
      g.fillStyle = "#fff"; g.textAlign = "left"; if (w > 30) g.fillText(label, x + 4, r.y + r.h / 2); g.restore();
    }
  }
  drawMarks() {
    const { g } = this;
    for (const [at, lane, kind, text, lasts] of this.run.timeline) {
      if (at < this.from || at > this.to || kind === "fault" || kind === "phase" || (kind === "recovery" && lasts > 0)) continue;
      const r = this.rows[lane], x = this.x(at), y = r.y + r.h / 2;
      if (kind === "commit_point") {
        g.strokeStyle = g.fillStyle = cssColor("--commit"); g.lineWidth = 2;
        g.beginPath(); g.moveTo(x, TOP - 6); g.lineTo(x, this.height); g.stroke(); g.lineWidth = 1;
        g.beginPath(); g.moveTo(x, y - 7); g.lineTo(x + 7, y); g.lineTo(x, y + 7); g.lineTo(x - 7, y); g.fill();
      } else {
        g.fillStyle = cssColor(kind === "write" ? "--bad" : kind === "statement" ? "--ink" : "--soft");
        g.globalAlpha = kind === "statement" ? .8 : .6; g.fillRect(x - .75, r.y + (kind === "statement" ? 5 : 8), 1.5, r.h - (kind === "statement" ? 10 : 16)); g.globalAlpha = 1;
      }
    }
    for (const [at, invariant] of this.run.violations) {
      const x = this.x(at);
      g.strokeStyle = g.fillStyle = cssColor("--bad"); g.lineWidth = 2.5; g.beginPath(); g.moveTo(x, TOP - 6); g.lineTo(x, this.height); g.stroke(); g.lineWidth = 1;
      g.textAlign = "left"; g.fillText(invariant, x + 4, this.height - 10);
    }
  }
  drawPhases(soft) {
    const { g } = this, phases = this.run.timeline.filter(e => e[2] === "phase");
    let free = GUTTER;
    phases.forEach(([at, lane, kind, text], i) => {
      const next = i + 1 < phases.length ? phases[i + 1][0] : this.end, x = this.x(at);
      if (next < this.from || at > this.to) return;
      g.strokeStyle = soft; g.setLineDash([6, 4]); g.beginPath(); g.moveTo(x, TOP - 6); g.lineTo(x, this.height); g.stroke(); g.setLineDash([]);
      const label = text.replace("_", " "), left = Math.max(x, GUTTER) + 4, width = g.measureText(label).width;
      if (left < free || left + width > Math.max(this.x(next), left + 1) && next - at > 0 && i + 1 < phases.length) return;
      g.fillStyle = soft; g.textAlign = "left"; g.fillText(label, left, TOP - 13); free = left + width + 8;
    });
  }
  near(t, pixels) {
    const d = Math.abs(this.t(GUTTER + pixels) - this.t(GUTTER));
    return this.run.timeline.filter(e => Math.abs(e[0] - t) <= d || (e[4] > 0 && e[0] <= t && t <= e[0] + e[4]));
  }
  show(t) { this.cursor = t; this.draw(); }
  zoom(t, factor) {
    const from = t - (t - this.from) * factor, to = t + (this.to - t) * factor;
    if (to - from < 2) return;
    this.from = Math.max(0, from); this.to = Math.min(this.end, to);
    this.draw(); this.onMove();
  }
  pan(dt) {
    const d = Math.max(-this.from, Math.min(this.end - this.to, dt));
    this.from += d; this.to += d; this.draw(); this.onMove();
  }
  listen() {
    const c = this.canvas;
    let drag = null;
    c.addEventListener("wheel", e => { e.preventDefault(); this.zoom(this.t(e.offsetX), e.deltaY > 0 ? 1.25 : 0.8); }, { passive: false });
    c.addEventListener("pointerdown", e => { drag = e.offsetX; c.setPointerCapture(e.pointerId); });
    c.addEventListener("pointerup", () => { drag = null; });
    c.addEventListener("dblclick", () => { this.fit(); this.draw(); this.onMove(); });
    c.addEventListener("pointermove", e => {
      if (drag !== null) { const dt = this.t(drag) - this.t(e.offsetX); drag = e.offsetX; this.pan(dt); }
      if (e.offsetX < GUTTER) return hideTip(this);
      const t = this.t(e.offsetX);
      this.show(t); showTip(this, t, e.clientX, e.clientY);
    });
    c.addEventListener("pointerleave", () => hideTip(this));
  }
}
)js";
}

}  // namespace fixpoint::reports
