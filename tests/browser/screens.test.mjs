// The app's screens in a real browser over a core in memory: what a villager and a packer do, told as they do it.
//
//   node --test tests/browser/screens.test.mjs
import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";
import { serve } from "./fake/screens.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const PHONE = { width: 360, height: 740 };
let site;
let browser;

before(async () => {
  site = await serve();
  browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
});
after(async () => {
  await browser?.close();
  await site?.close();
});

// Opens the app over a world; ends with a failure if the page had an error or broke its policy.
async function open(world, path, run, { viewport = PHONE, dark = false, lastGrade = "A" } = {}) {
  const context = await browser.newContext({ viewport, locale: world.language === "en" ? "en-GB" : "zh-CN", colorScheme: dark ? "dark" : "light", hasTouch: true });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  const problems = [];
  page.on("pageerror", (error) => problems.push(error.message));
  page.on("console", (message) => { if (message.type() === "error") problems.push(message.text()); });
  await page.addInitScript(([json, lastGrade]) => {
    if (localStorage.getItem("fake.world") === null) {
      localStorage.setItem("fake.world", json);
      // As after a season: each product had a grade once.
      for (const code of lastGrade ? ["millet", "chestnut", "chilli", "potato"] : []) localStorage.setItem(`granary.grade.p1.${code}`, lastGrade);
    }
    window.buzzes = [];
    navigator.vibrate = (millis) => { window.buzzes.push(millis); return true; };
  }, [JSON.stringify(world), lastGrade]);
  try {
    await page.goto(`${site.address}${path}`);
    await page.waitForSelector("main, progress");
    await run(page);
    assert.deepEqual(problems, []);
  } finally {
    await context.close();
  }
}

const main = (page) => page.locator(".action .main");
const key = (page, name) => page.locator(".pad").getByRole("button", { name, exact: true });
async function type(page, digits, tap = (locator) => locator.click()) {
  for (const digit of digits) await tap(key(page, digit === "." ? /小数点|Point/ : digit));
}
const told = (page, sentence) => page.waitForFunction((wanted) => document.getElementById("said").textContent.includes(wanted), sentence);

test("a harvest is recorded in at most ten taps, kept at once, and said to be with the co-operative when it is", () => open({ holdLine: true }, "", async (page) => {
  let taps = 0;
  const tap = async (locator) => { taps += 1; await locator.click(); };
  await tap(page.getByRole("button", { name: "板栗" }));
  await type(page, "12.5", tap);
  assert.equal(await page.getByLabel("重量").inputValue(), "12.5");
  await tap(main(page));
  await page.getByText("存在这部手机里了").first().waitFor();
  assert.ok(taps <= 10, `${taps} taps`);
  assert.match(await page.locator(".kept-lot").innerText(), /板栗 12\.5 公斤[\s\S]*A 级[\s\S]*今天[\s\S]*批号 \w{4}-\w{4}-\w{4}/);
  assert.ok((await page.evaluate(() => window.buzzes)).includes(30), "the hand feels it");
  const [lot] = await page.evaluate(() => window.fake.world.lots);
  assert.deepEqual([lot.product, lot.grams, lot.grade, lot.day, lot.household], ["chestnut", 12_500, "A", "2026-10-03", "H-LI"]);
  await page.evaluate(() => window.fake.deliver());
  await page.locator(".kept-where", { hasText: "合作社收到了" }).waitFor();
  await page.locator(".line", { hasText: "都送到合作社了" }).waitFor();
}));

test("on the smallest screen all keys stand above the button, also when a grade is missing", () => open({ holdLine: true }, "", async (page) => {
  await page.getByRole("button", { name: "板栗" }).click();
  await type(page, "12");
  const hidden = () => page.evaluate(() => document.querySelector(".pad").getBoundingClientRect().bottom - document.querySelector(".action").getBoundingClientRect().top);
  assert.ok((await hidden()) <= 0, "before");
  await main(page).click();
  await page.getByRole("alert").filter({ hasText: "请选等级" }).waitFor();
  assert.ok((await hidden()) <= 0, "with the fault");
}, { viewport: { width: 360, height: 640 }, lastGrade: "" }));

test("a grade that nobody chose is not recorded: it is one tap, and a lot stays within ten", () => open({ holdLine: true }, "", async (page) => {
  let taps = 0;
  const tap = async (locator) => { taps += 1; await locator.click(); };
  await tap(page.getByRole("button", { name: "板栗" }));
  await type(page, "12.5", tap);
  assert.equal(await page.getByRole("radio", { checked: true }).count(), 0, "none is chosen for her");
  await tap(main(page));
  await page.getByRole("alert").filter({ hasText: "请选等级" }).waitFor();
  assert.equal(await page.evaluate(() => window.fake.world.lots.length), 24);
  await tap(page.locator(".choice label", { hasText: "B 级" }));
  await tap(main(page));
  await page.locator(".kept-lot", { hasText: "12.5 公斤" }).waitFor();
  assert.ok(taps <= 10, `${taps} taps`);
  assert.equal(await page.evaluate(() => window.fake.world.lots[0].grade), "B");
  const [grade, day] = await page.locator(".kept-lot").evaluate((card) => [...card.querySelectorAll("p")].slice(1, 3).map((line) => parseFloat(getComputedStyle(line).fontSize)));
  assert.ok(grade > day, "the grade is shown large");
  await page.getByRole("button", { name: "再记一批" }).click();
  await page.getByRole("button", { name: "板栗" }).click();
  assert.equal(await page.getByRole("radio", { name: "B 级" }).isChecked(), true, "her last one of this product");
}, { lastGrade: "" }));

test("the only grade of a product is chosen and said; a last one that is gone is not", () => open({
  products: [{ code: "millet", nameZh: "小米", nameEn: "Millet", grades: ["一等"], usual: 3, prices: [] }, { code: "walnut", nameZh: "核桃", nameEn: "Walnuts", grades: ["A", "B"], usual: 2, prices: [] }],
}, "", async (page) => {
  await page.evaluate(() => localStorage.setItem("granary.grade.p1.walnut", "D"));
  await page.getByRole("button", { name: "核桃" }).click();
  assert.equal(await page.getByRole("radio", { checked: true }).count(), 0);
  await page.goBack();
  await page.getByRole("button", { name: "小米" }).click();
  assert.equal(await page.getByRole("radio", { name: "一等 级" }).isChecked(), true);
  await type(page, "8");
  await main(page).click();
  await page.locator(".kept-lot", { hasText: "一等 级" }).waitFor();
}, { lastGrade: "" }));

