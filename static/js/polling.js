// A [data-polls] element is fetched again and again, with the event that its hx-trigger names. The interval is
// data-poll-seconds, which the server writes into each answer, varied at random by up to a tenth, so that browsers
// that were opened or cut off at the same time do not keep polling at the same time. A hidden page does not poll;
// when it is shown again, it polls at once.
(() => {
  const JITTER = 0.1;
  // The interval if the server has named none.
  const SECONDS_UNNAMED = 15;
  const timers = new Map();

  const everyPlace = (act) => document.querySelectorAll("[data-polls]").forEach(act);

  function waitMs(named) {
    const seconds = Number(named) || SECONDS_UNNAMED;
    return 1000 * Math.max(seconds, 1) * (1 + JITTER * (2 * Math.random() - 1));
  }

  function schedule({ id, dataset }) {
    clearTimeout(timers.get(id));
    // Look the element up by its id, because an answer may have replaced it.
    const wake = () => everyPlace((it) => it.id === id && poll(it));
    if (!document.hidden) timers.set(id, setTimeout(wake, waitMs(dataset.pollSeconds)));
  }

  function poll(place) {
    // Schedule the next poll now, so that polling goes on even if this request never ends.
    schedule(place);
    htmx.trigger(place, "poll");
  }

  // The interval starts again with each answer, and has the length that the answer names.
  document.addEventListener("htmx:finally:request", (event) => {
    if (event.detail?.ctx?.sourceElement?.matches?.("[data-polls]")) everyPlace(schedule);
  });

  // A request that is not a regular poll revalidates the answer in the browser's cache, so the visitor's own booking
  // shows at once.
  document.addEventListener("htmx:config:request", (event) => {
    const { sourceElement, sourceEvent, request } = event.detail.ctx;
    if (sourceElement.matches?.("[data-polls]") && sourceEvent?.type !== "poll") request.cache = "no-cache";
  });

  document.addEventListener("visibilitychange", () => everyPlace(document.hidden ? schedule : poll));
  // A page from the browser's back/forward cache shows old numbers, so it polls at once.
  window.addEventListener("pageshow", (event) => everyPlace(event.persisted ? poll : schedule));
})();
