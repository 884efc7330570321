"use strict";
(() => {
  const root = document.documentElement;
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];

  // Theme: the system's, until the button is pressed. Where nothing may be stored it holds for this page alone.
  const stored = () => { try { return localStorage.getItem("specproof-theme"); } catch { return null; } };
  const system = matchMedia("(prefers-color-scheme: dark)");
  const current = () => root.dataset.theme || (system.matches ? "dark" : "light");
  const button = document.getElementById("theme");
  const show = () => { button.textContent = current() === "dark" ? "Light colours" : "Dark colours"; };
  if (stored()) root.dataset.theme = stored();
  button.hidden = false;
  button.addEventListener("click", () => {
    root.dataset.theme = current() === "dark" ? "light" : "dark";
    try { localStorage.setItem("specproof-theme", root.dataset.theme); } catch { /* for this page alone */ }
    show();
  });
  system.addEventListener("change", show);
  show();

  // Sorting: a button in each heading; the third press brings the order back in which the page was written.
  const number = (text) => {
    const plain = text.replace(/[,%×]/g, "").trim();
    if (plain.startsWith("∞")) return Infinity;
    return plain === "" ? NaN : parseFloat(plain);
  };
  const compare = (numeric) => (left, right) => {
    if (!numeric) return left.localeCompare(right, "en", { numeric: true });
    const [a, b] = [number(left), number(right)];
    return (isNaN(a) - isNaN(b)) || a - b || 0;
  };
  for (const table of all("table.sortable")) {
    const body = table.tBodies[0];
    const written = [...body.rows];
    const headings = [...table.tHead.rows[0].cells];
    headings.forEach((heading, place) => {
      const press = document.createElement("button");
      press.type = "button";
      press.append(...heading.childNodes);
      heading.append(press);
      heading.setAttribute("aria-sort", "none");
      press.addEventListener("click", () => {
        const next = { none: "ascending", ascending: "descending", descending: "none" }[heading.getAttribute("aria-sort")];
        headings.forEach((other) => other.setAttribute("aria-sort", "none"));
        heading.setAttribute("aria-sort", next);
        const rows = [...written];
        const text = (row) => row.cells[place].dataset.sort ?? row.cells[place].textContent;
        const order = compare(heading.classList.contains("number"));
        if (next !== "none") rows.sort((a, b) => (next === "ascending" ? 1 : -1) * order(text(a), text(b)));
        body.append(...rows);
      });
    });
  }

  // Filtering: rows of all claims at once; a claim without a row that is shown is not shown either.
  const filters = document.getElementById("filters");
  if (filters) {
    const [words, verdict, method] = ["words", "verdict", "method"].map((name) => document.getElementById("filter-" + name));
    const told = document.getElementById("filter-told");
    const rows = all("tr[data-verdict]");
    const texts = rows.map((row) => `${row.textContent} ${row.closest("article")?.id ?? ""}`.toLowerCase());
    const apply = () => {
      const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      rows.forEach((row, index) => {
        const fits = (!verdict.value || row.dataset.verdict === verdict.value || row.dataset.state === verdict.value)
          && (!method.value || row.dataset.method === method.value)
          && wanted.every((word) => texts[index].includes(word));
        row.hidden = !fits;
        shown += fits;
      });
      const asked = wanted.length || verdict.value || method.value;
      for (const claim of all("article.claim")) {
        const some = claim.querySelector("tr[data-verdict]:not([hidden])");
        claim.hidden = Boolean(asked) && !some;
        if (asked && some) claim.querySelector("details.rows").open = true;
      }
      told.textContent = `${shown} of ${rows.length} rows`;
    };
    filters.hidden = false;
    filters.addEventListener("input", apply);
    filters.addEventListener("submit", (event) => event.preventDefault());
    filters.addEventListener("reset", () => setTimeout(apply));
    apply();
  }

  // A link to something that is folded up or filtered away opens it first.
  const reach = () => {
    const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    for (let part = target; part; part = part.parentElement) {
      part.hidden = false;
      if (part.tagName === "DETAILS") part.open = true;
    }
    target.scrollIntoView();
  };
  addEventListener("hashchange", reach);
  reach();
  addEventListener("beforeprint", () => all("details.rows").forEach((part) => { part.open = true; }));
})();