test("what was just recorded can be undone, after a question", () => open({}, "", async (page) => {
  await page.getByRole("button", { name: "小米" }).click();
  await type(page, "8");
  await main(page).click();
  await page.getByRole("button", { name: "撤销" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "留着" }).click();
  assert.equal(await page.evaluate(() => Boolean(window.fake.world.lots[0].withdrawn)), false);
  await page.getByRole("button", { name: "撤销" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "撤销" }).click();
  await page.getByRole("heading", { name: "收的是什么？" }).waitFor();
  assert.equal(await page.evaluate(() => window.fake.world.lots[0].withdrawn), true);
}));

test("the pad writes a figure: one point, no idle zeros, and takes digits back", () => open({}, "", async (page) => {
  await page.getByRole("button", { name: "小米" }).click();
  const figure = page.getByLabel("重量");
  await type(page, "0012..5.7");
  assert.equal(await figure.inputValue(), "12.57");
  await key(page, "删一位").click();
  assert.equal(await figure.inputValue(), "12.5");
  for (let times = 0; times < 5; times += 1) await key(page, "删一位").click();
  await type(page, ".5");
  assert.equal(await figure.inputValue(), "0.5");
  await page.getByRole("button", { name: /换单位/ }).click();
  await main(page).click();
  await page.locator(".kept-lot").waitFor();
  assert.equal(await page.evaluate(() => window.fake.world.lots[0].grams), 250, "half a jin");
  assert.match(await page.locator(".kept-lot").innerText(), /0\.5 斤/);
}));

test("a figure is seen whole, however long", () => open({ large: true }, "", async (page) => {
  await page.getByRole("button", { name: "小米" }).click();
  for (const figure of ["8", "12.5", "1250", "1234.5", "12345.67", "123456.789"]) {
    await page.getByLabel("重量").fill(figure);
    assert.ok(await page.getByLabel("重量").evaluate((field) => field.scrollWidth <= field.clientWidth), figure);
  }
}));

test("no figure is no record: the core's sentence is shown and read out", () => open({}, "", async (page) => {
  await page.getByRole("button", { name: "小米" }).click();
  await main(page).click();
  await page.getByRole("alert").filter({ hasText: "请输入重量" }).waitFor();
  assert.equal(await page.getByLabel("重量").getAttribute("aria-invalid"), "true");
  assert.equal(await page.evaluate(() => window.fake.world.lots.length), 24);
  // The next figure answers it.
  await type(page, "8");
  await page.getByRole("alert").waitFor({ state: "detached" });
}));

test("an unusual weight is asked back, and nothing is kept before the answer", () => open({}, "", async (page) => {
  await page.getByRole("button", { name: "小米" }).click();
  await type(page, "1250");
  await main(page).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("1250 公斤与平常的 5 到 80 公斤相差很远").waitFor();
  assert.equal(await page.evaluate(() => window.fake.world.lots.length), 24);
  await dialog.getByRole("button", { name: "改一改" }).click();
  await key(page, "删一位").click();
  await main(page).click();
  await page.locator(".kept-lot", { hasText: "125 公斤" }).waitFor();
  await page.getByRole("button", { name: "再记一批" }).click();
  await page.getByRole("button", { name: "小米" }).click();
  await type(page, "1250");
  await main(page).click();
  await dialog.getByRole("button", { name: "没错" }).click();
  await page.locator(".kept-lot", { hasText: "1,250 公斤" }).waitFor();
}));

test("who weighs in jin is asked back in jin, in recording and in correcting", () => open({ unit: "jin" }, "", async (page) => {
  await page.getByRole("button", { name: "小米" }).click();
  if (await page.getByRole("button", { name: /换单位/ }).innerText() !== "斤") await page.getByRole("button", { name: /换单位/ }).click();
  await type(page, "2500");
  await main(page).click();
  await page.getByRole("dialog").getByText("2500 斤与平常的 10 到 160 斤相差很远").waitFor();
  await page.getByRole("dialog").getByRole("button", { name: "没错" }).click();
  await page.getByRole("button", { name: "查看或更正" }).click();
  await page.getByRole("link", { name: "更正重量" }).click();
  await main(page).click();
  await page.getByRole("dialog").getByText("2500 斤与平常的 10 到 160 斤相差很远").waitFor();
}));

test("yesterday is one tap; another day, a place and a note are kept with the lot", () => open({}, "", async (page) => {
  await page.getByRole("button", { name: "辣椒" }).click();
  await page.getByRole("button", { name: "昨天" }).click();
  await page.getByRole("button", { name: "备注" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "后山" }).click();
  await page.getByRole("dialog").getByLabel("备注").fill("晒了两天");
  await page.getByRole("dialog").getByRole("button", { name: "好了" }).click();
  await page.getByRole("radio", { name: "B 级" }).check();
  await type(page, "3");
  await main(page).click();
  await page.locator(".kept-lot").waitFor();
  const [lot] = await page.evaluate(() => window.fake.world.lots);
  assert.deepEqual([lot.day, lot.place, lot.note, lot.grade], ["2026-10-02", "houshan", "晒了两天", "B"]);
  await page.getByRole("button", { name: "再记一批" }).click();
  await page.getByRole("button", { name: "辣椒" }).click();
  assert.equal(await page.getByRole("radio", { name: "B 级" }).isChecked(), true, "the last grade of this product is guessed");
  await page.getByRole("button", { name: "选日期" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "9月29日（周二）" }).click();
  await page.getByRole("button", { name: "9月29日", exact: true }).waitFor();
}));

test("what was typed survives a reload and a switch of tabs; the back button leads back", () => open({}, "", async (page) => {
  await page.getByRole("button", { name: "板栗" }).click();
  await type(page, "37.2");
  assert.equal(await page.evaluate(() => window.fakeForms), 1, "an update waits while the form is open");
  await page.reload();
  await page.getByLabel("重量").waitFor();
  assert.equal(await page.getByLabel("重量").inputValue(), "37.2");
  await page.goBack();
  await page.getByText("这一批还没有记完").waitFor();
  await page.getByRole("link", { name: "价格" }).click();
  await page.getByRole("heading", { name: "价格", level: 1 }).waitFor();
  await page.getByRole("link", { name: "记收成" }).click();
  await page.getByRole("button", { name: "接着记" }).click();
  assert.equal(await page.getByLabel("重量").inputValue(), "37.2");
  assert.match(await page.getByRole("heading", { level: 1 }).innerText(), /板栗/);
}));

