// A core in memory with the real one's API, for tests of the screens: a household in 东坡村 with a season's lots, or what the
// test says in localStorage's `fake.world`. What it holds survives a reload, as rows do. `window.fake` is the test's own hand.
import { makeWorld } from "./world.js";

const DAY_MS = 86_400_000;
const listeners = new Map();
const tell = (event, detail) => { for (const listener of listeners.get(event) ?? []) listener(detail); };
const fault = (code, field, zh, en) => ({ code, field, sentence: world.language === "en" ? en : zh });

let world = load();
function load() {
  const kept = sessionStorage.getItem("fake.kept");
  return kept ? JSON.parse(kept) : makeWorld(JSON.parse(localStorage.getItem("fake.world") ?? "{}"));
}
function save() { sessionStorage.setItem("fake.kept", JSON.stringify(world)); }

const me = () => world.profiles.find((one) => one.id === world.current);
const offline = () => !navigator.onLine || world.offline;
const shownProfile = (one) => ({ id: one.id, name: one.name, household: one.householdName, cooperative: one.enrolled ? world.cooperative : "", hasPin: Boolean(one.pin), unsent: one.id === world.current ? unsent() : one.unsent ?? 0 });
let locked = Boolean(me().pin);
const find = (id) => {
  const lot = world.lots.find((one) => one.id === id);
  if (!lot) throw fault("unknown-lot", "id", "没有这一批", "there is no such lot");
  return lot;
};
const name = (code) => world.products.find((one) => one.code === code);
const unsent = () => world.lots.filter((one) => !one.sent).length;
const CARDS = ["H-LI", "H-WANG", "H-ZHANG", "H-GAO", "H-QIN"];
const cardOf = (household) => `4821 739${Math.max(0, CARDS.indexOf(household))}`;
const shown = (lot) => ({ ...lot, householdNumber: cardOf(lot.household), history: undefined, conflicts: undefined, weighings: undefined });

function unusual(draft, unit) {
  const found = [];
  const [each, zh, en] = unit === "jin" ? [500, "斤", "jin"] : [1000, "公斤", "kg"];
  if (draft.grams > 500_000) found.push({ code: "weight-far-from-usual", field: "grams", meant: null,
    sentence: fault("", "", `${draft.grams / each} ${zh}与平常的 ${5000 / each} 到 ${80000 / each} ${zh}相差很远`,
      `${draft.grams / each} ${en} is far from what is usual here, ${5000 / each} to ${80000 / each} ${en}`).sentence });
  if (draft.day > world.today) found.push({ code: "day-in-the-future", field: "day", meant: null,
    sentence: fault("", "", `日期 ${draft.day} 还没有到；今天是 ${world.today}`, `the day ${draft.day} is in the future; today is ${world.today}`).sentence });
  return found;
}

function changed(lot, what, fields) {
  lot.sent = false;
  lot.history.unshift({ at: Date.now(), who: "this phone", what, fields });
  save();
  tell("changed");
  tell("status");
  if (!offline() && !world.holdLine) setTimeout(deliver, 400);
}

function deliver() {
  for (const lot of world.lots) lot.sent = true;
  Object.assign(world, { lastSuccess: Date.now(), lastError: null });
  world.month.up += 312;
  save();
  tell("changed");
  tell("status");
}

function chosen({ household, product, from, to, state, search, onlyConflicts, onlyFieldConflicts }) {
  return world.lots.filter((lot) => !lot.withdrawn && (!household || lot.household === household) && (!product || lot.product === product)
    && (!from || lot.day >= from) && (!to || lot.day <= to) && (!state || lot.state === state) && (!onlyConflicts || lot.inConflict || lot.receiptInConflict) && (!onlyFieldConflicts || lot.inConflict)
    && (!search || [lot.id, lot.place, lot.note, lot.householdName, name(lot.product).nameZh].some((text) => text.toLowerCase().includes(search.toLowerCase()))));
}

