// A mouse wheel over a number field scrolls the page, and leaves the number as it is. Browsers would count it up and
// down while it has the focus. For this one turn of the wheel the field is read-only, so it keeps the focus.
(() => {
  document.addEventListener("wheel", ({ target }) => {
    if (!target.matches?.("input[type=number]:not([readonly])")) return;
    target.readOnly = true;
    setTimeout(() => { target.readOnly = false; });
  }, { capture: true, passive: true });
})();
