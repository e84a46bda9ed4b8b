// Sorts tables by a click on a column's head. The page is complete without it.
document.querySelectorAll("table.sortable").forEach(function (table) {
  var heads = table.tHead.rows[0].cells, body = table.tBodies[0];
  if (body.rows.length < 2) return;
  Array.prototype.forEach.call(heads, function (head, column) {
    var button = document.createElement("button");
    button.type = "button";
    while (head.firstChild) button.appendChild(head.firstChild);
    head.appendChild(button);
    button.addEventListener("click", function () {
      var down = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
      Array.prototype.forEach.call(heads, function (other) { other.removeAttribute("aria-sort"); });
      head.setAttribute("aria-sort", down === 1 ? "ascending" : "descending");
      var key = function (row) {
        var cell = row.cells[column], value = cell.getAttribute("data-v");
        return value === null ? cell.textContent.trim() : Number(value);
      };
      Array.prototype.slice.call(body.rows).sort(function (a, b) {
        var x = key(a), y = key(b);
        if (typeof x === "number" && typeof y === "number") return down * (x - y);
        if (typeof x !== typeof y) return typeof x === "number" ? -1 : 1;
        return down * x.localeCompare(y, undefined, { numeric: true });
      }).forEach(function (row) { body.appendChild(row); });
    });
  });
});
