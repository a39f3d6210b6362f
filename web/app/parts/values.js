// A lot's field as a person reads it, whatever page shows it.
import { t } from "../words.js";
import { day, percent, weight } from "./figures.js";
import { placeName, productName } from "./phone.js";

/** The fields of a lot that a household may correct, in the order in which they are shown. */
export const FIELDS = ["product", "grams", "grade", "moisture", "day", "place", "note"];

/** Whose phone it is, by what it may do. */
export const roleWord = (role) => (t.has(`role-${role}`) ? t(`role-${role}`) : role ?? "");

/** Who wrote something, as the core tells it. A phone does not know the names of others. */
export const authorWord = (who) => (t.has(`who-${who}`) ? t(`who-${who}`) : who);

export function shownValue(field, value, today) {
  if (value === null || value === undefined || value === "") return t("nothing");
  switch (field) {
    case "product": return productName(String(value));
    case "grams": return weight(Number(value));
    case "moisture": return percent(Number(value));
    case "day": return day(String(value), today);
    case "grade": return t("grade-of", { grade: value });
    case "place": return placeName(String(value));
    case "state": return t.has(`state-${value}`) ? t(`state-${value}`) : String(value);
    default: return String(value);
  }
}