// The whole browser is killed; what stays is what the profile keeps.
test("a figure that was typed is there after the browser was killed, on its own day, and never said to be kept", () => open({}, "", async (page) => {
  const killed = async () => {
    await page.evaluate(() => { for (const key of Object.keys(sessionStorage)) if (key.startsWith("granary.")) sessionStorage.removeItem(key); });
    await page.goto(page.url().split("#")[0]);
    await page.reload();
  };
  await page.getByRole("button", { name: "板栗" }).click();
  await type(page, "37.2");
  await killed();
  await page.evaluate(() => window.fake.set({ today: "2026-10-04" }));
  await page.getByText("这一批还没有记完").waitFor();
  await page.getByText("板栗 · 37.2 公斤").waitFor();
  assert.equal(await page.getByText("存在这部手机里了").count(), 0);
  await page.getByRole("button", { name: "接着记" }).click();
  assert.equal(await page.getByRole("button", { name: "昨天" }).getAttribute("aria-pressed"), "true");
  await main(page).click();
  await page.locator(".kept-lot", { hasText: "37.2 公斤" }).waitFor();
  assert.equal(await page.evaluate(() => window.fake.world.lots[0].day), "2026-10-03");
  await killed();
  await page.getByText(/今天记了|今天还没有记/).waitFor();
  assert.equal(await page.getByText("这一批还没有记完").count(), 0);
}));

test("without a signal the app stays calm and says where everything is", () => open({ offline: true }, "", async (page) => {
  await page.locator(".line", { hasText: "没有信号" }).waitFor();
  await page.getByRole("button", { name: "小米" }).click();
  await type(page, "9");
  await main(page).click();
  await page.getByText("存在这部手机里了").first().waitFor();
  await page.getByRole("link", { name: "状态" }).click();
  await page.getByText("没有信号，不要紧：都存在这部手机里。").waitFor();
  await main(page).click();
  await page.getByRole("alert").filter({ hasText: "没有信号" }).waitFor();
}));

test("what was set aside is never said to be with the co-operative", () => open({ lots: 5, undelivered: 2 }, "#/status", async (page) => {
  await page.locator(".line", { hasText: "2 项没有收下，放在一边" }).waitFor();
  await page.getByText("没有丢，但合作社还没有收下。").waitFor();
  assert.doesNotMatch(await page.locator("body").innerText(), /都送到合作社了|合作社都有了/);
  await page.getByRole("link", { name: "在这部手机上退出" }).click();
  await page.getByText("2 项还没有送到，退出就没有了。").waitFor();
}));

test("two values of one weight stand side by side, and one tap settles it", () => open({}, "#/harvest", async (page) => {
  await page.getByRole("link", { name: /写得不一样/ }).click();
  await page.getByRole("heading", { name: "重量写得不一样" }).waitFor();
  await page.getByRole("button", { name: "15.8 公斤: 这个对" }).click();
  await told(page, "定好了");
  await page.getByRole("heading", { name: /15\.8 公斤/, level: 1 }).waitFor();
  assert.equal(await page.getByRole("heading", { name: "重量写得不一样" }).count(), 0);
  const lot = await page.evaluate(() => window.fake.world.lots.find((one) => one.grams === 15_800));
  assert.deepEqual([lot.inConflict, lot.conflicts.length], [false, 0]);
}));

test("the first page says that a lot waits for her choice; beside each value stands who wrote it and when", () => open({}, "", async (page) => {
  const row = page.getByRole("link", { name: /有一批写得不一样，请您选对的。\s*\S+ · 今天/ });
  await row.click();
  const sides = page.locator(".side");
  await sides.first().waitFor();
  assert.match(await sides.nth(0).innerText(), /15\.8 公斤\s+别的手机\s+10月3日（周六） \d+:05/);
  assert.match(await sides.nth(1).innerText(), /18\.5 公斤\s+这部手机\s+10月3日（周六） \d+:30/);
  assert.match(await page.locator(".history").innerText(), /更正 别的手机/);
  await page.getByRole("button", { name: "18.5 公斤: 这个对" }).click();
  await told(page, "定好了");
  await page.getByRole("link", { name: "记收成" }).click();
  await page.locator(".today").waitFor();
  assert.equal(await row.count(), 0);
}));

test("of several lots with two values the first page leads to their list", () => open({}, "", async (page) => {
  await page.evaluate(() => { Object.assign(window.fake.world.lots[7], { inConflict: true }); window.fake.set({}); });
  await page.getByRole("link", { name: "有 2 批写得不一样" }).click();
  await page.waitForFunction(() => document.querySelectorAll(".lot").length === 2);
}));

test("every field of a lot can be corrected, and a lot withdrawn after a question", () => open({}, "#/harvest", async (page) => {
  await page.locator(".lot a").first().click();
  const id = (await page.locator(".lot-number .code").innerText()).trim();
  const lot = () => page.evaluate((wanted) => window.fake.world.lots.find((one) => one.id === wanted), id);
  for (const [field, act, wanted] of [
    ["重量", async () => { for (let times = 0; times < 6; times += 1) await key(page, "删一位").click(); await type(page, "21.4"); await main(page).click(); }, { grams: 21_400 }],
    ["产品", () => page.getByRole("button", { name: "核桃" }).click(), { product: "walnut" }],
    ["等级", async () => { await page.getByRole("radio", { name: "C 级" }).check(); await main(page).click(); }, { grade: "C" }],
    ["日期", () => page.getByRole("button", { name: "昨天" }).click(), { day: "2026-10-02" }],
    ["地点", async () => { await page.getByRole("button", { name: "河湾" }).click(); await main(page).click(); }, { place: "hewan" }],
    ["备注", async () => { await page.getByRole("textbox", { name: "备注" }).fill("重称过"); await main(page).click(); }, { note: "重称过" }],
  ]) {
    await page.getByRole("link", { name: `更正${field}` }).click();
    await act();
    await page.locator(".lot-number").waitFor();
    const [[name, value]] = Object.entries(wanted);
    assert.equal((await lot())[name], value, field);
  }
  await page.getByRole("button", { name: "撤回这一批" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "撤回" }).click();
  await page.getByRole("heading", { name: "我的收成" }).waitFor();
  assert.equal((await lot()).withdrawn, true);
}));

test("long lists come sixty at a time, and search finds by number, place and note", () => open({ lots: 1_500 }, "#/harvest", async (page) => {
  await page.locator(".lot").first().waitFor();
  assert.equal(await page.locator(".lot").count(), 60);
  await page.getByRole("button", { name: "较早的" }).click();
  await page.getByText("2 / 25").waitFor();
  assert.equal(await page.locator(".lot").count(), 60);
  await page.goBack();
  await page.getByText("1 / 25").waitFor();
  const { id } = await page.evaluate(() => window.fake.world.lots[777]);
  await page.getByLabel("搜索").fill(id.toLowerCase());
  await page.waitForFunction(() => document.querySelectorAll(".lot").length === 1);
  await page.locator(".lot a").click();
  await page.getByText(id).waitFor();
  await page.goBack();
  assert.equal(await page.getByLabel("搜索").inputValue(), id.toLowerCase(), "back leads to what was found");
}));