const methods = {
  state: () => ({ enrolled: me().enrolled, cooperative: world.cooperative, device: me().name, role: me().role, household: me().household,
    householdName: me().role === "recorder" ? "" : me().householdName, village: "dongpo", recordsForOthers: me().role === "recorder", today: world.today, wrongDate: world.wrongDate ?? null, season: 2026,
    canReceive: me().role === "packer", canEditCatalogue: false }),
  status: () => ({ state: world.revoked ? "revoked" : world.syncing ? "syncing" : "idle", unsent: unsent(), undelivered: world.undelivered ?? 0,
    lastSuccess: world.lastSuccess, lastError: offline() ? fault("not-reached", null, "没有信号", "no signal") : world.lastError, revoked: Boolean(world.revoked),
    stopped: Boolean(world.stopped), quarantined: world.quarantined ?? [], heldBack: world.heldBack ?? null, bytesUp: 1, bytesDown: 2, exchanges: 3, month: { ...world.month, month: "2026-10" } }),
  catalogue: () => ({ products: world.products, places: world.places, announcements: world.announcements,
    villages: [{ code: "dongpo", name: "东坡村" }, { code: "xigou", name: "西沟村" }] }),
  people({ search }) {
    const number = /([0-9０-９][0-9 -]*[0-9])\s*$/.exec(search.normalize("NFKC"))?.[1].replace(/[ -]/g, "");
    const isCard = number?.length === 8;
    return { isCard, people: (world.people ?? []).filter((one) => (isCard ? one.number.replace(" ", "") === number : one.name.includes(search))) };
  },
  readWeight({ text, unit }) {
    const figure = Number(text.normalize("NFKC").trim());
    if (!text.trim() || !Number.isFinite(figure) || figure <= 0) {
      throw fault("weight", "weight", text.trim() ? `“${text}”不是重量` : "请输入重量", text.trim() ? `“${text}” is no weight` : "enter a weight");
    }
    return { grams: Math.round(figure * (unit === "jin" ? 500 : 1000)) };
  },
  unusual: ({ draft, unit }) => unusual(draft, unit),
  record({ draft }) {
    const id = `${["7KQ2", "9XTM", "4B0C", "H3RZ"][world.lots.length % 4]}-${(1000 + world.lots.length).toString()}-NEW0`;
    const person = (world.people ?? []).find((one) => one.household === draft.household);
    const lot = { ...draft, id, full: id, householdName: person?.name ?? me().householdName, recordedBy: "this phone", mayCorrect: true, moisture: null, state: "recorded", weighedGrams: null, weighedGrade: "", reason: "",
      inConflict: false, damaged: false, notTakenIn: "", sent: false, history: [], conflicts: [] };
    world.lots.unshift(lot);
    changed(lot, "recorded", []);
    return { id };
  },
  lots(filter) {
    const all = chosen(filter);
    const totals = [];
    for (const lot of all) {
      let total = totals.find((one) => one.product === lot.product);
      if (!total) totals.push((total = { product: lot.product, lots: 0, recordedGrams: 0, receivedGrams: 0 }));
      total.lots += 1;
      total.recordedGrams += lot.grams;
      total.receivedGrams += lot.weighedGrams ?? 0;
    }
    const offset = filter.offset ?? 0;
    return { rows: all.slice(offset, offset + (filter.limit ?? 100)).map(shown), count: all.length, totals };
  },
  lot({ id }) {
    const lot = find(id);
    return { lot: shown(lot), conflicts: lot.conflicts, weighings: lot.weighings ?? [], history: lot.history, payFen: lot.weighedGrams ? Math.round(lot.weighedGrams * 0.76) : null };
  },
  unusualCorrection: ({ id, edits, unit }) => unusual({ ...find(id), ...Object.fromEntries(edits.map(({ field, value }) => [field, field === "grams" ? Number(value) : value])) }, unit),
  correct({ id, edits }) {
    const lot = find(id);
    for (const { field, value } of edits) lot[field] = field === "grams" ? Number(value) : value;
    lot.conflicts = lot.conflicts.filter((one) => !edits.some((edit) => edit.field === one.field));
    lot.inConflict = lot.conflicts.length > 0;
    changed(lot, "corrected", edits);
    return {};
  },
  withdraw({ id }) { const lot = find(id); lot.withdrawn = true; changed(lot, "withdrawn", []); return {}; },
  owed: () => ({ fen: 118_240, weighedLots: 5, withoutPrice: 1, advancesFen: 20_000,
    byProduct: [{ product: "millet", grams: 120_500, fen: 91_580 }, { product: "chestnut", grams: 37_630, fen: 46_660 }] }),
  questions({ state }) {
    const all = (world.questions ?? []).map((one) => ({ ...one, state: one.closed ? "closed" : one.answers.length > 0 ? "answered" : "open" }));
    return { rows: all.filter((one) => !state || one.state === state), open: all.filter((one) => one.state === "open").length };
  },
  answer({ id, text }) {
    const question = world.questions.find((one) => one.id === id);
    if (!question) throw fault("not-found", "question", "没有这个问题", "there is no such question");
    question.answers = [{ text, who: "this phone", at: Date.now() }];
    save();
    tell("changed");
    return null;
  },
  toReceive({ day, search }) {
    const groups = [];
    const isCard = search && methods.people({ search }).isCard;
    for (const lot of chosen({ state: "recorded", from: day, to: day, search: isCard ? "" : search })) {
      if (isCard && cardOf(lot.household) !== search) continue;
      let group = groups.find((one) => one.household === lot.household);
      if (!group) groups.push((group = { household: lot.household, householdName: lot.householdName, number: cardOf(lot.household), village: "xigou", lots: [] }));
      group.lots.push(shown(lot));
    }
    return groups;
  },
  unusualReceipt({ id, weighedGrams, unit }) {
    const { grams } = find(id);
    if (weighedGrams * 2 <= grams * 3 && grams * 2 <= weighedGrams * 3) return [];
    const [each, zh, en] = unit === "jin" ? [500, "斤", "jin"] : [1000, "公斤", "kg"];
    return [{ code: "weighed-far-from-recorded", field: "grams", meant: null,
      sentence: fault("", "", `过秤 ${weighedGrams / each} ${zh}与登记的 ${grams / each} ${zh}相差很远；是不是把公斤和斤弄混了？`,
        `${weighedGrams / each} ${en} weighed is far from the ${grams / each} ${en} recorded; were kilograms and jin mixed up?`).sentence }];
  },
  receive({ id, weighedGrams, grade }) { const lot = find(id); Object.assign(lot, { state: "received", weighedGrams, weighedGrade: grade }); changed(lot, "weighed", []); return {}; },
  reject({ id, reason }) { const lot = find(id); Object.assign(lot, { state: "rejected", reason }); changed(lot, "rejected", []); return {}; },
  leave({ force }) {
    if (unsent() > 0 && !force) throw fault("not-delivered", null, `还有 ${unsent()} 项没有送到`, `${unsent()} items were not sent`);
    Object.assign(me(), { enrolled: false, household: null, name: "" });
    world.lots = [];
    save();
    tell("changed");
    return {};
  },
};

