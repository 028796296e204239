"use strict";
// A heading sorts its table by that column: up, down, as it came. All blocks of one table keep the same order.
(() => {
  const number = (text) => parseFloat(text.replace("−", "-").replace(/^< /, ""));
  const compare = (a, b) => {
    const [x, y] = [number(a), number(b)];
    // what is missing comes last, whichever way is up
    if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) - Number.isNaN(y) || a.localeCompare(b);
    return x - y;
  };
  const next = { none: "ascending", ascending: "descending", descending: "none" };
  for (const figure of document.querySelectorAll("figure")) {
    const tables = [...figure.querySelectorAll("table.sortable")];
    const came = tables.map((table) => [...table.tBodies[0].rows]);
    for (const [turn, table] of tables.entries()) {
      const headings = [...table.tHead.rows[table.tHead.rows.length - 1].cells];
      headings.forEach((heading, column) => {
        heading.setAttribute("aria-sort", "none");
        heading.querySelector("button").addEventListener("click", () => {
          const way = next[heading.getAttribute("aria-sort")];
          const text = (row) => came[turn][row].cells[column].textContent.trim();
          const missing = (row) => ["–", ""].includes(text(row));
          const order = came[turn].map((_, row) => row);
          if (way !== "none") {
            const sign = way === "ascending" ? 1 : -1;
            order.sort((a, b) => missing(a) - missing(b) || sign * compare(text(a), text(b)) || a - b);
          }
          tables.forEach((other, place) => {
            other.tBodies[0].append(...order.map((row) => came[place][row]));
            for (const cell of other.tHead.querySelectorAll("[aria-sort]")) cell.setAttribute("aria-sort", "none");
          });
          heading.setAttribute("aria-sort", way);
        });
      });
    }
  }
})();
