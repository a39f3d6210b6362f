// What the co-operative asks about lots, each with the lot it is about and a field for the answer; what is answered stands below and
// can be answered anew.
import { core } from "../core.js";
import { html } from "../lib/preact-htm.js";
import { t } from "../words_more.js";
import { useDraft } from "../parts/draft.js";
import { instant, namedDay, weight } from "../parts/figures.js";
import { Fault, Page, homeOf } from "../parts/frame.js";
import { productName, useCall, useForm, usePhone, useWork } from "../parts/phone.js";
import { go } from "../parts/route.js";
import { buzz, say } from "../parts/say.js";
import { authorWord } from "../parts/values.js";

function Question({ question, today }) {
  const [draft, change, drop] = useDraft(`answer.${question.id}`, { text: "" });
  const [busy, fault, run] = useWork();
  const { id, lot, product, grams, day, text, by, at, state, answers } = question;
  const send = (event) => {
    event.preventDefault();
    run(async () => {
      if (!draft.text.trim()) throw { code: "answer-missing", sentence: t("answer-missing") };
      await core.call("answer", { id, text: draft.text.trim() });
      drop();
      buzz(30);
      say(t("answer-kept"));
    });
  };
  const about = [day && namedDay(day, today), product && productName(product), grams !== null && weight(grams)].filter(Boolean).join(" · ");
  return html`<section class="card question" aria-labelledby=${`question-${id}`}>
    <h2 id=${`question-${id}`} class="written">${text}</h2>
    <p class="soft">${by} · ${instant(at)}</p>
    <button type="button" class="plain" onClick=${() => go(`/lot/${lot}`)}>${about || lot}</button>
    ${answers.map((answer, index) => html`<p key=${index} class="written"><strong>${answer.text}</strong>
      <span class="soft"> ${authorWord(answer.who)} · ${instant(answer.at)}</span></p>`)}
    ${state === "closed" ? html`<p class="soft">${t("question-closed")}</p>` : html`<form class="stack" onSubmit=${send}>
      <label class="field" for=${`answer-${id}`}><span>${t(answers.length > 0 ? "answer-anew" : "your-answer")}</span>
        <textarea id=${`answer-${id}`} rows="3" maxlength="500" value=${draft.text} aria-invalid=${fault ? "true" : undefined} onInput=${(event) => change({ text: event.target.value })}></textarea></label>
      <${Fault} error=${fault} />
      <button type="submit" class="main" disabled=${busy}>${t("answer-keep")}</button>
    </form>`}
  </section>`;
}

export function Questions() {
  useForm();
  const { state } = usePhone();
  const { value, error } = useCall("questions", {});
  const of = (...states) => (value?.rows ?? []).filter((row) => states.includes(row.state));
  const [open, others] = [of("open"), of("answered", "closed")];
  const all = (rows) => rows.map((question) => html`<${Question} key=${question.id} question=${question} today=${state.today} />`);
  return html`<${Page} title=${t("coop-asks")} back=${homeOf(state)}>
    <${Fault} error=${error} />
    ${value && open.length === 0 && html`<p class="empty">${t("no-questions")}</p>`}
    ${all(open)}
    ${others.length > 0 && html`<h2>${t("questions-answered")}</h2>${all(others)}`}
  <//>`;
}
