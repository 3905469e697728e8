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

// The words that a row is found by: its own, those of its table (data set and protocol, or the
// heading of its section), and the headings of the columns in which it has something, which tell sizes.
function wordsOf(row) {
  const table = row.closest("table");
  const heads = table.tHead.rows[0].cells;
  const texts = [table.dataset.about || ""];
  [...row.cells].forEach((cell, column) => {
    const text = cell.textContent.trim();
    if (text && text !== "–") texts.push(heads[column].textContent, text);
  });
  return new Set(texts.join(" ").toLowerCase().split(/[^\p{L}\p{N}_.]+/u).filter(Boolean));
}

// Numbers are meant whole, or 64 would find 0.964; of names a part will do.
function meets(words, wanted) {
  const bare = wanted.replace(/px$/, "");
  if (/^[\d.]+$/.test(bare)) return words.has(bare) || words.has(`${bare}px`);
  return [...words].some((word) => word.includes(wanted));
}

const holds = (element) => [...element.querySelectorAll("tbody > tr")].some((row) => !row.hidden);
const level = (element) => Number((element.tagName.match(/^H([1-6])$/) || [0, 7])[1]);

// Leave the headings, figures and words out that belong to no row that is left.
function showSections(blocks, filtering) {
  const open = [];
  blocks.forEach((block) => {
    const own = level(block);
    while (own < 7 && open.length && open.at(-1).own >= own) open.pop();
    block.hidden = filtering && !holds(block);
    if (own < 7) open.push({ own, block });
    else if (holds(block)) open.forEach((heading) => { heading.block.hidden = false; });
  });
}

function makeFilter(form) {
  const [input, output, clear] = ["input", "output", "button"].map((each) => form.querySelector(each));
  const rows = [...document.querySelectorAll("main table[data-about] > tbody > tr")];
  const words = rows.map(wordsOf);
  const blocks = [];
  for (let next = form.nextElementSibling; next; next = next.nextElementSibling) blocks.push(next);
  const others = [...document.querySelectorAll("main table:not([data-about]) > tbody > tr")];
  const folded = [...document.querySelectorAll("main details")];
  const asGiven = folded.map((box) => box.open);

  const apply = () => {
    const wanted = input.value.toLowerCase().split(/[\s,;=]+/).filter(Boolean);
    const filtering = wanted.length > 0;
    rows.forEach((row, k) => { row.hidden = !wanted.every((word) => meets(words[k], word)); });
    others.forEach((row) => { row.hidden = filtering; });
    showSections(blocks, filtering);
    folded.forEach((box, k) => {
      box.open = filtering ? holds(box) : asGiven[k];
      [...box.children].slice(1).forEach((each) => { each.hidden = filtering && !holds(each); });
    });
    document.querySelectorAll("main div.wide[role]").forEach((box) => {
      box.hidden = filtering && !holds(box);
    });
    const shown = rows.filter((row) => !row.hidden).length;
    output.textContent = filtering ? `${shown} of ${rows.length} rows` : "";
    clear.hidden = !filtering;
    const hash = filtering ? `#filter=${encodeURIComponent(input.value)}` : "";
    if (filtering || location.hash.startsWith("#filter=")) {
      history.replaceState(null, "", hash || location.pathname);
    }
  };

  input.addEventListener("input", apply);
  clear.addEventListener("click", () => { input.value = ""; apply(); input.focus(); });
  form.addEventListener("submit", (event) => event.preventDefault());
  window.addEventListener("hashchange", () => {  // a link leads to what may be left out
    if (!input.value || location.hash.startsWith("#filter=")) return;
    input.value = "";
    apply();
    document.getElementById(location.hash.slice(1))?.scrollIntoView();
  });
  offer(form.querySelector("datalist"), rows);
  form.hidden = false;
  const asked = location.hash.match(/^#filter=(.*)$/);
  if (asked) input.value = decodeURIComponent(asked[1]);
  apply();
}

// Data sets and models, to choose from.
function offer(list, rows) {
  const names = new Set();
  rows.forEach((row) => {
    const about = row.closest("table").dataset.about.split(" ");
    names.add(about.find((word) => word.includes("/")));
    const link = row.querySelector("a");
    if (link) names.add(link.textContent.trim().split(" ")[0]);
  });
  [...names].filter(Boolean).sort(compare).forEach((name) => list.append(new Option(name, name)));
}

document.querySelectorAll("table.sortable").forEach(makeSortable);
document.querySelectorAll("form.filter").forEach(makeFilter);