test("the first start says how far it is", () => open({ slowStart: true }, "", async (page) => {
  await page.getByText("正在取来").waitFor();
  assert.equal(await page.getByRole("progressbar").getAttribute("value"), "1");
  await page.evaluate(() => window.fakeStarts());
  await page.getByRole("heading", { name: "收的是什么？" }).waitFor();
}));

test("nothing moves by itself, also when answers take their time", () => open({ lots: 300, slow: 60 }, "#/record", async (page) => {
  await page.evaluate(() => {
    window.shifts = [];
    new PerformanceObserver((list) => {
      for (const { value, sources } of list.getEntries()) window.shifts.push(`${value}: ${sources.map(({ node }) => node?.className).join()}`);
    }).observe({ type: "layout-shift", buffered: true });
  });
  for (const [path, there] of [["harvest", ".lot"], ["prices", ".price"], ["owed", ".owed-sum"], ["status", ".ways"], ["record", ".today"], ["harvest", ".lot"]]) {
    await page.evaluate((to) => { location.hash = `#/${to}`; }, path);
    await page.locator(there).first().waitFor();
  }
  await page.evaluate(() => window.fake.set({ offline: true }));
  await page.locator(".line", { hasText: "没有信号" }).waitFor();
  await page.evaluate(() => new Promise((done) => { requestAnimationFrame(() => requestAnimationFrame(done)); }));
  assert.deepEqual(await page.evaluate(() => window.shifts), []);
}));

test("a PIN locks the app; nothing of the harvest is in the page before it is right; the draft is there after", () => open({}, "", async (page) => {
  await page.getByRole("button", { name: "小米" }).click();
  await type(page, "44");
  await page.evaluate(() => { location.hash = "#/settings"; });
  await page.getByRole("button", { name: "设密码" }).click();
  await type(page, "1357");
  await page.getByRole("heading", { name: "再输一次" }).waitFor();
  await type(page, "1357");
  await told(page, "密码设好了");
  await page.reload();
  await page.getByRole("heading", { name: "请输密码" }).waitFor();
  assert.doesNotMatch(await page.locator("body").innerText(), /小米|公斤|李秀英/);
  await type(page, "1111");
  await page.getByText("密码不对").waitFor();
  await type(page, "1357");
  await page.getByRole("button", { name: "不要密码" }).waitFor();
  await page.getByRole("link", { name: "记收成" }).click();
  await page.getByText("小米 · 44 公斤").waitFor();
}));

// The pad took a zero before another digit away, as of a weight.
test("a PIN with zeros in front is set and typed on the app's own pad", () => open({}, "#/settings", async (page) => {
  await page.getByRole("button", { name: "设密码" }).click();
  await type(page, "0012");
  await page.getByRole("heading", { name: "再输一次" }).waitFor();
  await type(page, "0012");
  await told(page, "密码设好了");
  await page.reload();
  await page.getByRole("heading", { name: "请输密码" }).waitFor();
  await type(page, "0012");
  await page.getByRole("button", { name: "不要密码" }).waitFor();
}));

test("a lot that was weighed is withdrawn only after what is no longer owed was said", () => open({}, "#/harvest?only=received", async (page) => {
  await page.locator(".lot a").first().click();
  const pays = (await page.locator(".weighed-card").innerText()).match(/应付 (\S+)/)[1];
  await page.getByRole("button", { name: "撤回这一批" }).click();
  await page.getByRole("dialog").getByText(`应付 ${pays}`).waitFor();
  await page.getByRole("dialog").getByRole("button", { name: "留着" }).click();
}));

test("an address that names no field leads to the lot, and one of no lot says that nothing is kept", () => open({}, "#/harvest", async (page) => {
  const id = (await page.locator(".lot a").first().getAttribute("href")).split("/").at(-1);
  for (const field of ["", "/nothing"]) {
    await page.evaluate((path) => { location.hash = path; }, `#/lot/${id}/correct${field}`);
    await page.waitForFunction((wanted) => location.hash === wanted, `#/lot/${id}`);
    await page.getByRole("heading", { name: "记的内容" }).waitFor();
  }
  await page.evaluate(() => { location.hash = "#/kept/7KQ2-0000-NONE"; });
  await page.getByRole("alert").waitFor();
  assert.doesNotMatch(await page.locator("body").innerText(), /记好了|存在这部手机里了/);
  // The scale is the warehouse's.
  await page.evaluate((path) => { location.hash = path; }, `#/receive/${id}`);
  await page.getByRole("heading", { name: "收的是什么？" }).waitFor();
}));

test("joining: a code in the address is taken out of it, looked at, and confirmed", () => open({ enrolled: false }, "#7KQ2-M9XT-4B0F", async (page) => {
  await page.getByText("太行小米合作社").waitFor();
  assert.match(await page.locator("main").innerText(), /李秀英[\s\S]*农户的手机[\s\S]*granary\.example\.org/);
  assert.doesNotMatch(page.url(), /7KQ2/);
  assert.equal(await page.evaluate(() => window.fake.world.profiles[0].enrolled), false, "looking uses nothing up");
  await page.getByLabel("这部手机叫什么").fill("秀英的手机");
  await main(page).click();
  await page.getByRole("heading", { name: "收的是什么？" }).waitFor();
  assert.equal(await page.evaluate(() => window.fake.world.enrolledAs), "秀英的手机");
}));

test("joining: a code may be typed in any form; a short one and a wrong one are told", () => open({ enrolled: false, language: "en" }, "", async (page) => {
  const code = page.getByLabel("Invitation code");
  await code.fill("7kq2 m9");
  await main(page).click();
  await page.getByRole("alert").filter({ hasText: "12 letters" }).waitFor();
  await code.fill("AAAA BBBB CCCC");
  await main(page).click();
  await page.getByRole("alert").filter({ hasText: "no such invitation" }).waitFor();
  // Another try with it is of no use: she corrects it, or holds another before the camera.
  assert.equal(await page.getByRole("button", { name: "Try again" }).count(), 0);
  await page.getByRole("button", { name: "Scan" }).click();
  await page.getByRole("button", { name: "Type it instead" }).click();
  assert.equal(await code.inputValue(), "AAAA-BBBB-CCCC");
  await main(page).click();
  await main(page).filter({ hasText: "Change the code" }).click();
  assert.equal(await code.inputValue(), "AAAA-BBBB-CCCC", "what was typed is there");
  await code.fill("７kq2m9xt 4b0c");
  await main(page).click();
  await page.getByText("太行小米合作社").waitFor();
}));

