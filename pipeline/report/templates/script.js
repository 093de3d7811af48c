// Filters the statements, and leads from a point of a chart to what is behind it. Reads the page, asks for nothing:
// without this script every statement is still here, by period, and every point still leads to its period.
(() => {
  "use strict";
  const byId = (id) => document.getElementById(id);
  const bar = byId("filters");
  const items = [...document.querySelectorAll("#evidence .s")].map((el) => ({
    el, text: el.textContent.toLowerCase(), speaker: el.dataset.p.toLowerCase(), country: el.dataset.c,
    period: el.closest("details").dataset.q, stances: new Map(el.dataset.k.split(" ").map((k) => k.split(":"))),
  }));
  const groups = [...document.querySelectorAll("#evidence details.period")];
  const marks = [...document.querySelectorAll("#evidence mark")];
  const points = [...document.querySelectorAll("a.point")];

  // Roving focus: one tab stop a series, arrows within it; the page stays short for a keyboard.
  const siblings = (point) => [...point.closest("svg").querySelectorAll("a.point")];
  for (const svg of new Set(points.map((point) => point.closest("svg")))) {
    const seen = new Set();
    for (const point of svg.querySelectorAll("a.point")) {
      const row = `${point.dataset.t}/${point.dataset.c}/${point.textContent.replace(/, \d{4}[ -][\s\S]*$/, "")}`;
      point.dataset.row = row;
      point.setAttribute("tabindex", seen.has(row) ? "-1" : "0");
      seen.add(row);
    }
  }
  const step = (point, by) => {
    const row = siblings(point).filter((other) => other.dataset.row === point.dataset.row)
      .sort((a, b) => a.getBoundingClientRect().left - b.getBoundingClientRect().left);
    const next = by === "first" ? row[0] : by === "last" ? row[row.length - 1] : row[row.indexOf(point) + by];
    if (!next) return;
    point.setAttribute("tabindex", "-1");
    next.setAttribute("tabindex", "0");
    next.focus();
  };
  const KEYS = { ArrowRight: 1, ArrowLeft: -1, Home: "first", End: "last" };

  const last = { link: null };
  if (!bar) return;
  const field = (name) => byId(`f-${name}`);
  const names = ["text", "speaker", "country", "target", "stance", "from", "to"];
  const status = byId("f-status");
  const back = byId("f-back");

  const asked = () => Object.fromEntries(names.map((name) => [name, field(name).value.trim()]));
  const wanted = (want) => (item) =>
    (!want.text || want.text.toLowerCase().split(/\s+/).every((word) => item.text.includes(word))) &&
    (!want.speaker || item.speaker.includes(want.speaker.toLowerCase())) &&
    (!want.country || item.country === want.country) &&
    (!want.target || (item.stances.has(want.target) && item.stances.get(want.target) !== "none")) &&
    (!want.stance || (want.target ? item.stances.get(want.target) === want.stance
      : [...item.stances.values()].includes(want.stance))) &&
    (!want.from || (item.period && item.period >= want.from)) &&
    (!want.to || (item.period && item.period <= want.to));
  const shownText = (name) => field(name).selectedOptions[0].textContent;
  const said = (want) => [
    want.text && `“${want.text}”`, want.speaker, want.country && shownText("country"),
    want.target && shownText("target"), want.stance && shownText("stance"),
    want.from && want.from === want.to ? shownText("from")
      : [want.from && `from ${shownText("from")}`, want.to && `to ${shownText("to")}`].filter(Boolean).join(" "),
  ].filter(Boolean).join(", ");

  const apply = () => {
    const want = asked();
    const any = names.some((name) => want[name]);
    const fits = wanted(want);
    let count = 0;
    for (const item of items) {
      const fit = fits(item);
      item.el.hidden = !fit;
      count += fit ? 1 : 0;
    }
    for (const group of groups) {
      const left = group.querySelectorAll(".s:not([hidden])").length;
      group.hidden = left === 0;
      group.open = any && count <= 60 && left > 0;
      group.querySelector(".count").textContent = `${left} statement${left === 1 ? "" : "s"}`;
    }
    for (const mark of marks) mark.classList.toggle("off", Boolean(want.target) && !mark.dataset.t.split(" ").includes(want.target));
    byId("evidence").classList.toggle("filtered", any);
    const what = said(want);
    status.textContent = `${count} of ${items.length} statements${what ? `: ${what}` : ""}.`;
    back.hidden = !last.link;
  };

  const show = (link, period) => {
    last.link = link;
    for (const name of names) field(name).value = "";
    if (link.dataset.c !== undefined) field("country").value = link.dataset.c;
    if (link.dataset.t !== undefined) field("target").value = link.dataset.t;
    if (period) { field("from").value = period; field("to").value = period; }
    apply();
    byId("evidence").scrollIntoView();
    byId("evidence-title").focus({ preventScroll: true });
  };

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a.point, a.behind");
    if (link) {
      event.preventDefault();
      show(link, link.classList.contains("point") ? link.getAttribute("href").slice(3) : "");
      return;
    }
    const one = event.target.closest("a.one");
    if (!one) return;
    const item = byId(one.getAttribute("href").slice(1));
    if (!item) return;
    for (const name of names) field(name).value = "";
    apply();
    item.closest("details").open = true;
  });
  document.addEventListener("keydown", (event) => {
    const point = event.target.closest ? event.target.closest("a.point") : null;
    if (!point || !(event.key in KEYS)) return;
    event.preventDefault();
    step(point, KEYS[event.key]);
  });
  back.addEventListener("click", () => {
    const link = last.link;
    if (!link) return;
    link.scrollIntoView({ block: "center" });
    link.focus({ preventScroll: true });
  });
  byId("f-clear").addEventListener("click", () => {
    for (const name of names) field(name).value = "";
    last.link = null;
    apply();
  });
  for (const name of names) for (const kind of ["input", "change"]) field(name).addEventListener(kind, apply);
  bar.hidden = false;
  apply();
})();
