"use strict";
// Sorts a table by the column whose heading is pressed, the best first, and the other way when pressed again.
for (const table of document.querySelectorAll("table.board")) {
  const headings = [...table.tHead.rows[0].cells];
  const body = table.tBodies[0];
  const valueOf = (row, column) => {
    const text = row.cells[column].dataset.value;
    return text === undefined ? null : Number.isNaN(Number(text)) ? text : Number(text);
  };
  headings.forEach((heading, column) => {
    const button = heading.querySelector("button");
    button.addEventListener("click", () => {
      const best = button.dataset.ascending === "true" ? "ascending" : "descending";
      const other = best === "ascending" ? "descending" : "ascending";
      const order = heading.getAttribute("aria-sort") === best ? other : best;
      headings.forEach((item) => item.removeAttribute("aria-sort"));
      heading.setAttribute("aria-sort", order);
      const sign = order === "ascending" ? 1 : -1;
      const rows = [...body.rows].sort((first, second) => {
        const [one, two] = [valueOf(first, column), valueOf(second, column)];
        if (one === null || two === null) return (one === null) - (two === null); // what is not there comes last
        return one < two ? -sign : one > two ? sign : 0;
      });
      body.append(...rows);
      document.getElementById("said").textContent = `sorted by ${button.textContent.trim()}, ${order}`;
    });
  });
}
