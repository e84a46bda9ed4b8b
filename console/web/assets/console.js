// Around textual.js, which makes the terminal and connects when the page is loaded.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  document.getElementById("again").addEventListener("click", () => window.location.reload());

  // When the console has ended, Enter is enough to have it again.
  new MutationObserver(() => {
    if (document.body.classList.contains("-closed")) document.getElementById("again").focus();
  }).observe(document.body, { attributes: true, attributeFilter: ["class"] });
});

// The keyboard is the console's from the beginning, not only after a click.
window.addEventListener("load", () => {
  const keys = document.querySelector(".xterm-helper-textarea");
  if (keys) keys.focus();
});
