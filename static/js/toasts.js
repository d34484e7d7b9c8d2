// css/toasts.css limits how long a success toast stays; the time starts again after the toast was hovered or focused.
// Failure toasts stay. This script removes toasts whose time is over, lets visitors dismiss them, and adds a toast
// when a request failed without an answer that can be shown in place. That toast goes into the form's [data-failure]
// if there is one. The form keeps its request key, so trying again is safe. [data-answers] forms show their own
// failures.
(() => {
  document.addEventListener("animationend", (event) => {
    if (event.animationName === "toast-life") event.target.closest("[data-toast]")?.remove();
  });
  document.addEventListener("click", (event) => {
    event.target.closest("[data-toast-dismiss]")?.closest("[data-toast]").remove();
  });

  // By status (0: no answer): first the message for a request that books, then the one for any other request.
  const WORDS = {
    403: ["Request blocked. Reload the page and try again."],
    404: ["No longer on sale. Reload the page."],
    413: ["That’s too long. Shorten what you typed and try again."],
    503: [
      "We’re very busy and couldn’t confirm this yet. Try again: you won’t be booked twice.",
      "We’re very busy. Try again in a moment.",
    ],
    500: ["Something went wrong. Try again: you won’t be booked twice.", "Something went wrong. Try again."],
    0: [
      "We couldn’t reach the server. Check your connection and try again: you won’t be booked twice.",
      "We couldn’t reach the server. Check your connection and try again.",
    ],
  };

  function wordsFor(status, isBooking) {
    const [booking, asking = booking] = WORDS[status] ?? (status >= 500 ? WORDS[500] : []);
    return isBooking ? booking : asking;
  }

  const isBooking = (source) => source.getAttribute("hx-post") === "/bookings";

  // A rate-limited visitor waits as long as Retry-After says. The message counts down, and says when the wait is
  // over.
  function tooOften(response, source) {
    let left = Math.min(Math.max(Number(response.headers.get("Retry-After")) || 1, 1), 3600);
    const kept = isBooking(source) ? " Your details are still here." : "";
    const words = failure("Too many attempts from your network. Wait ", source).querySelector("p");
    const wait = document.createElement("span");
    // A screen reader reads the seconds once with the whole message, not again every second.
    wait.setAttribute("aria-live", "off");
    words.append(wait, ` and try again.${kept}`);
    const count = () => {
      if (left <= 0) {
        clearInterval(timer);
        if (words.isConnected) failure("You can try again now.", source);
        return;
      }
      wait.textContent = left === 1 ? "1 second" : `${left} seconds`;
      left -= 1;
    };
    const timer = setInterval(count, 1000);
    count();
  }

  function failure(text, source) {
    const place = source.closest("form")?.querySelector("[data-failure]")
      ?? document.querySelector("dialog[open] .toasts") ?? document.querySelector("#toasts");
    const toast = document.querySelector("[data-toast-template]").content.firstElementChild.cloneNode(true);
    toast.querySelector("p").textContent = text;
    place.replaceChildren(toast);
    return toast;
  }

  function tell(event, response) {
    const source = event.detail?.ctx?.sourceElement;
    if (!source || source.matches?.("[data-polls], [data-answers]")) return;
    const words = wordsFor(response.status, isBooking(source));
    if (response.status === 429) tooOften(response, source);
    else if (words) failure(words, source);
  }

  document.addEventListener("htmx:error", (event) => tell(event, { status: 0 }));
  document.addEventListener("htmx:response:error", (event) => tell(event, event.detail.ctx.response));
})();
