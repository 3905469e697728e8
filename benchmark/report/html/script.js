"use strict";
// Sorting and filtering of the tables. Everything can be read without it.

const compare = (a, b) => a.localeCompare(b, "en", { numeric: true });

function value(row, column) {
  const cell = row.cells[column];
  return "sort" in cell.dataset ? Number(cell.dataset.sort) : cell.textContent.trim();
}

// What has no number stands last, whichever way the rest is sorted.
function inOrder(rows, column, numbers, way) {
  const missing = (row) => numbers && typeof value(row, column) !== "number";
  const known = rows.filter((row) => !missing(row));
  known.sort((a, b) => {
    const [x, y] = [value(a, column), value(b, column)];
    return way * (numbers ? x - y : compare(x, y));
  });
  return [...known, ...rows.filter(missing)];
}

function makeSortable(table) {
  const body = table.tBodies[0];
  const original = [...body.rows];
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.title = "Sort: ascending, descending, as given";
    button.append(...head.childNodes);
    head.append(button);
    const numbers = head.classList.contains("n");
    button.addEventListener("click", () => {
      const next = { ascending: "descending", descending: "none" }[head.ariaSort] || "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      let rows = original;
      if (next !== "none") {
        head.setAttribute("aria-sort", next);
        rows = inOrder(original, column, numbers, next === "ascending" ? 1 : -1);
      }
      body.append(...rows);
    });
  });
}

function makeFilter(form) {
  const input = form.querySelector("input");
  const output = form.querySelector("output");
  const rows = [...document.querySelectorAll("table.sortable > tbody > tr")];
  const texts = rows.map((row) => row.textContent.toLowerCase());
  const apply = () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach((row, k) => {
      row.hidden = !words.every((word) => texts[k].includes(word));
      shown += !row.hidden;
    });
    output.textContent = words.length ? `${shown} of ${rows.length} rows` : "";
  };
  input.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  apply();
}

// On a phone the results come first; the legend is one tap away.
if (window.matchMedia("(max-width: 40rem)").matches) {
  document.querySelectorAll("details.legend").forEach((box) => { box.open = false; });
}
document.querySelectorAll("table.sortable").forEach(makeSortable);
document.querySelectorAll("form.filter").forEach(makeFilter);
