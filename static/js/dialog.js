// .dialog opens when htmx swaps something into its #checkout-content. It closes with its buttons, with Escape, or
// with a press that begins and ends outside it; selecting text past its edge does not close it. After closing, the
// focus goes back to the element that opened it. While the dialog shows a booking, the address bar shows the
// booking's address.
(() => {
  let addressBehind = null;
  // The element that opened the dialog, and the id of the ticket type's card that contains it.
  let opener = null;
  let openerId = null;
  let isPressBeside = false;
  // The name and the email address that the buyer typed. They are filled in again if the dialog is opened again on
  // this page.
  let typed = [];

  const TYPED = "[name=name], [name=email]";

  function focusIn(dialog, isNew) {
    const invalid = dialog.querySelector("[aria-invalid=true]");
    const wanted = invalid ?? dialog.querySelector("[data-focus], [autofocus]") ?? dialog.querySelector("h1, h2");
    // A newly opened dialog is shown from its top, wherever the focused field is. Without this the browser would
    // restore the previous scroll position.
    wanted?.focus({ preventScroll: isNew });
    if (isNew) dialog.scrollTop = 0;
    if (invalid) invalid.select?.();
  }

  function fillIn(content) {
    for (const { name, value } of typed) {
      const field = content.querySelector(`input[name=${name}]:not([type=hidden])`);
      if (field?.value === "") field.value = value;
    }
  }

  document.addEventListener("htmx:after:swap", (event) => {
    const dialog = document.querySelector(".dialog");
    const content = dialog?.querySelector("#checkout-content");
    const { target, sourceElement: source } = event.detail?.ctx ?? {};
    const into = typeof target === "string" ? document.querySelector(target) : target;
    const booked = into?.querySelector?.("[data-booked]");
    // Without a dialog, go to the booking's own page, so that a reload never books again.
    if (booked && !dialog) return location.replace(booked.dataset.booked);
    if (!content || into !== content || !content.firstElementChild) return;
    const isOpening = !dialog.open;
    if (isOpening) {
      // The dialog was closed and opened again before the "close" event, which the browser sends with its next frame.
      if (addressBehind) history.replaceState(history.state, "", addressBehind);
      addressBehind = location.href;
      opener = source?.matches?.("form") ? source.querySelector("button:not([type])") : source;
      openerId = source?.closest?.("article")?.id;
      dialog.showModal();
      fillIn(content);
    }
    if (booked) {
      history.replaceState(history.state, "", booked.dataset.booked);
      typed = [];
    }
    focusIn(dialog, isOpening || Boolean(booked));
  });

  // Not closedby="any": with it, Firefox and Chrome before 154 pass a tap beside the dialog on to what is behind it,
  // which may be "Book now" (mdn/browser-compat-data#30474).
  const isBeside = (dialog, { clientX, clientY }) => {
    const { left, right, top, bottom } = dialog.getBoundingClientRect();
    return clientX < left || clientX > right || clientY < top || clientY > bottom;
  };

  document.addEventListener("pointerdown", (event) => {
    isPressBeside = event.target.matches?.(".dialog") && isBeside(event.target, event);
  });

  document.addEventListener("click", (event) => {
    const dialog = event.target.closest(".dialog");
    if (!dialog?.open) return;
    const isLeft = event.target === dialog && isPressBeside && isBeside(dialog, event);
    if (isLeft || event.target.closest("[data-dialog-close]")) {
      event.preventDefault();
      dialog.close();
    }
  });

  // The browser returns the focus only to an element that had it and can still have it. A button that was disabled
  // during its request had already lost the focus, and the button of a sold-out ticket type no longer exists.
  function focusBehind(dialog) {
    const focused = document.activeElement;
    if (focused && focused !== document.body && !dialog.contains(focused)) return;
    const card = openerId && document.getElementById(openerId);
    const heading = card?.querySelector("h2, h3");
    if (heading) heading.tabIndex = -1;
    const places = [opener, ...(card?.querySelectorAll("button:not([type])") ?? []), heading];
    const place = places.find((it) => it?.isConnected && !it.disabled && it.checkVisibility());
    place?.focus();
  }

  document.addEventListener("close", (event) => {
    const dialog = event.target;
    if (!dialog.matches?.(".dialog") || dialog.open) return;
    const fields = [...dialog.querySelectorAll(TYPED)].filter((it) => it.type !== "hidden");
    if (fields.length > 0) typed = fields.map(({ name, value }) => ({ name, value }));
    dialog.querySelector("#checkout-content").replaceChildren();
    dialog.querySelector(".toasts").replaceChildren();
    if (addressBehind) history.replaceState(history.state, "", addressBehind);
    addressBehind = null;
    focusBehind(dialog);
  }, true);

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-print]")) window.print();
  });

  // For printing, the dialog's tickets are copied to an element outside it, so they can fill as many pages as they
  // need.
  const paper = document.querySelector("#paper");
  window.addEventListener("beforeprint", () => {
    const tickets = document.querySelector("dialog[open] .tickets");
    if (paper && tickets) paper.replaceChildren(tickets.cloneNode(true));
  });
  window.addEventListener("afterprint", () => paper?.replaceChildren());
})();
