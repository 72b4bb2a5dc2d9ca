// The ledger of claims as a game: choose a theme, guess, and the verdict unfolds. What is right stands
// in the page; the package wrote it there.

"use strict";

function playLedger(claims) {
  const guesses = ["true", "false", "condition"];
  const made = (name, text, parent, attributes = {}) => {
    const node = document.createElement(name);
    node.textContent = text;
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    parent.append(node);
    return node;
  };
  const panel = document.createElement("div");
  panel.className = "ledger";
  const first = claims[0].closest("section");
  first.before(panel);
  made("label", "Theme ", panel, { for: "ledger-theme" });
  const menu = made("select", "", panel, { id: "ledger-theme" });
  const themes = [...new Set(claims.map((claim) => claim.closest("section").id))];
  for (const theme of ["all", ...themes]) made("option", theme, menu, { value: theme });
  const score = made("output", "", panel, { for: "ledger-theme" });

  function count() {
    const guessed = claims.filter((claim) => claim.dataset.guess);
    const right = guessed.filter((claim) => claim.dataset.guess === claim.dataset.answer);
    score.textContent = `${right.length} of ${guessed.length} guesses right`;
  }

  menu.addEventListener("change", () => {
    for (const theme of themes) {
      document.getElementById(theme).hidden = ![theme, "all"].includes(menu.value);
    }
  });
  for (const claim of claims) {
    const details = claim.querySelector("details");
    const row = document.createElement("p");
    details.before(row);
    const id = claim.querySelector("b").textContent;
    for (const guess of guesses) {
      const button = made("button", guess, row, { type: "button", "aria-label": `${id}: ${guess}` });
      button.addEventListener("click", () => {
        if (claim.dataset.guess) return; // the first guess counts
        claim.dataset.guess = guess;
        const right = guess === claim.dataset.answer;
        button.setAttribute("aria-pressed", "true");
        made("span", right ? "✓ right" : "✗ see below", row, { role: "status" });
        details.open = true;
        count();
      });
    }
  }
  count();
}

{
  const claims = [...document.querySelectorAll(".claim")];
  if (claims.length) playLedger(claims);
}