test("leaving says what would be lost, and loses it only when told to", () => open({ holdLine: true }, "#/status", async (page) => {
  await page.getByRole("link", { name: "在这部手机上退出" }).click();
  await page.getByText("2 项还没有送到，退出就没有了。").waitFor();
  const [table] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "存成表格（CSV）" }).click()]);
  assert.equal(table.suggestedFilename(), "granary-2026-10-03.csv");
  const text = readFileSync(await table.path(), "utf8");
  assert.match(text, /^\uFEFF批号,农户,日期,产品,重量 \(公斤\),等级,水分 \(%\),地点,备注,状态,称重 \(公斤\),原因,合作社没有收下\r\n/);
  await page.getByRole("button", { name: "退出", exact: true }).click();
  await page.getByRole("dialog").getByRole("button", { name: "不退出" }).click();
  assert.equal(await page.evaluate(() => window.fake.world.lots.length), 24);
  await page.getByRole("button", { name: "退出", exact: true }).click();
  await page.getByRole("dialog").getByText("会丢掉 2 项没有送到的内容").waitFor();
  await page.getByRole("dialog").getByRole("button", { name: "丢掉并退出" }).click();
  await page.getByLabel("邀请码").waitFor();
}));

test("a phone that was laid aside for two minutes is locked; one that was away for less is not", () => open({ pin: "1357" }, "", async (page) => {
  await page.getByRole("heading", { name: "请输密码" }).waitFor();
  await type(page, "1357");
  await page.getByRole("heading", { name: "收的是什么？" }).waitFor();
  // The clock and the visibility are the test's own.
  const away = (seconds) => page.evaluate((seconds) => {
    const real = Date.now;
    const show = (hidden) => {
      Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
      document.dispatchEvent(new Event("visibilitychange"));
    };
    show(true);
    Date.now = () => real() + seconds * 1000;
    show(false);
    Date.now = real;
  }, seconds);
  await away(119);
  assert.equal(await page.getByRole("heading", { name: "请输密码" }).count(), 0);
  await away(121);
  await page.getByRole("heading", { name: "请输密码" }).waitFor();
  assert.doesNotMatch(await page.locator("body").innerText(), /小米|公斤|李秀英/);
}));

for (const [how, share, said] of [["it is taken", "taken", "文件交出去了"], ["she closes it", "closed", ""], ["it fails", "failed", "文件存在“下载”里了"]]) {
  test(`the outbox is shared by the phone's own sharing: ${how}`, () => open({ holdLine: true }, "", async (page) => {
    await page.evaluate((share) => {
      window.shared = [];
      navigator.canShare = ({ files }) => files.length === 1;
      navigator.share = async ({ files: [file], title }) => {
        window.shared.push([file.name, file.size, title]);
        if (share !== "taken") throw new DOMException("no", share === "closed" ? "AbortError" : "NotAllowedError");
      };
      location.hash = "#/handover";
    }, share);
    const saved = share === "failed" ? page.waitForEvent("download") : null;
    await page.getByRole("button", { name: "分享文件" }).click();
    await page.waitForFunction(() => window.shared.length === 1);
    assert.deepEqual(await page.evaluate(() => window.shared[0].slice(0, 2)), ["granary-2026-10-03.outbox", 3]);
    if (saved) assert.equal((await saved).suggestedFilename(), "granary-2026-10-03.outbox");
    if (said) await page.locator(".banner.good", { hasText: said }).waitFor();
    else {
      await page.waitForFunction(() => document.querySelectorAll("main button:disabled").length === 0);
      assert.equal(await page.locator(".banner.good").count(), 0, "nothing is said to be done");
    }
  }));
}

test("the outbox goes out as a file, and another phone's file comes in", () => open({ holdLine: true }, "#/handover", async (page) => {
  const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "存成文件" }).click()]);
  assert.equal(file.suggestedFilename(), "granary-2026-10-03.outbox");
  await page.locator("#file").setInputFiles({ name: "other.outbox", mimeType: "application/octet-stream", buffer: Buffer.from([]) });
  await page.getByRole("alert").filter({ hasText: "这不是手机交出的文件" }).waitFor();
  await page.locator("#file").setInputFiles({ name: "other.outbox", mimeType: "application/octet-stream", buffer: Buffer.from([1]) });
  await page.getByText("送到合作社了。").first().waitFor();
  // A file that was not delivered is nowhere in this phone.
  await page.evaluate(() => window.fake.set({ offline: true }));
  await page.locator("#file").setInputFiles({ name: "other.outbox", mimeType: "application/octet-stream", buffer: Buffer.from([1]) });
  await page.getByRole("alert").filter({ hasText: "文件没有存进谷仓，请留好" }).waitFor();
}));

test("two households share a phone, each with its own draft", () => open({}, "", async (page) => {
  await page.getByRole("button", { name: "小米" }).click();
  await type(page, "5");
  await page.evaluate(() => { location.hash = "#/people"; });
  await page.getByRole("button", { name: "加一户" }).click();
  await page.getByLabel("邀请码").fill("7KQ2M9XT4B0F");
  await main(page).click();
  await page.getByRole("button", { name: "对，加入" }).click();
  await page.getByRole("heading", { name: "收的是什么？" }).waitFor();
  assert.equal(await page.getByText("这一批还没有记完").count(), 0);
  await page.evaluate(() => { location.hash = "#/people"; });
  await page.locator(".way[aria-pressed=false]").click();
  await page.getByText("小米 · 5 公斤").waitFor();
}));

test("a packer says the grade that the warehouse sees: the household's is told, and never chosen for her", () => open({ role: "packer" }, "#/receive", async (page) => {
  const first = page.locator(".lot a").first();
  const id = (await first.getAttribute("href")).split("/").at(-1);
  const lot = () => page.evaluate((wanted) => window.fake.world.lots.find((one) => one.id === wanted), id);
  const { grade, grams } = await lot();
  await first.click();
  await page.getByText(`农户说 ${grade} 级`).waitFor();
  assert.equal(await page.getByRole("radio", { checked: true }).count(), 0);
  await type(page, String(grams / 1000));
  await main(page).click();
  await page.getByRole("alert").filter({ hasText: "请选仓库看到的等级" }).waitFor();
  assert.equal((await lot()).state, "recorded");
  await page.locator(".choice label", { hasText: `${grade} 级` }).click();
  await main(page).click();
  await page.locator(".banner", { hasText: "入库了" }).waitFor();
  assert.equal((await lot()).weighedGrade, grade);
}));

