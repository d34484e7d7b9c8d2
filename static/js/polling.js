// [data-polls] asks for itself again and again, by the event that its hx-trigger names: every
// data-poll-seconds, which the server writes into each answer, give or take a tenth, so that browsers that
// were opened or cut off together drift apart. What nobody sees asks nothing, and asks at once when it is
// shown again.
(() => {
  const JITTER = 0.1;
  // Where the server has named no pace.
  const SECONDS_UNNAMED = 15;
  const timers = new Map();

  const everyPlace = (act) => document.querySelectorAll("[data-polls]").forEach(act);

  function waitMs(named) {
    const seconds = Number(named) || SECONDS_UNNAMED;
    return 1000 * Math.max(seconds, 1) * (1 + JITTER * (2 * Math.random() - 1));
  }

  function schedule({ id, dataset }) {
    clearTimeout(timers.get(id));
    // By its id: an answer may have put another element in its place.
    const wake = () => everyPlace((it) => it.id === id && poll(it));
    if (!document.hidden) timers.set(id, setTimeout(wake, waitMs(dataset.pollSeconds)));
  }

  function poll(place) {
    // Already now: a poll that comes to no end is not the last one.
    schedule(place);
    htmx.trigger(place, "poll");
  }

  // From the answer on, at the pace that it asks for.
  document.addEventListener("htmx:finally:request", (event) => {
    if (event.detail?.ctx?.sourceElement?.matches?.("[data-polls]")) everyPlace(schedule);
  });

  // A booking of one's own shows at once, whatever the browser still holds for fresh.
  document.addEventListener("htmx:config:request", (event) => {
    const { sourceElement, sourceEvent, request } = event.detail.ctx;
    if (sourceElement.matches?.("[data-polls]") && sourceEvent?.type !== "poll") request.cache = "no-cache";
  });

  document.addEventListener("visibilitychange", () => everyPlace(document.hidden ? schedule : poll));
  // A page that comes back from the browser's memory shows numbers from when it was left.
  window.addEventListener("pageshow", (event) => everyPlace(event.persisted ? poll : schedule));
})();
