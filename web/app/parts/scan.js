// The camera as a reader of QR codes: the browser's own detector, else jsQR, fetched only then. The camera is let go with the page.
import { html, useEffect, useRef, useState } from "../lib/preact-htm.js";
import { t } from "../words.js";
import { buzz } from "./say.js";

const LOOK_EVERY_MS = 200;
/** Frames are made so small before jsQR reads them: more takes seconds on a slow phone. */
const FRAME_WIDTH_MAX = 640;

async function makeReader() {
  if ("BarcodeDetector" in window) {
    const formats = await window.BarcodeDetector.getSupportedFormats().catch(() => []);
    if (formats.includes("qr_code")) {
      const detector = new window.BarcodeDetector({ formats: ["qr_code"] });
      return async (video) => (await detector.detect(video))[0]?.rawValue;
    }
  }
  const { default: jsQR } = await import("../lib/jsqr.js");
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d", { willReadFrequently: true });
  return async (video) => {
    const part = Math.min(1, FRAME_WIDTH_MAX / video.videoWidth);
    canvas.width = Math.round(video.videoWidth * part);
    canvas.height = Math.round(video.videoHeight * part);
    context.drawImage(video, 0, 0, canvas.width, canvas.height);
    const { data, width, height } = context.getImageData(0, 0, canvas.width, canvas.height);
    return jsQR(data, width, height)?.data;
  };
}

export function Scan({ onFound, onGiveUp, help }) {
  const video = useRef(null);
  const [problem, setProblem] = useState("");
  useEffect(() => {
    let stream = null;
    let timer = 0;
    let over = false;
    async function begin() {
      if (!navigator.mediaDevices?.getUserMedia) throw new Error("no camera");
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" }, audio: false });
      if (over) return end();
      video.current.srcObject = stream;
      await video.current.play();
      const read = await makeReader();
      const look = async () => {
        if (over) return;
        const found = video.current.videoWidth > 0 && (await read(video.current).catch(() => undefined));
        if (found && !over) { buzz(30); onFound(found); return; }
        timer = setTimeout(look, LOOK_EVERY_MS);
      };
      look();
    }
    function end() { clearTimeout(timer); stream?.getTracks().forEach((track) => track.stop()); }
    begin().catch((fault) => { if (!over) setProblem(t(fault.name === "NotAllowedError" ? "camera-refused" : "camera-none")); });
    return () => { over = true; end(); };
  }, []);
  return html`
    <div class="viewfinder"><video ref=${video} playsinline muted aria-label=${t("scan-picture")}></video></div>
    <p role="status">${problem || help || t("scan-help")}</p>
    <button type="button" class="second" onClick=${onGiveUp}>${t("type-instead")}</button>`;
}
