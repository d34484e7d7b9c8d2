// The service worker of the pages that show tickets, and of no other pages. A page that was opened once opens again
// without a network. With a network the page comes from the server; without one the saved copy is shown, and it says
// that it is a copy. The copies are in this browser's own storage: at most PAGES_MAX pages, with the files that they
// name. A page that no longer shows a valid ticket is removed. ticket.js registers the worker, and forget.js empties
// its storage.
const CACHE = "tickets";
const PAGES_MAX = 20;
// If the network takes longer, the saved copy of the ticket is shown.
const SAVED_COPY_AFTER_MS = 4000;
const PAGE = /^\/(bookings|tickets)\/[\w-]{24,40}$/;
const FILES = /\/static\/[\w./-]+/g;
// MARK is an attribute of the element that shows tickets; GONE is one that says that a booking has no tickets any
// more. The value of both is the booking's reference.
const MARK = "data-offline=\"";
const GONE = "data-gone=\"";

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("message", (event) => {
  const path = event.data?.keep ?? "";
  if (PAGE.test(path)) event.waitUntil(fetch(path).then((response) => note(path, response)).catch(() => {}));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin) return;
  if (request.mode === "navigate" && PAGE.test(pathname)) event.respondWith(page(event, pathname));
  else if (pathname.startsWith("/static/")) event.respondWith(file(request, pathname));
});

const isAnswer = (response) => response && response.status < 500 && response.status !== 429;

async function page(event, path) {
  const fresh = fetch(event.request);
  event.waitUntil(fresh.then((response) => note(path, response.clone())).catch(() => {}));
  const saved = await copyOf(path);
  if (!saved) return fresh;
  const late = new Promise((resolve) => { setTimeout(resolve, SAVED_COPY_AFTER_MS); });
  const response = await Promise.race([fresh.catch(() => null), late]);
  if (isAnswer(response)) return response;
  // The saved page already contains a hidden message with the time at which the server wrote it. Show that message.
  const html = (await saved.text()).replace(" data-saved hidden", " data-saved");
  return new Response(html, { headers: saved.headers });
}

// The name of each file contains the hash of its content, so a copy is never out of date.
const file = async (request, path) => (await copyOf(path)) ?? fetch(request);

async function copyOf(path) {
  const cache = await caches.open(CACHE);
  return cache.match(path, { ignoreVary: true });
}

// Saves the page that the server has just sent. Removes the saved page if the server's page shows no valid ticket.
async function note(path, response) {
  if (response.type === "opaqueredirect" || !isAnswer(response)) return;
  const html = await response.text();
  const cache = await caches.open(CACHE);
  if (response.ok && html.includes(MARK)) {
    const headers = new Headers(response.headers);
    // The saved text is not compressed, so these headers no longer apply.
    for (const name of ["content-encoding", "content-length"]) headers.delete(name);
    await cache.put(path, new Response(html, { headers }));
    await Promise.all((html.match(FILES) ?? []).map((name) => fetchFile(cache, name)));
  } else {
    await cache.delete(path, { ignoreVary: true });
  }
  const gone = html.split(GONE)[1]?.split("\"")[0];
  await tidy(cache, gone && `${MARK}${gone}"`);
}

async function fetchFile(cache, name) {
  if (await copyOf(name)) return;
  const response = await fetch(name);
  if (!response.ok) return;
  await cache.put(name, response.clone());
  if (!name.endsWith(".css")) return;
  const named = (await response.text()).match(FILES) ?? [];
  await Promise.all(named.map((inner) => fetchFile(cache, inner)));
}

// Removes the pages of a booking that is gone, the oldest pages beyond PAGES_MAX, and the files that no page names.
async function tidy(cache, gone) {
  const keys = await cache.keys();
  const paths = keys.map((key) => new URL(key.url).pathname);
  const pages = paths.filter((path) => PAGE.test(path));
  const named = new Set();
  const read = async (path) => (await copyOf(path))?.text() ?? "";
  for (const [index, path] of pages.entries()) {
    const html = await read(path);
    if (index < pages.length - PAGES_MAX || (gone && html.includes(gone))) await cache.delete(path, { ignoreVary: true });
    else for (const name of html.match(FILES) ?? []) named.add(name);
  }
  for (const name of [...named].filter((it) => it.endsWith(".css"))) {
    for (const inner of (await read(name)).match(FILES) ?? []) named.add(inner);
  }
  const unused = paths.filter((path) => !PAGE.test(path) && !named.has(path));
  await Promise.all(unused.map((path) => cache.delete(path, { ignoreVary: true })));
}
