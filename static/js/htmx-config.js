// How this site uses htmx. What other scripts write into a page, and what a visitor has opened, outlives a morph.
Object.assign(htmx.config, {
  history: false,
  defaultTimeout: 15000,
  morphIgnore: ["data-htmx-powered", "open"],
  morphSkip: "[hx-morph-skip], [data-total], [data-countdown]",
  morphSkipChildren: "[data-limit]",
  noSwap: [204, 304, 400, 403, 404, 405, 413, 414, 415, 429, "5xx"],
});