test("a packer finds what she holds by the number on the sack and by the household's card", () => open({ role: "packer" }, "#/receive", async (page) => {
  const search = page.getByLabel("姓名、批号、卡号");
  const lots = () => page.locator(".lot a").count();
  await page.locator(".lot a").first().waitFor();
  const all = await lots();
  const id = (await page.locator(".lot a").last().getAttribute("href")).split("/").at(-1);
  await search.fill(id.slice(0, 9).toLowerCase());
  await page.waitForFunction(() => document.querySelectorAll(".lot a").length === 1);
  assert.ok(all > 1);
  const names = (wanted) => page.waitForFunction((wanted) => [...document.querySelectorAll(".day h2")].map((one) => one.textContent.slice(0, 3)).join() === wanted, wanted);
  await search.fill("");
  await page.waitForFunction((all) => document.querySelectorAll(".lot a").length === all, all);
  // Some digits of the card, the name's sound in full or by initials, the village.
  for (const typed of ["4821 7392", "7392", "zgl", "zhangguil", "ZhangGL", "张桂"]) {
    await search.fill(typed);
    await names("张桂兰");
  }
  await search.fill("xgc");
  await page.waitForFunction((all) => document.querySelectorAll(".lot a").length === all, all);
  await search.fill("4821 7397");
  await page.getByText("没有找到。").waitFor();
}));

test("a household without a name is called by the number of its card", () => open({ role: "packer" }, "#/receive", async (page) => {
  await page.evaluate(() => { for (const lot of window.fake.world.lots) lot.householdName = ""; window.fake.set({}); });
  await page.getByRole("heading", { name: /农户 4821 739\d/ }).first().waitFor();
  await page.locator(".lot a").first().click();
  await page.getByRole("heading", { name: /农户 4821 739\d/, level: 1 }).waitFor();
}));

test("a packer weighs a lot in, and sends another back with a reason", () => open({ role: "packer" }, "", async (page) => {
  await page.getByRole("heading", { name: "收货" }).waitFor();
  await page.getByLabel("姓名、批号、卡号").fill("张桂兰");
  await page.waitForFunction(() => document.querySelectorAll(".day h2").length === 1);
  const first = page.locator(".lot a").first();
  const id = (await first.getAttribute("href")).split("/").at(-1);
  const grams = await page.evaluate((wanted) => window.fake.world.lots.find((one) => one.id === wanted).grams, id);
  await first.click();
  await type(page, String(grams / 1000 - 0.5));
  await page.getByRole("radio", { name: "B 级" }).check();
  await main(page).click();
  await page.locator(".banner", { hasText: "入库了" }).waitFor();
  const lot = await page.evaluate((wanted) => window.fake.world.lots.find((one) => one.id === wanted), id);
  assert.deepEqual([lot.state, lot.weighedGrams, lot.weighedGrade], ["received", grams - 500, "B"]);
  await page.locator(".lot a").first().click();
  await page.getByRole("button", { name: "退回" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "退回", exact: true }).click();
  await page.getByRole("alert").filter({ hasText: "退回要写原因" }).waitFor();
  await page.getByRole("dialog").getByRole("button", { name: "太湿" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "退回", exact: true }).click();
  await page.locator(".banner", { hasText: "退回了" }).waitFor();
  assert.equal(await page.evaluate(() => window.fake.world.lots.find((one) => one.state === "rejected").reason), "太湿");
}));

test("half of what was recorded is asked back as the other unit, and a weighing is done anew", () => open({ role: "packer" }, "#/receive", async (page) => {
  const id = (await page.locator(".lot a").first().getAttribute("href")).split("/").at(-1);
  const lot = () => page.evaluate((wanted) => window.fake.world.lots.find((one) => one.id === wanted), id);
  const { grams } = await lot();
  await page.locator(".lot a").first().click();
  await page.getByRole("radio", { name: "B 级" }).check();
  await type(page, String(grams / 2000));
  await main(page).click();
  await page.getByRole("dialog").getByText("差一倍左右").waitFor();
  await page.getByRole("dialog").getByRole("button", { name: "没错" }).click();
  await page.locator(".banner", { hasText: "入库了" }).getByRole("button", { name: "改一改" }).click();
  // What was said before stands there, and nothing of it is chosen for her.
  await page.locator(".banner", { hasText: "再存就改成新的" }).waitFor();
  await page.getByRole("radio", { name: "A 级" }).check();
  await type(page, String(grams / 1000));
  await main(page).click();
  await page.locator(".banner", { hasText: "入库了" }).waitFor();
  const weighed = await lot();
  assert.deepEqual([weighed.weighedGrams, weighed.weighedGrade], [grams, "A"]);
  await page.evaluate((path) => { location.hash = path; }, `#/lot/${id}`);
  await page.getByRole("button", { name: "改仓库的称重" }).click();
  await page.locator(".pad").waitFor();
}));

test("a recorder says for whom first, sees it on every page, and goes on for the same household or another", () => open({ role: "recorder", lastSuccess: null }, "", async (page) => {
  await page.getByRole("heading", { name: "替谁记？" }).waitFor();
  assert.equal(await page.locator(".whom-list .way").count(), 5);
  await page.getByLabel("姓名或卡片号码").fill("桂兰");
  await page.waitForFunction(() => document.querySelectorAll(".whom-list .way").length === 1);
  await page.locator(".way", { hasText: "张桂兰" }).click();
  await page.locator(".whom", { hasText: "张桂兰" }).waitFor();
  await page.getByRole("button", { name: "板栗" }).click();
  await page.locator(".whom", { hasText: "张桂兰" }).waitFor();
  await type(page, "12.5");
  assert.equal(await main(page).innerText(), "替张桂兰记下 12.5 公斤");
  await main(page).click();
  await page.locator(".kept-lot", { hasText: "张桂兰" }).waitFor();
  const [lot] = await page.evaluate(() => window.fake.world.lots);
  assert.deepEqual([lot.household, lot.grams], ["H-ZHANG", 12_500]);
  await page.getByRole("button", { name: "再替张桂兰记一批" }).click();
  await page.locator(".whom", { hasText: "张桂兰" }).waitFor();
  await page.getByRole("button", { name: "换一户" }).click();
  await page.getByRole("heading", { name: "替谁记？" }).waitFor();
  // The list says for whom, and what this phone recorded.
  await page.getByRole("link", { name: "所有批次" }).or(page.locator(".tabs a[href='#/harvest']")).first().click();
  const line = page.locator(".lot", { hasText: "12.5 公斤" }).first();
  assert.match(await line.textContent(), /张桂兰 · \S 级 · 这部手机代记/);
  await line.locator("a").click();
  await page.getByText("登记：这部手机").waitFor();
}));

