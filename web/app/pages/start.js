// The first start: what this app is and whose, the invitation's code typed, pasted or scanned, a look at what it is for, and
// only then joining. Nothing is used up by looking.
import { core } from "../core.js";
import { html, useEffect, useState } from "../lib/preact-htm.js";
import { t } from "../words.js";
import { Fault, Page } from "../parts/frame.js";
import { InstallHint, onApple } from "../parts/install.js";
import { refresh, refreshStorage, usePhone, useWork } from "../parts/phone.js";
import { Icon, Sign } from "../parts/pictures.js";
import { back, codeCame, dropCode, go, keepCode, keptCode } from "../parts/route.js";
import { say } from "../parts/say.js";
import { Scan } from "../parts/scan.js";
import { setSetting, settings } from "../parts/settings.js";
import { roleWord } from "../parts/values.js";
import { hasJoined, useProfiles } from "./people.js";
import { profileId } from "../parts/profile.js";

const CODE_LETTERS = 12;

/**
 * What was typed or pasted as the core takes it: a link as it is, letters of a code large and in groups of four. Full-width
 * letters, spaces and missing hyphens do not matter, nor O for 0 and I or L for 1, which no code has; a sentence around a link
 * is left out.
 */
export function tidyCode(typed) {
  const plain = typed.normalize("NFKC").trim();
  const link = /(?:https?|granary):\/\/\S+/.exec(plain);
  if (link) return link[0];
  const letters = plain.toUpperCase().replace(/[^0-9A-Z]/g, "").replaceAll("O", "0").replace(/[IL]/g, "1").slice(0, CODE_LETTERS);
  return letters.replace(/(.{4})(?=.)/g, "$1-");
}

/** Whether a code is long enough to ask for. Whether it is right, the server says. */
export const wholeCode = (code) => code.includes("://") || code.replaceAll("-", "").length === CODE_LETTERS;

function LanguageSwitch() {
  const other = settings.language === "zh" ? "en" : "zh";
  return html`<button type="button" class="plain switch" lang=${other === "en" ? "en" : "zh-CN"}
    onClick=${() => setSetting("language", other)}>${other === "en" ? "English" : "中文"}</button>`;
}

function Welcome({ code, onCode }) {
  const [problem, setProblem] = useState(null);
  const look = (event) => {
    event?.preventDefault();
    if (wholeCode(tidyCode(code))) go("/start/look");
    else setProblem({ sentence: t("code-short", { n: CODE_LETTERS }) });
  };
  const action = html`<button type="submit" form="code-form" class="main">${t("look-at-code")}</button>`;
  return html`<${Page} title=${t("welcome")} tabs=${false} line=${false} action=${action} className="start">
    <div class="hero"><${Sign} /><p class="hero-name">${t("app-name")}</p><p>${t("what-it-is")}</p><p class="soft">${t("whose-it-is")}</p><${LanguageSwitch} /></div>
    ${onApple && !core.installed && html`<${InstallHint} />`}
    <form id="code-form" class="stack" onSubmit=${look}>
      <label class="field" for="code"><span>${t("code-label")}</span>
        <input id="code" name="code" class="code" value=${code} placeholder="7KQ2-M9XT-4B0F" autocomplete="off" autocapitalize="characters" spellcheck=${false}
          aria-describedby="code-help" aria-invalid=${problem ? "true" : undefined}
          onInput=${(event) => { setProblem(null); onCode(event.target.value); }} onBlur=${(event) => onCode(tidyCode(event.target.value))} /></label>
      <p id="code-help" class="soft">${t("code-help")}</p>
      <${Fault} error=${problem} />
      <button type="button" class="second" onClick=${() => go("/start/scan")}><${Icon} name="camera" />${t("scan")}</button>
    </form>
    ${!onApple && html`<${InstallHint} />`}
    <${OtherPeople} />
  <//>`;
}

