// A mouse wheel over a number field scrolls the page and does not change the number. Browsers would otherwise change
// the number of a focused field. The field is read-only for this one turn of the wheel, so it keeps the focus.
(() => {
  document.addEventListener("wheel", ({ target }) => {
    if (!target.matches?.("input[type=number]:not([readonly])")) return;
    target.readOnly = true;
    setTimeout(() => { target.readOnly = false; });
  }, { capture: true, passive: true });
})();
