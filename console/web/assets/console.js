// Around textual.js, which makes the terminal when the page is loaded, and tells its state by classes of the body.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const again = document.getElementById("again");
  again.addEventListener("click", () => window.location.reload());

  // The keyboard is the console's as soon as it is connected, not only after a click; when it has ended, Enter has it again.
  new MutationObserver(() => {
    const state = document.body.classList;
    const wanted = state.contains("-closed") ? again : document.querySelector(".xterm-helper-textarea");
    if (state.contains("-loaded") && wanted) wanted.focus();
  }).observe(document.body, { attributes: true, attributeFilter: ["class"] });
});
