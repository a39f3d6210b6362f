// Several people on one phone, each with an own key, own records and own lock: choose one, or add one.
import { core } from "../core.js";
import { html, useEffect, useState } from "../lib/preact-htm.js";
import { t } from "../words.js";
import { Fault, Page } from "../parts/frame.js";
import { refresh, tell, usePhone, useWork } from "../parts/phone.js";
import { Icon } from "../parts/pictures.js";
import { readSettings } from "../parts/settings.js";
import { go, keptCode } from "../parts/route.js";
import { profileId } from "../parts/profile.js";

export function useProfiles() {
  const { version } = usePhone();
  const [all, setAll] = useState([]);
  useEffect(() => {
    let wanted = true;
    Promise.resolve(core.profiles()).then((found) => wanted && setAll(found), () => {});
    return () => { wanted = false; };
  }, [version]);
  return all;
}

/** A profile that belongs to no co-operative yet has no name of one. */
export const hasJoined = (profile) => Boolean(profile.cooperative);
export const profileName = (profile) => profile.household || profile.name || t(hasJoined(profile) ? "nobody-named" : "nobody-yet");

/** Another person takes the phone: her own lock, her own pages. */
export async function switchTo(id, path = "/") {
  tell({ ready: false, locked: false, state: null, status: null, catalogue: null });
  await core.switchProfile(id);
  readSettings();
  go(path, { replace: true });
  await refresh();
}

export function People() {
  const { state } = usePhone();
  const profiles = useProfiles();
  const [busy, fault, run] = useWork();
  const invited = keptCode();
  const add = () => run(async () => {
    const empty = profiles.find((one) => !hasJoined(one));
    await switchTo(empty?.id ?? (await core.addProfile()), invited ? "/start/look" : "/start");
  });
  const shown = profiles.filter((one) => hasJoined(one) || one.id === profileId());
  return html`<${Page} title=${t("people")} back=${state.enrolled ? "/status" : "/start"} tabs=${Boolean(state.enrolled)} line=${Boolean(state.enrolled)}
      action=${html`<button type="button" class="main" disabled=${busy} onClick=${add}>${t("person-add")}</button>`}>
    ${invited && state.enrolled && html`<p class="banner note"><${Icon} name="people" /><span>${t("invited-here", { cooperative: state.cooperative })}</span></p>`}
    <p class="soft">${t("people-what")}</p>
    <${Fault} error=${fault} />
    <ul class="ways">${shown.map((one) => html`<li key=${one.id}><button type="button" class="way" aria-pressed=${String(one.id === profileId())} disabled=${busy} onClick=${() => one.id !== profileId() && run(() => switchTo(one.id))}>
      <${Icon} name=${one.id === profileId() ? "tick" : "people"} /><span>${profileName(one)}${one.cooperative && html`<br /><span class="soft">${one.cooperative}</span>`}${one.id === profileId() && html`<br /><span class="soft">${t("person-now")}</span>`}${one.unsent > 0 && html`<br /><span class="soft">${t("waiting-count", { n: one.unsent })}</span>`}</span></button></li>`)}</ul>
  <//>`;
}
