// Questions of the co-operative, one open and one answered.
export const QUESTIONS = [
  { id: "00000000000000a1", lot: "7KQ2-M9XT-4B0C", householdName: "李秀英", product: "millet", grams: 15_800, day: "2026-10-03", text: "是哪块地的？", by: "张会计", at: 1_790_000_000_000, closed: false, answers: [] },
  { id: "00000000000000a2", lot: "9XTM-M9XT-4B0C", householdName: "李秀英", product: "chestnut", grams: 8_000, day: "2026-10-02", text: "湿度多少？", by: "张会计", at: 1_789_900_000_000, closed: false,
    answers: [{ text: "十四", who: "other", at: 1_789_950_000_000 }] },
];
