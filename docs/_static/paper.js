// On paper: the page in light colors; formulas and tables that are wider than a page get smaller, as a
// whole.

"use strict";

const PAGE = 660; // pixels of text between the margins of A4 and of Letter

function fit() {
  for (const part of document.querySelectorAll("div.math, .bd-article table")) {
    const { maxWidth, width } = part.style;
    part.style.setProperty("--fit", 1);
    Object.assign(part.style, { maxWidth: "none", width: `${PAGE}px` });
    const wide = Math.max(part.scrollWidth, part.offsetWidth);
    Object.assign(part.style, { maxWidth, width });
    part.style.setProperty("--fit", Math.min(1, PAGE / wide));
  }
}

let theme = null;
addEventListener("beforeprint", () => {
  fit();
  theme = document.documentElement.dataset.theme;
  document.documentElement.dataset.theme = "light";
});
addEventListener("afterprint", () => { document.documentElement.dataset.theme = theme; });
