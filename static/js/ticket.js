// A page of tickets. [data-offline] is kept by the service worker (offline.js), in this browser alone, so that it opens
// without a network. While a code is on the screen, the screen stays on.
(() => {
  const WORKER = "/offline.js";

  async function keep() {
    // Without one this page did not come through the worker, which therefore has no copy of it yet.
    const isKept = Boolean(navigator.serviceWorker.controller);
    // The folder that the page is in: the worker sees no other page.
    const scope = location.pathname.replace(/[^/]+$/, "");
    await navigator.serviceWorker.register(WORKER, { scope });
    const { active } = await navigator.serviceWorker.ready;
    if (!isKept) active.postMessage({ keep: location.pathname });
  }

  if (document.querySelector("[data-offline]") && "serviceWorker" in navigator) keep().catch(() => {});

  const codes = document.querySelectorAll(".ticket__qr");
  const inSight = new Set();
  let lock = null;
  let isAsking = false;

  async function light() {
    const isWanted = inSight.size > 0 && !document.hidden;
    if (!isWanted) {
      lock?.release();
      lock = null;
    } else if (!lock && !isAsking) {
      isAsking = true;
      lock = await navigator.wakeLock.request("screen").catch(() => null);
      lock?.addEventListener("release", () => { lock = null; });
      isAsking = false;
    }
  }

  if (codes.length > 0 && "wakeLock" in navigator) {
    const watcher = new IntersectionObserver((seen) => {
      for (const { target, isIntersecting } of seen) inSight[isIntersecting ? "add" : "delete"](target);
      light();
    }, { threshold: 0.5 });
    codes.forEach((code) => watcher.observe(code));
    // The browser takes the lock back from a page that nobody sees.
    document.addEventListener("visibilitychange", light);
  }
})();
