// The worker of check-in-camera.js: reads QR codes in pictures. The first message that it gets names the decoder
// script, vendor/jsqr.
onmessage = ({ data }) => {
  if (data.decoder) return importScripts(data.decoder);
  const code = jsQR(new Uint8ClampedArray(data.pixels), data.width, data.height, { inversionAttempts: "dontInvert" });
  postMessage(code?.data ? [code.data] : []);
};
