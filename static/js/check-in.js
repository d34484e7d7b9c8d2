// [data-check-in]: the gate's form. A handheld scanner types into its field and presses Enter, however fast:
// the field is empty again as soon as a code is on its way, and codes queue. What has to be corrected comes
// back into it. [data-camera-toggle] scans with the camera where the browser reads QR codes by itself.
(() => {
  const LOOK_MS = 120;
  // A ticket that was out of sight for so long is shown anew; until then it is the same one.
  const GONE_MS = 2500;
  const WORDS = {
    on: "Stop the camera",
    off: "Scan with the camera",
    looking: "Point the camera at the code.",
    several: "Several codes in view. Show one at a time.",
    forbidden: "Camera blocked. Allow it in the browser’s settings, or type the code.",
    missing: "No camera found. Type the code instead.",
  };

  const form = document.querySelector("[data-check-in]");
  const field = form.elements.code;
  const toggle = form.querySelector("[data-camera-toggle]");
  const camera = document.querySelector("[data-camera]");
  const video = camera.querySelector("video");
  const hint = camera.querySelector("[data-camera-hint]");
  const seen = new Map();
  let detector = null;
  let stream = null;
  let wakeLock = null;

  const isOurs = (event) => event.detail?.ctx?.sourceElement?.matches?.("[data-answers]");

  function say(words) {
    if (hint.textContent !== words) hint.textContent = words;
  }

  document.addEventListener("htmx:config:request", (event) => {
    const { sourceElement, request } = event.detail.ctx;
    if (sourceElement !== form) return;
    event.detail.ctx.typed = request.body.get("code");
    field.value = "";
  });

  document.addEventListener("htmx:finally:request", (event) => {
    if (!isOurs(event)) return;
    const { ctx } = event.detail;
    const status = ctx.response?.status ?? 0;
    if (status === 0 || status === 429 || status >= 500) {
      const words = document.querySelector("[data-check-in-lost]").content.cloneNode(true);
      document.querySelector("#answer").replaceChildren(words);
    }
    const isToCorrect = status === 422;
    field.toggleAttribute("aria-invalid", false);
    if (isToCorrect) field.setAttribute("aria-invalid", "true");
    if (isToCorrect && !field.value) {
      field.value = ctx.typed ?? "";
      field.select();
    }
    // On a phone the focus brings up the keyboard, which nobody wants over the camera's picture.
    if (!stream) field.focus();
    navigator.vibrate?.(status === 201 ? 60 : [120, 80, 120]);
  });

  function found(codes) {
    const now = Date.now();
    const fresh = codes.filter((code) => now - (seen.get(code) ?? 0) > GONE_MS);
    if (codes.length > 1) return say(WORDS.several);
    for (const code of codes) seen.set(code, now);
    say(WORDS.looking);
    for (const code of fresh) {
      field.value = code;
      form.requestSubmit();
    }
  }

  async function look() {
    if (!stream) return;
    try {
      if (!document.hidden) found((await detector.detect(video)).map((it) => it.rawValue));
    } catch {
      // A frame that is not there yet; the next one is looked at.
    }
    setTimeout(look, LOOK_MS);
  }

  function show(isOn) {
    camera.hidden = !isOn;
    toggle.setAttribute("aria-pressed", String(isOn));
    toggle.querySelector("[data-camera-words]").textContent = isOn ? WORDS.on : WORDS.off;
  }

  function stop() {
    for (const track of stream?.getTracks() ?? []) track.stop();
    stream = null;
    video.srcObject = null;
    wakeLock?.release?.();
    wakeLock = null;
    show(false);
  }

  async function start() {
    show(true);
    say("");
    try {
      detector ??= new BarcodeDetector({ formats: ["qr_code"] });
      const wish = { facingMode: { ideal: "environment" }, width: { ideal: 1280 } };
      stream = await navigator.mediaDevices.getUserMedia({ video: wish, audio: false });
      video.srcObject = stream;
      await video.play();
      say(WORDS.looking);
      look();
      wakeLock = await navigator.wakeLock?.request("screen").catch(() => null);
    } catch (error) {
      stop();
      camera.hidden = false;
      say(error.name === "NotAllowedError" ? WORDS.forbidden : WORDS.missing);
    }
  }

  toggle.addEventListener("click", () => (stream ? stop() : start()));
  window.addEventListener("pagehide", stop);

  async function offer() {
    if (!("BarcodeDetector" in window) || !navigator.mediaDevices?.getUserMedia) return;
    const formats = await BarcodeDetector.getSupportedFormats();
    toggle.hidden = !formats.includes("qr_code");
  }
  offer().catch(() => {});
})();
