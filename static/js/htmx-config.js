// How this site uses htmx. A morph keeps the texts that other scripts have written into the page, and keeps open what
// the visitor has opened.
Object.assign(htmx.config, {
  history: false,
  defaultTimeout: 15000,
  morphIgnore: ["data-htmx-powered", "open"],
  morphSkip: "[hx-morph-skip], [data-total], [data-countdown]",
  morphSkipChildren: "[data-limit]",
  noSwap: [204, 304, 400, 403, 404, 405, 413, 414, 415, 429, "5xx"],
});