test("a card's number leads to its household, typed or by its link; another household's is told", () => open({ role: "recorder" }, "#/for/48217391", async (page) => {
  await page.locator(".whom", { hasText: "王建国" }).waitFor();
  // What was typed for one household is not recorded for another.
  await page.getByRole("button", { name: "小米" }).click();
  await type(page, "8");
  await page.evaluate(() => { location.hash = "#/for/48217394"; });
  await page.locator(".whom", { hasText: "秦巧云" }).waitFor();
  assert.equal(await page.getByText("这一批还没有记完").count(), 0);
  await page.getByRole("button", { name: "换一户" }).click();
  await page.getByLabel("姓名或卡片号码").fill("4821 7393");
  await page.waitForFunction(() => document.querySelectorAll(".whom-list .way").length === 1);
  await page.locator(".way", { hasText: "高来福" }).waitFor();
  await page.getByLabel("姓名或卡片号码").fill("1111 1111");
  await page.getByText("这张卡片不是您负责的农户。").waitFor();
  await page.evaluate(() => { location.hash = "#/for/11111111"; });
  await page.getByRole("alert").filter({ hasText: "不是您负责的农户" }).waitFor();
}));

test("a household sees which of its lots another phone recorded for it", () => open({}, "", async (page) => {
  await page.evaluate(() => { window.fake.world.lots[0].recordedBy = "other"; });
  await page.getByRole("link", { name: "我的收成" }).click();
  await page.locator(".lot").first().waitFor();
  assert.match(await page.locator(".lot").first().innerText(), /别的手机记的/);
  assert.equal(await page.getByText("别的手机记的").count(), 1);
}));

test("the language switches at once, and is kept", () => open({}, "#/settings", async (page) => {
  await page.getByRole("radio", { name: "English" }).check();
  await page.getByRole("heading", { name: "Settings" }).waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.lang), "en");
  await page.reload();
  await page.getByRole("link", { name: "My harvest" }).click();
  await page.getByText("With co-op").first().waitFor();
  assert.doesNotMatch(await page.locator("nav, header").allInnerTexts().then((all) => all.join()), /[一-龥]/);
}));

test("a keyboard alone records a harvest", () => open({ language: "en" }, "", async (page) => {
  const onto = async (name) => {
    for (let times = 0; times < 40; times += 1) {
      await page.keyboard.press("Tab");
      if (await page.evaluate((wanted) => (document.activeElement.getAttribute("aria-label") ?? document.activeElement.textContent).trim().startsWith(wanted), name)) return;
    }
    assert.fail(`the focus never came to ${name}`);
  };
  await onto("Chestnuts");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.activeElement?.id === "weight");
  await page.keyboard.type("26.5");
  await onto("1");
  await page.keyboard.press("Enter");
  await page.keyboard.press("7");
  assert.equal(await page.getByLabel("Weight").inputValue(), "26.517");
  await onto("Keep");
  await page.keyboard.press("Enter");
  await page.locator(".kept-lot", { hasText: "26.517 kg" }).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement?.tagName), "H1", "the new page's title has the focus");
  await onto("Undo");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  assert.match(await page.evaluate(() => document.activeElement.textContent), /Undo/, "the focus is where it was");
}));

test("a phone that was shut out says so loudly on every page", () => open({ revoked: true }, "#/prices", async (page) => {
  await page.getByRole("alert").filter({ hasText: "这部手机已被合作社停用" }).waitFor();
  await page.getByRole("button", { name: "看看" }).click();
  await page.getByRole("heading", { name: "状态" }).waitFor();
  assert.equal(await main(page).count(), 0, "nothing to send with");
  // Receipts and prices have left it, so that each sum would be untrue.
  for (const path of ["#/prices", "#/owed"]) {
    await page.evaluate((to) => { location.hash = to; }, path);
    await page.getByText("停用的手机看不到价格").waitFor();
    assert.doesNotMatch(await page.locator("main").innerText(), /¥/);
  }
}));

test("on a phone that was shut out what is there keeps its names, and nothing new is recorded", () => open({}, "#/harvest", async (page) => {
  await page.locator(".lot", { hasText: "板栗" }).first().waitFor();
  await page.evaluate(() => window.fake.set({ revoked: true, products: [], places: [] }));
  await page.reload();
  await page.getByRole("alert").filter({ hasText: "停用" }).waitFor();
  await page.locator(".lot", { hasText: "板栗" }).first().waitFor();
  assert.doesNotMatch(await page.locator("main").innerText(), /chestnut|millet|houshan|dongpo/);
  await page.getByRole("link", { name: "记收成" }).click();
  await page.getByText("停用的手机不能再记收成。").waitFor();
  assert.equal(await page.locator(".tiles button").count(), 0);
}));

test("a phone that was shut out and has nothing left asks nobody to record", () => open({ revoked: true, lots: [] }, "#/harvest", async (page) => {
  await page.getByText("这部手机上没有收成了").waitFor();
  assert.equal(await page.getByText("还没有记过收成").count(), 0);
}));

test("every sentence is there in both languages, with the same places for figures", async () => {
  await open({}, "", async (page) => {
    const faults = await page.evaluate(async () => {
      const { allWords } = await import(new URL("words.js", location.href.split("#")[0]));
      const places = (sentence) => [...new Set(sentence.match(/\{\w+\}/g) ?? [])].sort().join();
      return allWords().filter(([, [zh, en]]) => !zh || !en || (!en.split("|").every((one) => places(one) === places(zh) || (en.includes("|") && places(zh).includes("{n}")))))
        .map(([name]) => name);
    });
    assert.deepEqual(faults, []);
  });
});

test("a table is in the language and the unit of the app", () => open({ language: "en", unit: "jin", lots: 3 }, "#/leave", async (page) => {
  await page.evaluate(() => {
    Object.assign(window.fake.world.lots[0], { note: '=1+1, "wet"', grams: 12_250, moisture: 135, product: "millet", place: "houshan", grade: "A", day: "2026-10-03" });
    window.fake.set({});
  });
  const [table] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Save as a table (CSV)" }).click()]);
  const [heads, first] = readFileSync(await table.path(), "utf8").split("\r\n");
  assert.equal(heads, "\uFEFFLot number,Household,Day,Product,Weight (jin),Grade,Moisture (%),Place,Note,State,Weighed (jin),Reason,Not taken in");
  assert.equal(first.slice(first.indexOf(",")), `,李秀英,2026-10-03,Millet,24.5,A,13.5,后山,"'=1+1, ""wet""",recorded,,,`);
}));

