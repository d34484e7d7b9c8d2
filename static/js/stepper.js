// .stepper: buttons that count an input up and down, and a total that changes with it.
(() => {
  // Writes an amount as the server does. The browser's own format uses other currency signs and, for some currencies,
  // other decimals than ISO 4217.
  function format(minor, { currencySign, currencyDecimals }) {
    const digits = Number(currencyDecimals);
    const number = minor / 10 ** digits;
    const style = { minimumFractionDigits: digits, maximumFractionDigits: digits };
    return currencySign + number.toLocaleString("en-US", style);
  }

  function isValid(stepper) {
    const input = stepper.querySelector("input");
    const quantity = Number(input.value);
    return Number.isInteger(quantity) && quantity >= Number(input.min);
  }

  // Says which limit stops the counting. The text stays while the number is at the limit or over it.
  function sayLimit(stepper, isReached) {
    const place = stepper.parentElement.nextElementSibling;
    if (!place?.matches("[data-limit]")) return;
    const words = isReached ? place.dataset.limit : "";
    if (place.textContent !== words) place.textContent = words;
  }

  function sync(stepper) {
    const input = stepper.querySelector("input");
    const quantity = Number(input.value);
    const valid = isValid(stepper);
    for (const button of stepper.querySelectorAll("[data-step]")) {
      const isEnd = Number(button.dataset.step) > 0 ? quantity >= Number(input.max) : quantity <= Number(input.min);
      // Not `disabled`: a button that was just pressed would lose the focus.
      button.setAttribute("aria-disabled", String(valid && isEnd));
    }
    if (quantity > Number(input.max)) sayLimit(stepper, true);
    else if (quantity < Number(input.max)) sayLimit(stepper, false);
    const form = stepper.closest("form");
    const steppers = [...form.querySelectorAll(".stepper")];
    // An invalid quantity has no total.
    if (!steppers.every(isValid)) return;
    // A form for a single ticket type has the price as a field.
    const unit = (it) => Number(it.dataset.unitMinor ?? form.elements.price.value);
    const price = (it) => unit(it) * (Number(it.querySelector("input").value) || 0);
    const minor = steppers.reduce((sum, it) => sum + price(it), 0);
    const total = minor === 0 ? "Free" : format(minor, stepper.closest("[data-currency-sign]").dataset);
    for (const place of form.querySelectorAll("[data-total]")) {
      const onButton = minor === 0 ? "" : `\u00a0· ${total}`;
      const text = place.closest("button") ? onButton : total;
      if (place.textContent !== text) place.textContent = text;
    }
    for (const due of form.querySelectorAll("[data-due]")) due.hidden = minor === 0;
    for (const field of form.querySelectorAll("[data-total-minor]")) field.value = minor;
    return `${quantity} ${quantity === 1 ? "ticket" : "tickets"}: ${total}`;
  }

  // After somebody has changed the quantity, a screen reader hears it with the total, unless the form has an <output>
  // with the total. A quantity that changed without the visitor is not read out.
  function say(stepper) {
    const words = sync(stepper);
    const hasTotal = stepper.closest("form").querySelector("output");
    const place = document.querySelector("[data-said]");
    if (!hasTotal && place && words) place.textContent = words;
  }

  const syncAll = () => document.querySelectorAll(".stepper").forEach(sync);

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-step]");
    if (!button) return;
    const stepper = button.closest(".stepper");
    const input = stepper.querySelector("input");
    const before = Number(input.value);
    const isUp = Number(button.dataset.step) > 0;
    if (isUp) input.stepUp();
    else input.stepDown();
    // stepUp() does not lower a number above the maximum, and stepDown() does not raise one below the minimum.
    if (input.validity.rangeOverflow) input.value = input.max;
    else if (!input.validity.valid) input.value = input.min;
    say(stepper);
    if (isUp && Number(input.value) <= before) sayLimit(stepper, true);
  });
  document.addEventListener("input", (event) => {
    const stepper = event.target.closest(".stepper");
    if (stepper) say(stepper);
  });
  document.addEventListener("htmx:after:swap", syncAll);
  window.addEventListener("pageshow", syncAll);
})();
