// Everything is readable without this script; it only hides what is not asked for.
(() => {
  const filter = document.querySelector(".filter");
  const cases = [...document.querySelectorAll(".case")];
  const buttons = [...filter.querySelectorAll("button[data-verdict]")];
  const words = filter.querySelector("input");
  filter.hidden = false;
  const apply = () => {
    const wanted = new Set(buttons.filter((it) => it.ariaPressed === "true").map((it) => it.dataset.verdict));
    const text = words.value.trim().toLowerCase();
    for (const it of cases) {
      it.hidden = !wanted.has(it.dataset.verdict) || !it.querySelector("summary").textContent.toLowerCase().includes(text);
    }
    for (const topic of document.querySelectorAll(".topic")) {
      topic.hidden = !topic.querySelector(".case:not([hidden])");
    }
  };
  for (const button of buttons) {
    button.addEventListener("click", () => {
      button.ariaPressed = button.ariaPressed === "true" ? "false" : "true";
      apply();
    });
  }
  words.addEventListener("input", apply);
  for (const line of document.querySelectorAll(".rerun")) {
    const button = document.createElement("button");
    button.textContent = "copy";
    button.addEventListener("click", () => navigator.clipboard.writeText(line.querySelector("code").textContent)
      .then(() => { button.textContent = "copied"; }));
    line.append(button);
  }
  const open = () => {
    const it = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (it instanceof HTMLDetailsElement) it.open = true;
  };
  addEventListener("hashchange", open);
  open();
})();
