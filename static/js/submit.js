// [data-submit-once]: the form goes out once, and its button shows that it is on its way. After a while the form says
// that this goes on. A request that fails without an answer says so, and may be sent again: its key makes that safe.
(() => {
  const SLOW_MS = 4000;
  const SLOW = "Still working – don’t close this page.";
  // What is on its way: where it says that this takes long, and the timer that lets it.
  const waits = new WeakMap();

  // Below the button, or of a button without a form of its own, among the toasts. It is there before it says anything,
  // so that screen readers listen to it.
  function placeOf(it) {
    const around = it.matches("form") ? it : document.querySelector("#toasts");
    const found = around.querySelector("[data-slow]");
    if (found) return found;
    const place = document.createElement("p");
    place.dataset.slow = "";
    place.className = "slow";
    place.setAttribute("role", "status");
    const button = it.matches("form") && it.querySelector("button[type=submit]");
    if (button) button.after(place);
    else around.append(place);
    return place;
  }

  // `it`: a form, or a button that sends something without one of its own.
  function busy(it, on) {
    const button = it.matches("form") ? it.querySelector("button[type=submit]") : it;
    it.toggleAttribute("data-busy", on);
    button?.setAttribute("aria-busy", String(on));
    const { place: placeBefore, timer } = waits.get(it) ?? {};
    clearTimeout(timer);
    if (placeBefore?.textContent === SLOW) placeBefore.textContent = "";
    waits.delete(it);
    if (!on) return;
    it.querySelector("[data-failure]")?.replaceChildren();
    const place = placeOf(it);
    waits.set(it, { place, timer: setTimeout(() => { place.textContent = SLOW; }, SLOW_MS) });
  }

  const busyOf = (event) => {
    const source = event.detail?.ctx?.sourceElement;
    return source?.matches?.("button[hx-post]") ? source : source?.closest?.("[data-submit-once]");
  };

  document.addEventListener("submit", (event) => {
    const form = event.target.closest("[data-submit-once]");
    if (!form) return;
    // htmx forms are released by htmx; plain ones leave the page.
    if (form.hasAttribute("data-busy") && !form.hasAttribute("hx-post")) event.preventDefault();
    busy(form, true);
  });
  document.addEventListener("htmx:before:request", (event) => {
    const it = busyOf(event);
    if (it?.matches("button")) busy(it, true);
  });
  document.addEventListener("htmx:finally:request", (event) => {
    const it = busyOf(event);
    if (it) busy(it, false);
  });
  // A step that only stands between two pages; without scripts its button is pressed.
  document.querySelector("[data-goes-on]")?.requestSubmit();
  window.addEventListener("pageshow", () => {
    document.querySelectorAll("[data-busy]").forEach((it) => busy(it, false));
  });
})();
