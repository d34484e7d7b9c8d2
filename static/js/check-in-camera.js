// [data-camera-toggle] scans with the camera. The browser's BarcodeDetector decodes the picture if it reads QR codes;
// otherwise our own decoder does, in a worker (check-in-decoder.js), for example on iPhones and in Firefox. If the
// camera cannot be used, one line says why.
(() => {
  const LOOK_MS = 120;
  // A code that was out of sight for longer than this counts as a new scan. Before that it is the same scan.
  const GONE_MS = 2500;
  // The width of the picture that is decoded: wide enough for a code at arm's length, and small enough for an old
  // phone to decode in time.
  const WIDTH = 640;
  const WORDS = {
    on: "Stop the camera",
    off: "Scan with the camera",
    looking: "Point the camera at the code.",
    several: "Several codes in view. Show one at a time.",
    forbidden: "Camera blocked. Allow it in the browser’s settings, or type the code.",
    missing: "No camera found. Type the code instead.",
    taken: "Another app uses the camera. Close it, or type the code.",
    insecure: "The camera works only over https. Type the code instead.",
    unknown: "This browser doesn’t support the camera. Type the code instead.",
  };

  const toggle = document.querySelector("[data-camera-toggle]");
  const camera = document.querySelector("[data-camera]");
  const video = camera.querySelector("video");
  const hint = document.querySelector("[data-camera-hint]");
  const seen = new Map();
  let detect = null;
  let stream = null;
  let wakeLock = null;

  function say(words) {
    if (hint.textContent !== words) hint.textContent = words;
  }

  function found(codes) {
    const now = Date.now();
    const fresh = codes.filter((code) => now - (seen.get(code) ?? 0) > GONE_MS);
    if (codes.length > 1) return say(WORDS.several);
    for (const code of codes) seen.set(code, now);
    say(WORDS.looking);
    for (const code of fresh) {
      document.dispatchEvent(new CustomEvent("check-in:code", { detail: { code } }));
    }
  }

  async function look() {
    if (!stream) return;
    try {
      if (!document.hidden) found(await detect());
    } catch {
      // No frame is available yet. The next call looks at the next frame.
    }
    setTimeout(look, LOOK_MS);
  }

  async function browsersOwn() {
    if (!("BarcodeDetector" in window)) return null;
    const formats = await BarcodeDetector.getSupportedFormats().catch(() => []);
    if (!formats.includes("qr_code")) return null;
    const detector = new BarcodeDetector({ formats: ["qr_code"] });
    return async () => (await detector.detect(video)).map((it) => it.rawValue);
  }

  function ours() {
    const worker = new Worker(camera.dataset.cameraWorker);
    worker.postMessage({ decoder: camera.dataset.cameraDecoder });
    const canvas = document.createElement("canvas");
    const context = canvas.getContext("2d", { willReadFrequently: true });
    return () => new Promise((resolve, reject) => {
      if (!video.videoWidth) return reject(new Error("no picture"));
      canvas.width = Math.min(WIDTH, video.videoWidth);
      canvas.height = Math.round((canvas.width * video.videoHeight) / video.videoWidth);
      context.drawImage(video, 0, 0, canvas.width, canvas.height);
      const { data, width, height } = context.getImageData(0, 0, canvas.width, canvas.height);
      worker.onmessage = (event) => resolve(event.data);
      worker.onerror = reject;
      worker.postMessage({ pixels: data.buffer, width, height }, [data.buffer]);
    });
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
    say("");
    show(false);
  }

  function why(error) {
    if (error.name === "NotAllowedError") return WORDS.forbidden;
    return error.name === "NotReadableError" ? WORDS.taken : WORDS.missing;
  }

  async function start() {
    show(true);
    say("");
    try {
      detect ??= (await browsersOwn()) ?? ours();
      const wish = { facingMode: { ideal: "environment" }, width: { ideal: 1280 } };
      stream = await navigator.mediaDevices.getUserMedia({ video: wish, audio: false });
      video.srcObject = stream;
      await video.play();
      say(WORDS.looking);
      look();
      wakeLock = await navigator.wakeLock?.request("screen").catch(() => null);
    } catch (error) {
      stop();
      say(why(error));
    }
  }

  toggle.addEventListener("click", () => (stream ? stop() : start()));
  window.addEventListener("pagehide", stop);
  if (navigator.mediaDevices?.getUserMedia) toggle.hidden = false;
  else say(window.isSecureContext ? WORDS.unknown : WORDS.insecure);
})();
