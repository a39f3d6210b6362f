// What the co-operative asks about lots: a line on the first pages, while something waits for an answer.
import { html } from "../lib/preact-htm.js";
import { t } from "../words.js";
import { useCall, usePhone } from "./phone.js";
import { Icon } from "./pictures.js";
import { go } from "./route.js";

export function Asked() {
  const { state } = usePhone();
  const { value } = useCall("questions", { state: "open" });
  // Packers and coordinators see all questions; those of a household answer them.
  if (!value || value.open === 0 || state.canReceive) return null;
  return html`<div class="banner" role="note"><${Icon} name="ask" /><div><strong>${t("coop-asks")}</strong> ${t("coop-asks-more", { n: value.open })}</div>
    <button type="button" class="small" onClick=${() => go("/questions")}>${t("answer")}</button></div>`;
}
