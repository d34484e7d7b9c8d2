// The waiting room. [data-line], which everybody polls, says how far the line is; [data-queue] around it knows this
// visitor's own place. This shows the difference, and asks for the page again when the place is served, when the lobby
// opens or is drawn, when all is sold out or tickets come back, and when there is no room any more.
(() => {
  // Not all who are served in the same second ask in the same moment.
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

  // As the server says it: see `wait` in src/queue/words.rs.
  function waitWords(ahead, perMinute) {
    if (perMinute <= 0) return "unknown right now";
    const minutes = Math.ceil(ahead / perMinute);
    if (minutes <= 1) return "about a minute";
    return minutes <= 90 ? `about ${minutes} minutes` : `about ${Math.floor((minutes + 30) / 60)} hours`;
  }

  function write(place, text) {
    if (place && place.textContent !== text) place.textContent = text;
  }

  // What the page has to show next, if it is another page. A phase that is earlier than the page's may come from a cache
  // or a server that is a second behind, so it counts only if the next poll says it too: then the room has begun again.
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
  // The page may come from the browser's memory.
  window.addEventListener("pageshow", (event) => { if (event.persisted) reload(); });
})();
