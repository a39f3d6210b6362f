// How the app is put on the phone's first screen: by the browser's own question where it has one, else by telling the steps.
import { core } from "../core.js";
import { html } from "../lib/preact-htm.js";
import { t } from "../words.js";
const agent = navigator.userAgent;
export const onApple = /iPhone|iPad|iPod/.test(agent) || (/Macintosh/.test(agent) && navigator.maxTouchPoints > 1);

export function InstallHint() {
  if (core.installed) return null;
  if (core.canInstall) {
    return html`<section class="hint"><h2>${t("install-title")}</h2><p>${t("install-why")}</p>
      <button type="button" class="second" onClick=${() => core.install()}>${t("install-button")}</button></section>`;
  }
  return html`<section class="hint"><h2>${t(onApple ? "install-apple-title" : "install-title")}</h2>
    <p>${t(onApple ? "install-apple-steps" : "install-steps")}</p></section>`;
}
