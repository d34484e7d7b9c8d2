// a[data-share] hands its address to the browser's share sheet. A browser without a share sheet copies the address;
// if it can do neither, the element is a plain link. [data-copy] copies the text of the element with that id. Both
// report the result in the [data-copied] element beside them.
(() => {
  const SAID_MS = 4000;

  function say(place, words) {
    if (!place) return;
    place.textContent = words;
    setTimeout(() => { place.textContent = ""; }, SAID_MS);
  }

  const beside = (it) => it.parentElement.querySelector("[data-copied]");

  async function share(link) {
    const url = link.href;
    try {
      if (navigator.share) return await navigator.share({ title: link.dataset.share, url });
      await navigator.clipboard.writeText(url);
      say(beside(link), "Link copied");
    } catch (error) {
      // If the visitor closes the share sheet, nothing else happens.
      if (error.name !== "AbortError") location.assign(url);
    }
  }

  async function copy(button) {
    const text = document.getElementById(button.dataset.copy).textContent;
    try {
      await navigator.clipboard.writeText(text);
      say(beside(button), "Copied");
    } catch {
      say(beside(button), "Select the text to copy it");
    }
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-share]");
    const button = event.target.closest("[data-copy]");
    if (button) copy(button);
    if (!link || !(navigator.share || navigator.clipboard)) return;
    event.preventDefault();
    share(link);
  });
})();
