// The waiting room. [data-line], which every visitor polls, says how far the line is; [data-queue] around it has this
// visitor's own place. This script shows how many people are ahead. It reloads the page when the visitor's place is
// served, when the lobby opens or is drawn, when everything is sold out or tickets come back, and when the waiting
// room no longer exists.
(() => {
  // Many visitors are served in the same second; a random delay spreads their requests.
  const SPREAD_MS = 900;
  const PHASES = ["closed", "lobby", "line"];
  let isLeaving = false;
  let wasBehind = false;

  function reload() {
    if (isLeaving) return;
    isLeaving = true;
    setTimeout(() => location.reload(), Math.random() * SPREAD_MS);
  }

  const grouped = (n) => n.toLocaleString("en-US");

  // Uses the same words as the server: see `wait` in src/queue/words.rs.
  function waitWords(ahead, perMinute) {
    if (perMinute <= 0) return "unknown right now";
    const minutes = Math.ceil(ahead / perMinute);
    if (minutes <= 1) return "about a minute";
    return minutes <= 90 ? `about ${minutes} minutes` : `about ${Math.floor((minutes + 30) / 60)} hours`;
  }

  function write(place, text) {
    if (place && place.textContent !== text) place.textContent = text;
  }

  // Whether the page has to show something else now. A phase that is earlier than the page's phase may come from a
  // cache or from a server that is a second behind, so it counts only if the next poll has it too: then the waiting
  // room has started over.
  function hasChanged(room, line) {
    const ahead = PHASES.indexOf(line.dataset.line) - PHASES.indexOf(room.dataset.queue);
    const isBehind = ahead < 0;
    const isBehindAgain = isBehind && wasBehind;
    wasBehind = isBehind;
    return ahead > 0 || isBehindAgain || ("soldOut" in line.dataset) !== ("queueSoldOut" in room.dataset);
  }

  function show(event) {
    const room = document.querySelector("[data-queue]");
    const line = document.querySelector("[data-line]");
    if (!room || !line || "queueOver" in room.dataset) return;
    const { sourceElement, response } = event.detail?.ctx ?? {};
    if (sourceElement?.id !== line.id) return;
    if (response?.status === 404) {
      reload();
      return;
    }
    const { served, servedPeople, perMinute } = line.dataset;
    const { position, before } = room.dataset;
    const isServed = position !== undefined && Number(served) > Number(position);
    if (isServed || hasChanged(room, line)) {
      reload();
      return;
    }
    if (position === undefined) return;
    const ahead = Math.max(Number(before) - Number(servedPeople), 0);
    write(room.querySelector("[data-ahead]"), grouped(ahead));
    write(room.querySelector("[data-wait]"), waitWords(ahead, Number(perMinute)));
    const progress = room.querySelector("[data-progress]");
    if (progress) progress.value = Number(before) - ahead + 1;
  }

  document.addEventListener("htmx:finally:request", show);
  // The browser may show this page from its back/forward cache, so it may be out of date.
  window.addEventListener("pageshow", (event) => { if (event.persisted) reload(); });
})();
