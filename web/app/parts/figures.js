// Weights, money, days and instants as people read them. Pure: numbers are the core's integers (grams, fen, UTC millis).
import { settings } from "./settings.js";
import { t } from "../words.js";

const GRAMS_OF = { kg: 1000, jin: 500 };

/** An integer part of `whole` as a decimal without trailing zeros, digits grouped by thousands. */
function decimal(value, whole) {
  const [digits, rest] = (value / whole).toFixed(4).split(".");
  const decimals = rest.replace(/0+$/, "");
  return digits.replace(/\B(?=(\d{3})+$)/g, ",") + (decimals ? `.${decimals}` : "");
}

export const unitName = () => t(settings.unit);
export const inUnit = (grams) => decimal(grams, GRAMS_OF[settings.unit]);
export const weight = (grams) => (grams === null || grams === undefined ? t("unreadable") : `${inUnit(grams)} ${unitName()}`);
/** As the number pad has it: no grouping. */
export const asTyped = (grams) => inUnit(grams).replaceAll(",", "");

export const money = (fen) => {
  const sign = fen < 0 ? "−" : "";
  const [yuan, rest] = (Math.abs(fen) / 100).toFixed(2).split(".");
  return `${sign}¥${yuan.replace(/\B(?=(\d{3})+$)/g, ",")}.${rest}`;
};

/** A price by the reader's unit. A jin is half a kilogram, so that an odd price has a third decimal. */
export function price(fenPerKilogram) {
  if (settings.unit === "kg") return { amount: money(fenPerKilogram), per: t("per-kg") };
  const odd = fenPerKilogram % 2 !== 0;
  return { amount: odd ? `¥${(fenPerKilogram / 200).toFixed(3)}` : money(fenPerKilogram / 2), per: t("per-jin") };
}

export const percent = (permille) => `${decimal(permille, 10)}%`;

const DAY = /^(\d{4})-(\d{2})-(\d{2})$/;
const EN_DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const EN_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const ZH_DAYS = "日一二三四五六";

/** `10月3日（周六）` or `Sat 3 Oct`; with its year where that is not today's. */
export function day(iso, today) {
  const parts = DAY.exec(iso ?? "");
  if (!parts) return iso || t("no-day");
  const [year, month, date] = parts.slice(1).map(Number);
  const week = new Date(Date.UTC(year, month - 1, date)).getUTCDay();
  const other = today && today.slice(0, 4) !== parts[1];
  if (settings.language === "zh") return `${other ? `${year}年` : ""}${month}月${date}日（周${ZH_DAYS[week]}）`;
  return `${EN_DAYS[week]} ${date} ${EN_MONTHS[month - 1]}${other ? ` ${year}` : ""}`;
}

/** A day without its weekday, for small places. */
export function shortDay(iso) {
  const parts = DAY.exec(iso ?? "");
  if (!parts) return iso ?? "";
  const [month, date] = [Number(parts[2]), Number(parts[3])];
  return settings.language === "zh" ? `${month}月${date}日` : `${date} ${EN_MONTHS[month - 1]}`;
}

export function dayBefore(iso) {
  const parts = DAY.exec(iso);
  const before = new Date(Date.UTC(Number(parts[1]), Number(parts[2]) - 1, Number(parts[3]) - 1));
  return before.toISOString().slice(0, 10);
}

/** Today and yesterday by name, other days by date. */
export function namedDay(iso, today) {
  if (iso === today) return t("today");
  if (today && iso === dayBefore(today)) return t("yesterday");
  return day(iso, today);
}

const localDay = (date) =>
  `${date.getFullYear()}-${String(date.getMonth() + 1).padStart(2, "0")}-${String(date.getDate()).padStart(2, "0")}`;

/** An instant in this phone's own time: `今天 14:05`, `10月3日（周六） 9:30`. */
export function instant(millis) {
  const date = new Date(millis);
  const clock = `${date.getHours()}:${String(date.getMinutes()).padStart(2, "0")}`;
  return `${namedDay(localDay(date), localDay(new Date()))} ${clock}`;
}

export function bytes(count) {
  const units = ["B", "kB", "MB", "GB"];
  let [shown, unit] = [count, 0];
  while (shown >= 1000 && unit < units.length - 1) { shown /= 1000; unit += 1; }
  return `${unit > 0 && shown < 10 ? shown.toFixed(1) : Math.round(shown)} ${units[unit]}`;
}
