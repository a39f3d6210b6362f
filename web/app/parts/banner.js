// Sentences that stand above a page because they cannot wait: the phone was revoked, its clock is wrong, its storage nearly full.
import { core } from "../core.js";
import { html } from "../lib/preact-htm.js";
import { t } from "../words.js";
import { day } from "./figures.js";
import { usePhone } from "./phone.js";
import { Icon } from "./pictures.js";
import { go, route } from "./route.js";
import { say } from "./say.js";

export const Banner = ({ kind = "note", sign = "warning", children, action }) => html`<div class=${`banner ${kind}`} role=${kind === "bad" ? "alert" : "note"}>
  <${Icon} name=${sign} /><div>${children}</div>${action}
</div>`;

const faultWord = (fault) => (t.has(`fault-${fault.code}`) ? t(`fault-${fault.code}`) : t("went-wrong"));

export function Banners() {
  const { status, state, storage, update } = usePhone();
  if (!state?.enrolled || !status) return null;
  const toStatus = route().parts[0] !== "status"
    && html`<button type="button" class="small" onClick=${() => go("/status")}>${t("look")}</button>`;
  return html`
    ${status.revoked && html`<${Banner} kind="bad" action=${toStatus}><strong>${t("revoked")}</strong> ${t("revoked-more")}<//>`}
    ${state.wrongDate && html`<${Banner}>${t("wrong-date", { wrong: day(state.wrongDate, state.today), day: day(state.today, null) })}<//>`}
    ${status.stopped && html`<${Banner} kind="bad" action=${toStatus}>${t("trapped")}<//>`}
    ${storage?.full && html`<${Banner} kind="bad" action=${toStatus}>${t("storage-full")}<//>`}
    ${storage?.nearlyFull && !storage.full && html`<${Banner} kind="bad" action=${toStatus}>${t("storage-nearly-full")}<//>`}
    ${status.quarantined?.length > 0 && toStatus && html`<${Banner} action=${toStatus}>${t("set-aside-short", { n: status.quarantined.length })}<//>`}
    ${update && html`<${Banner} sign="receive" action=${html`<button type="button" class="small" onClick=${() => core.applyUpdate().catch((fault) => say(faultWord(fault)))}>${t("update-now")}</button>`}>${t("update-there")}<//>`}
  `;
}