// Each page in each of four looks: nothing wider than the screen, no sentence missing, nothing small to press, axe content.
const QUESTIONS = [
  { id: "00000000000000a1", lot: "7KQ2-M9XT-4B0C", householdName: "李秀英", product: "millet", grams: 15_800, day: "2026-10-03", text: "是哪块地的？", by: "张会计", at: 1_790_000_000_000, closed: false, answers: [] },
  { id: "00000000000000a2", lot: "9XTM-M9XT-4B0C", householdName: "李秀英", product: "chestnut", grams: 8_000, day: "2026-10-02", text: "湿度多少？", by: "张会计", at: 1_789_900_000_000, closed: false,
    answers: [{ text: "十四", who: "other", at: 1_789_950_000_000 }] },
];

test("a question of the co-operative is seen on the first page and answered", () => open({ questions: QUESTIONS }, "", async (page) => {
  await page.locator(".banner", { hasText: "有 1 个问题等您回答" }).getByRole("button", { name: "回答" }).click();
  const question = page.locator(".question", { hasText: "是哪块地的？" });
  await question.getByRole("button", { name: "回答好了" }).click();
  await question.getByText("请先写回答").waitFor();
  await question.getByLabel("您的回答").fill("东坡的");
  await question.getByRole("button", { name: "回答好了" }).click();
  await told(page, "回答存下了");
  await page.getByText("没有要回答的问题。").waitFor();
  assert.deepEqual(await page.evaluate(() => window.fake.world.questions[0].answers.map((one) => one.text)), ["东坡的"]);
  await page.getByText("十四").waitFor();
  await page.getByRole("button", { name: "返回" }).click();
  await page.locator("h1").waitFor();
  assert.equal(await page.locator(".banner", { hasText: "合作社在问" }).count(), 0);
}));

const PAGES = [
  ["questions", { questions: QUESTIONS }, "#/questions"],
  ["recording while something is asked", { questions: QUESTIONS }, ""],
  ["start", { enrolled: false }, ""], ["look", { enrolled: false }, "#7KQ2-M9XT-4B0F"],
  ["choose", {}, "#/record"], ["weigh", {}, "#/record", (page) => page.locator(".tiles button").nth(2).click()],
  ["place and note", {}, "#/record", async (page) => { await page.locator(".tiles button").nth(0).click(); await page.locator(".days .more").click(); }],
  ["other day", {}, "#/record", async (page) => { await page.locator(".tiles button").nth(0).click(); await page.locator(".days .chip").nth(2).click(); }],
  ["asked back", {}, "#/record", async (page) => { await page.locator(".tiles button").nth(0).click(); await page.locator("#weight").fill("1250"); await main(page).click(); await page.getByRole("dialog").waitFor(); }],
  ["kept", { offline: true }, "#/record", async (page) => { await page.locator(".tiles button").nth(0).click(); await page.locator("#weight").fill("12.5"); await main(page).click(); await page.locator(".kept-lot").waitFor(); }],
  ["harvest", { lots: 200 }, "#/harvest"], ["conflict", {}, "#/harvest", (page) => page.locator(".lot:has(.ask) a").first().click()],
  ["weighed lot", {}, "#/harvest?only=received", (page) => page.locator(".lot a").first().click()], ["lot sent back", {}, "#/harvest?only=rejected", (page) => page.locator(".lot a").first().click()],
  ["correct", {}, "#/harvest", async (page) => { await page.locator(".lot a").first().click(); await page.locator(".correct").nth(1).click(); await page.locator(".pad").waitFor(); }],
  ["prices", {}, "#/prices"], ["owed", {}, "#/owed"], ["status", {}, "#/status"],
  ["status with troubles", { revoked: true, wrongDate: "2026-10-03", nearlyFull: true, stopped: true, quarantined: ["一项改动读不出来"], heldBack: { code: "x", sentence: "文件太大" } }, "#/status"],
  ["settings", {}, "#/settings"], ["people", {}, "#/people"], ["hand over", {}, "#/handover"], ["leave", {}, "#/leave"],
  ["receive", { role: "packer" }, "#/receive"], ["weigh in without a grade", { role: "packer" }, "#/receive", async (page) => { await page.locator(".lot a").first().click(); await page.locator("#weighed").fill("12.5"); await main(page).click(); await page.getByRole("alert").waitFor(); }],
  ["weigh in", { role: "packer" }, "#/receive", (page) => page.locator(".lot a").first().click()],
  ["for whom", { role: "recorder" }, "#/record"],
  ["recording for somebody", { role: "recorder" }, "#/for/48217391", async (page) => { await page.locator(".tiles button").nth(0).click(); await page.locator("#weight").fill("12.5"); }],
  ["kept for somebody", { role: "recorder", offline: true }, "#/for/48217391", async (page) => { await page.locator(".tiles button").nth(0).click(); await page.locator("#weight").fill("12.5"); await main(page).click(); await page.locator(".kept-lot").waitFor(); }],
  ["lots of a recorder", { role: "recorder" }, "#/harvest"],
  ["lock", { pin: "1234" }, "#/harvest"],
];
const LOOKS = [
  ["Chinese, light, 360 px", { language: "zh" }, {}],
  ["English, dark, large letters, 360 px", { language: "en", large: true }, { dark: true }],
  ["English, light, 768 px", { language: "en" }, { viewport: { width: 768, height: 1024 } }],
  ["Chinese, dark, large letters, landscape", { language: "zh", large: true }, { dark: true, viewport: { width: 740, height: 360 } }],
];
const TOUCH_MIN_PX = 55;
for (const [look, wishes, how] of LOOKS) {
  test(`every page is sound: ${look}`, async (context) => {
    for (const [name, world, path, act] of PAGES) {
      await context.test(name, () => open({ ...world, ...wishes }, path, async (page) => {
        await page.locator("h1").waitFor();
        if (act) await act(page);
        await page.waitForFunction(() => document.getAnimations().every((one) => one.playState === "finished"));
        const found = await page.evaluate((least) => ({
          wide: document.documentElement.scrollWidth > innerWidth,
          missing: document.body.innerText.match(/⟨[^⟩]*⟩/g),
          small: [...document.querySelectorAll("button, a[href], input:not([type=radio]):not([hidden])")]
            .filter((one) => one.checkVisibility() && one.getBoundingClientRect().width > 1 && one.getBoundingClientRect().height < least).map((one) => one.outerHTML.slice(0, 120)),
        }), TOUCH_MIN_PX);
        assert.deepEqual(found, { wide: false, missing: null, small: [] });
        await page.evaluate(axe);
        const { violations } = await page.evaluate(() => globalThis.axe.run({ resultTypes: ["violations"] }));
        assert.deepEqual(violations.map((one) => `${one.id}: ${one.nodes[0].html}`), []);
      }, how));
    }
  });
}
