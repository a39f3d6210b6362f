// The wishes of the person whose profile is open: language, large letters, unit. The core keeps them; this is what the pages read
// without waiting. The grade that she gave a product last is only a guess for the next lot, and lies in localStorage.
import { core } from "../core.js";

const firstLanguage = () => (/^zh\b/i.test(navigator.languages?.[0] ?? navigator.language ?? "zh") ? "zh" : "en");

export const settings = { language: firstLanguage(), unit: "jin", large: false };

const listeners = new Set();
export const onSettings = (listener) => { listeners.add(listener); };

/** Takes over what the core keeps of the profile that is open now. */
export function readSettings() {
  const { language, unit, large } = core.preferences;
  Object.assign(settings, { language: language ?? settings.language, unit, large });
  show();
}

export function setSetting(name, value) {
  settings[name] = value;
  show();
  const kept = name === "language" ? core.setLanguage(value) : core.setPreferences({ [name]: value });
  kept.catch(() => { /* Another start has the old wish; nothing that was recorded depends on it. */ });
}

/** Puts language and letters on the page itself, so that screen reader, fonts and style sheet know them. */
export function show() {
  const root = document.documentElement;
  root.lang = settings.language === "zh" ? "zh-CN" : "en";
  root.classList.toggle("large", settings.large);
  for (const listener of listeners) listener();
}

const gradeKey = (profile, product) => `granary.grade.${profile}.${product}`;

/** The grade that a household gave this product last: the one it most likely means again. */
export function usualGrade(profile, product) {
  try { return localStorage.getItem(gradeKey(profile, product)); } catch { return null; }
}

export function rememberGrade(profile, product, grade) {
  try { localStorage.setItem(gradeKey(profile, product), grade); } catch { /* Chosen again next time. */ }
}

export function forgetGrades(profile) {
  try {
    const mine = gradeKey(profile, "");
    for (const key of Object.keys(localStorage)) if (key.startsWith(mine)) localStorage.removeItem(key);
  } catch { /* Nothing was kept. */ }
}