// Who came here to add a person can go back to those who are on this phone already.
function OtherPeople() {
  const others = useProfiles().filter((one) => one.id !== profileId() && hasJoined(one));
  return others.length > 0 && html`<button type="button" class="plain" onClick=${() => go("/people")}><${Icon} name="people" />${t("people-here")}</button>`;
}

function Look({ code }) {
  const [shown, setShown] = useState(null);
  const [name, setName] = useState("");
  const [busy, fault, run] = useWork();
  const { online } = usePhone();
  const ask = () => run(() => core.look(tidyCode(code))).then((seen) => seen && setShown(seen));
  useEffect(() => { ask(); }, []);
  const join = async (event) => {
    event?.preventDefault();
    const joined = await run(() => core.enrol(tidyCode(code), name.trim() || shown.whose || t("phone-name-default")));
    if (joined === undefined) return;
    dropCode();
    await refresh();
    refreshStorage();
    say(t("joined"));
    go("/", { replace: true });
  };
  // With a code that is wrong, used or too old another try is of no use.
  const isCodeBad = fault?.code === "bad-invitation" || fault?.code === "bad-link";
  const other = html`<button type="button" class=${isCodeBad ? "main" : "second"} onClick=${() => go("/start", { replace: true })}>${t("code-other")}</button>`;
  const action = isCodeBad ? other : shown
    ? html`<button type="submit" form="join-form" class="main" disabled=${busy}>${busy ? t("joining") : t("join")}</button>`
    : html`<button type="button" class="main" disabled=${busy} onClick=${ask}>${busy ? t("looking") : t("again")}</button>`;
  return html`<${Page} title=${t("invitation")} back="/start" tabs=${false} line=${false} action=${action}>
    <${Fault} error=${fault} />
    ${isCodeBad && html`<p class="code anywhere">${tidyCode(code)}</p>`}
    ${fault && html`<div class=${isCodeBad ? "stack" : "pair"}>${!isCodeBad && other}<button type="button" class="second" onClick=${() => go("/start/scan", { replace: true })}><${Icon} name="camera" />${t("scan")}</button></div>`}
    ${!online && html`<p class="soft">${t("needs-line-once")}</p>`}
    ${shown && html`
      <dl class="card facts">
        <div><dt>${t("cooperative")}</dt><dd class="big">${shown.cooperative}</dd></div>
        <div><dt>${t("for-whom")}</dt><dd class="big">${shown.whose || t("nobody-named")}</dd><dd class="soft">${roleWord(shown.role)}</dd></div>
        <div><dt>${t("server")}</dt><dd class="anywhere">${shown.server}</dd></div>
      </dl>
      <form id="join-form" class="stack" onSubmit=${join}>
        <label class="field" for="phone-name"><span>${t("phone-name")}</span>
          <input id="phone-name" maxlength="60" value=${name} placeholder=${shown.whose || t("phone-name-default")} aria-describedby="name-help" onInput=${(event) => setName(event.target.value)} /></label>
        <p id="name-help" class="soft">${t("phone-name-help")}</p>
        <p class="soft">${t("not-you")}</p>
      </form>`}
  <//>`;
}

export function Start({ parts }) {
  const [code, setCode] = useState(keptCode);
  const change = (typed) => { setCode(typed); keepCode(typed); };
  // The address of an invitation opens the app with its code; the look at it begins by itself.
  const step = parts[1];
  useEffect(() => { if (!step && codeCame() && wholeCode(tidyCode(code))) go("/start/look"); }, [step]);
  if (step === "look" && wholeCode(tidyCode(code))) return html`<${Look} key="look" code=${code} />`;
  if (step === "scan") {
    const found = (text) => { change(tidyCode(text)); go("/start/look", { replace: true }); };
    return html`<${Page} key="scan" title=${t("scan")} back="/start" tabs=${false} line=${false}>
      <${Scan} onFound=${found} onGiveUp=${() => back("/start")} /><//>`;
  }
  return html`<${Welcome} key="welcome" code=${code} onCode=${change} />`;
}
