// [data-submit-once]: the form goes out once, and its button shows that it is on its way. A request that
// fails without an answer says so, and may be sent again: its key makes that safe.
(() => {
  const busy = (form, on) => {
    form.toggleAttribute("data-busy", on);
    form.querySelector("button[type=submit]")?.setAttribute("aria-busy", String(on));
  };

  document.addEventListener("submit", (event) => {
    const form = event.target.closest("[data-submit-once]");
    if (!form) return;
    // htmx forms are released by htmx; plain ones leave the page.
    if (form.hasAttribute("data-busy") && !form.hasAttribute("hx-post")) event.preventDefault();
    busy(form, true);
  });
  document.addEventListener("htmx:finally:request", (event) => {
    const form = event.detail?.ctx?.sourceElement?.closest?.("[data-submit-once]");
    if (form) busy(form, false);
  });
  // A step that only stands between two pages; without scripts its button is pressed.
  document.querySelector("[data-goes-on]")?.requestSubmit();
  window.addEventListener("pageshow", () => {
    document.querySelectorAll("[data-busy]").forEach((form) => busy(form, false));
  });
})();
