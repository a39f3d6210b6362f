// A season of a household in Hebei as the fake core holds it, made alike each time.

const PRODUCTS = [["millet", "小米", "Millet", 760, 12], ["chestnut", "板栗", "Chestnuts", 1_240, 9], ["chilli", "辣椒", "Dried chillies", 2_400, 4],
  ["walnut", "核桃", "Walnuts", 1_850, 0], ["red-date", "红枣", "Red dates", 980, 0], ["buckwheat", "荞麦", "Buckwheat", 640, 0],
  ["mung-bean", "绿豆", "Mung beans", 1_020, 0], ["potato", "土豆", "Potatoes", 210, 0], ["sorghum", "高粱", "Sorghum", 330, 0]];
const PLACES = [["dongpo-1", "东坡地"], ["houshan", "后山"], ["hewan", "河湾"], ["shiqiao", "石桥边"]];
const HOUSEHOLDS = [["H-LI", "李秀英"], ["H-WANG", "王建国"], ["H-ZHANG", "张桂兰"], ["H-GAO", "高来福"], ["H-QIN", "秦巧云"]];
const LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const TODAY = "2026-10-03";

/** Numbers that look drawn and are the same each time. */
function numbers(seed) {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const daysBefore = (count) => new Date(Date.parse(`${TODAY}T00:00:00Z`) - count * 86_400_000).toISOString().slice(0, 10);

function makeLot(index, draw, household) {
  const group = () => Array.from({ length: 4 }, () => LETTERS[draw(32)]).join("");
  const id = [group(), group(), group()].join("-");
  const product = PRODUCTS[draw(3)];
  const grams = (5 + draw(60)) * 1000 + draw(10) * 100;
  const day = daysBefore(Math.floor(index / 4));
  const lot = { id, full: id, household: household[0], householdName: household[1], recordedBy: "this phone", mayCorrect: true, product: product[0], grams, grade: ["A", "B", "C"][draw(3)],
    moisture: null, day, place: draw(3) === 0 ? "" : PLACES[draw(4)][0], note: draw(8) === 0 ? "上午收的，晒了两天" : "", state: "recorded", weighedGrams: null, weighedGrade: "",
    reason: "", inConflict: false, damaged: false, notTakenIn: "", sent: true, conflicts: [],
    history: [{ at: Date.parse(`${day}T09:30:00Z`), who: "this phone", what: "recorded", fields: [] }] };
  if (index > 8 && index % 3 === 0) Object.assign(lot, { state: "received", weighedGrams: grams - 300, weighedGrade: lot.grade });
  return lot;
}

/** `{lots, role, enrolled, …}`: what a test wants otherwise. */
export function makeWorld({ lots: count = 24, role = "household", enrolled = true, pin = null, ...rest } = {}) {
  const draw = numbers(7);
  const [packer, recorder] = [role === "packer", role === "recorder"];
  const many = packer || recorder;
  const lots = Array.from({ length: count }, (_, index) => makeLot(index, draw, many ? HOUSEHOLDS[draw(5)] : HOUSEHOLDS[0]));
  if (packer) for (const lot of lots) Object.assign(lot, { recordedBy: "other", mayCorrect: false });
  if (recorder) for (const lot of lots) if (lot.household !== "H-LI") lot.recordedBy = "other";
  if (!many && count > 8) {
    lots[1].sent = false;
    Object.assign(lots[2], { inConflict: true, grams: 18_500, conflicts: [{ field: "grams", values: ["15800", "18500"], shown: "18500" }] });
    lots[2].history[0].fields = [{ field: "grams", value: "18500" }];
    lots[2].history.unshift({ at: Date.parse("2026-10-03T10:05:00Z"), who: "other", what: "corrected", fields: [{ field: "grams", value: "15800" }] });
    Object.assign(lots[4], { state: "received", weighedGrams: lots[4].grams - 300, weighedGrade: "A" });
    if (rest.weighedTwice) {
      const values = [lots[4].grams - 300, lots[4].grams - 1_000];
      Object.assign(lots[4], { receiptInConflict: true, weighings: values.map((grams, index) => ({ grams, grade: "AB"[index], reason: "", who: "warehouse", at: Date.parse(`2026-10-04T0${index + 1}:00:00Z`) })) });
    }
    Object.assign(lots[5], { state: "rejected", reason: "太湿，请再晒两天" });
    Object.assign(lots[6], { notTakenIn: "这一批不是您家的", sent: false });
  }
  const profile = { id: "p1", name: "秀英的手机", enrolled, role, pin, household: enrolled && !many ? "H-LI" : null, householdName: packer ? "收货员 任文斌" : recorder ? "记录员 赵会计" : "李秀英" };
  return {
    cooperative: "太行小米合作社", today: TODAY, lots, profiles: [profile], current: "p1", language: "zh", lastSuccess: Date.now() - 18 * 60_000, lastError: null,
    month: { up: 41_300, down: 96_200 }, places: PLACES.map(([code, name]) => ({ code, name })),
    products: PRODUCTS.map(([code, nameZh, nameEn, fen, usual]) => ({ code, nameZh, nameEn, grades: ["A", "B", "C"], usual,
      prices: [{ grade: "A", fen, from: null }, { grade: "A", fen: fen + 20, from: "2026-10-08" }, { grade: "B", fen: Math.round(fen * 0.9), from: null }, { grade: "C", fen: Math.round(fen * 0.75), from: null }] })),
    people: recorder ? HOUSEHOLDS.map(([household, name], index) => ({ household, name, village: index < 3 ? "dongpo" : "xigou", number: `4821 739${index}` })) : [],
    announcements: [{ day: "2026-10-06", text: "十月六日上午在东坡村收小米，请晒干装好。" }, { day: null, text: "板栗直播活动：十月十日晚八点。" }],
    ...rest,
  };
}