export const core = {
  async start() {
    if (!world.slowStart) return;
    tell("loading", { done: 1, of: 4 });
    await new Promise((done) => { window.fakeStarts = done; });
  },
  get profile() { return shownProfile(me()); },
  get preferences() { return { language: world.language, unit: world.unit ?? "kg", large: Boolean(world.large) }; },
  async setPreferences(some) { Object.assign(world, some); save(); tell("profile"); },
  get kept() { const { names = null, draft = null, heard = world.heard ?? world.announcements[0]?.text } = JSON.parse(localStorage.getItem("fake.profile") ?? "{}")[world.current] ?? {}; return { names, draft, heard }; },
  async keep(fields) {
    const all = JSON.parse(localStorage.getItem("fake.profile") ?? "{}");
    all[world.current] = { ...all[world.current], ...fields };
    localStorage.setItem("fake.profile", JSON.stringify(all));
  },
  isWhole: true,
  get locked() { return locked; },
  async setPin(pin) { me().pin = pin; save(); tell("profile"); },
  async unlock(pin) {
    const one = me();
    if (one.wrong >= 4) return { ok: false, waitMillis: 15_000 };
    one.wrong = pin === one.pin ? 0 : (one.wrong ?? 0) + 1;
    locked = pin !== one.pin;
    save();
    if (!locked) tell("changed");
    return locked ? { ok: false, waitMillis: 0 } : { ok: true };
  },
  lock() { if (me().pin) { locked = true; tell("locked"); } },
  formOpen(open) { window.fakeForms = (window.fakeForms ?? 0) + (open ? 1 : -1); },
  get canInstall() { return Boolean(world.canInstall); },
  get installed() { return false; },
  async install() { return true; },
  on(event, listener) { listeners.set(event, [...(listeners.get(event) ?? []), listener]); },
  async call(method, args) {
    if (locked) throw fault("locked", null, "", "");
    if (world.slow) await new Promise((done) => setTimeout(done, world.slow));
    if (world.refuse?.includes(method)) throw fault("storage-full", null, "", "");
    // As over a worker: nothing of the world itself is handed out.
    return structuredClone(methods[method](args ?? {}));
  },
  async look(link) {
    if (offline()) throw fault("not-reached", null, "没有信号", "no signal");
    if (!link.includes("7KQ2")) throw fault("bad-invitation", "link", "没有这张邀请", "there is no such invitation");
    return { server: "granary.example.org:443", cooperative: world.cooperative, role: "household", whose: "李秀英" };
  },
  async enrol(link, device) {
    await core.look(link);
    Object.assign(me(), { enrolled: true, role: "household", household: "H-NEW", householdName: "李秀英", name: device });
    world.enrolledAs = device;
    save();
    return {};
  },
  async sync() {
    if (offline()) throw fault("not-reached", null, "没有信号，记的都在这部手机里", "no signal; all is kept on this phone");
    deliver();
  },
  async exportOutbox() { return new Blob([new Uint8Array([1, 2, 3])]); },
  async importOutbox(bytes) { if (offline()) throw fault(world.lineFault ?? "not-reached", null, "没有信号，会再试", "no signal; it will be tried again"); if (bytes.size === 0) throw fault("bad-file", "file", "这不是手机交出的文件", "this is no phone's file"); return {}; },
  async profiles() { return world.profiles.map(shownProfile); },
  async addProfile() { const id = `p${world.profiles.length + 1}`; world.profiles.push({ id, name: "", enrolled: false, role: "household", household: null, householdName: "" }); save(); return id; },
  async switchProfile(id) { world.current = id; locked = Boolean(me().pin); save(); tell("profile"); tell("changed"); },
  async removeProfile(id, { force = false } = {}) {
    if (me().enrolled) await core.call("leave", { force });
    world.profiles = world.profiles.filter((one) => one.id !== id);
    if (world.profiles.length === 0) await core.addProfile();
    if (world.current === id) await core.switchProfile(world.profiles[0].id);
    save();
  },
  async storage() { const storage = { usage: 3_200_000, quota: 900_000_000, persisted: Boolean(world.persisted), nearlyFull: Boolean(world.nearlyFull) }; tell("storage", storage); return storage; },
  async setLanguage(code) { world.language = code; save(); tell("profile"); tell("changed"); },
  async applyUpdate() { window.fakeUpdated = true; },
};

window.fake = {
  get world() { return world; },
  set(some) { Object.assign(world, some); save(); tell("status"); tell("changed"); tell("profile"); core.storage(); },
  deliver, tell, dayMillis: DAY_MS,
};
