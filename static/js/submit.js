// [data-submit-once]: the form is sent only once, and its button shows that the request is running. After a while the
// form says that the request still runs. If it fails without an answer, a message says so (toasts.js), and the form
// may be sent again: its request key makes that safe.
(() => {
  const SLOW_MS = 4000;
  const SLOW = "Still working – don’t close this page.";
  // For each running request: the element for the "still working" message, and the timer that shows the message.
  const waits = new WeakMap();

  // The place for the message: below the form's button, or among the toasts if the button has no form of its own. The
  // element exists before it has any text, because a screen reader announces only changes of an existing element.
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

  // `it`: a form, or a button that sends a request without a form of its own.
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
    // htmx controls repeated submits of its own forms. The browser sends a plain form and leaves the page, so a
    // second submit is stopped here.
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
  // A [data-goes-on] form is only a step between two pages, so it is sent at once. Without scripts the visitor
  // presses its button.
  document.querySelector("[data-goes-on]")?.requestSubmit();
  window.addEventListener("pageshow", () => {
    document.querySelectorAll("[data-busy]").forEach((it) => busy(it, false));
  });
})();
