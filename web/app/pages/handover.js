// Records without a signal: the outbox as an encrypted file that anyone may carry, and another phone's file taken along.
import { core } from "../core.js";
import { html, useRef, useState } from "../lib/preact-htm.js";
import { t } from "../words_more.js";
import { saveFile, shareFile } from "../parts/files.js";
import { Fault, Page } from "../parts/frame.js";
import { usePhone, useWork } from "../parts/phone.js";
import { Icon } from "../parts/pictures.js";
import { say } from "../parts/say.js";

/// Faults of the line: what was to go may not have gone, and another try may do.
const OF_THE_LINE = ["not-reached", "no-name", "line-broke", "line-silent"];
const FILE_BYTES_MAX = 32 * 1024 * 1024;

export function Handover() {
  const { status, state, online } = usePhone();
  const [done, setDone] = useState("");
  const [busy, fault, run] = useWork();
  const picked = useRef(null);
  const tell = (sentence) => { setDone(sentence); say(sentence); };
  const give = (how) => run(async () => {
    setDone("");
    const out = await core.exportOutbox();
    const file = new File([out], `granary-${state.today}.outbox`, { type: "application/octet-stream" });
    const went = how === "share" ? await shareFile(file, t("handover-title")) : await saveFile(file);
    if (went !== "cancelled") tell(t(`file-${went}`));
  });
  const take = (event) => run(async () => {
    const [file] = event.target.files;
    event.target.value = "";
    if (!file) return;
    setDone("");
    if (file.size > FILE_BYTES_MAX) throw { code: "too-large", sentence: t("file-too-large") };
    // It is not kept on this phone, and who carries it must know.
    await core.importOutbox(file).catch((fault) => { throw OF_THE_LINE.includes(fault.code) ? { code: "not-carried", sentence: t("file-not-carried") } : fault; });
    tell(t("file-taken"));
  });
  return html`<${Page} title=${t("handover-title")} back="/status">
    <p>${t("handover-what")}</p>
    <${Fault} error=${fault} />
    ${busy && html`<p class="soft" role="status">${t("taking-in")}</p>`}
    ${done && html`<p class="banner good"><${Icon} name="tick" /><span>${done}</span></p>`}
    <section class="card stack"><h2>${t("give-out")}</h2>
      <p class="soft">${status.unsent > 0 ? t("give-out-more", { n: status.unsent }) : t("give-out-none")}</p>
      <button type="button" class="main" disabled=${busy || status.unsent === 0} onClick=${() => give("share")}>${t("share-file")}</button>
      <button type="button" class="second" disabled=${busy || status.unsent === 0} onClick=${() => give("save")}>${t("save-file")}</button></section>
    <section class="card stack"><h2>${t("take-in")}</h2><p class="soft">${t(online ? "take-in-more" : "take-in-offline")}</p>
      <input ref=${picked} id="file" type="file" hidden onChange=${take} />
      <button type="button" class="second" disabled=${busy} onClick=${() => picked.current.click()}>${t("choose-file")}</button></section>
  <//>`;
}
