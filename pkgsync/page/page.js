"use strict";
// All this is extra: without it the page shows the same rows, in the order of the report.
const sections = [...document.querySelectorAll(".table")].map(element => ({
  element,
  folded: element.matches("details"),
  body: element.querySelector("tbody"),
  count: element.querySelector(".count"),
  rows: [...element.querySelectorAll("tbody tr")],
}));

// 1.9 before 1.10
const padded = text => text.toLowerCase().replace(/\d+/g, digits => digits.padStart(15, "0"));

function sort(section, head) {
  const turn = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
  const keyed = section.rows.map(row => {
    const cell = row.cells[head.cellIndex];
    return [padded(cell.dataset.key ?? cell.textContent), row];
  });
  // what is not known stands last, either way
  keyed.sort(([a], [b]) => (a === "") - (b === "") || (a < b ? -turn : a > b ? turn : 0));
  for (const other of section.element.querySelectorAll("th")) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", turn > 0 ? "ascending" : "descending");
  section.body.replaceChildren(...keyed.map(([, row]) => row));
}

for (const section of sections) {
  for (const head of section.element.querySelectorAll("th")) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sort(section, head));
    head.append(button);
  }
}

const texts = new WeakMap();

function text(row) {
  if (!texts.has(row)) texts.set(row, [...row.cells].map(cell => cell.textContent).join("\n").toLowerCase());
  return texts.get(row);
}

function filter(wanted, said) {
  const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
  let found = 0;
  for (const { element, folded, count, rows } of sections) {
    let here = 0;
    for (const row of rows) {
      row.hidden = !words.every(word => text(row).includes(word));
      here += !row.hidden;
    }
    element.hidden = !here;
    if (folded) element.open = words.length > 0;
    count.textContent = words.length ? `${here} of ${rows.length} shown` : "";
    found += here;
  }
  said.textContent = words.length ? `${found} ${found === 1 ? "row" : "rows"}` : "";
}

for (const bar of document.querySelectorAll(".filter")) {
  const box = bar.querySelector("input");
  const said = bar.querySelector("output");
  bar.hidden = false;
  box.addEventListener("input", () => filter(box.value, said));
  // a reload may keep what was typed
  if (box.value) filter(box.value, said);
}

addEventListener("beforeprint", () => {
  for (const folded of document.querySelectorAll("details")) folded.open = true;
});
