// What is recorded already: the list, a lot with two values, corrections, withdrawing, questions, what a phone that was shut out shows.
//
//   node --test tests/browser/lots.test.mjs
import { strict as assert } from "node:assert";
import { test } from "node:test";
import { QUESTIONS } from "./fake/questions.js";
import { key, main, open, told, type } from "./screen.mjs";

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
  assert.match(await sides.nth(0).innerText(), /15\.8 公斤\s+别的手机或合作社\s+10月3日（周六） \d+:05/);
  assert.match(await sides.nth(1).innerText(), /18\.5 公斤\s+这部手机\s+10月3日（周六） \d+:30/);
  assert.match(await page.locator(".history").innerText(), /更正 别的手机或合作社/);
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

test("a household sees which of its lots another phone recorded for it", () => open({}, "", async (page) => {
  await page.evaluate(() => { window.fake.world.lots[0].recordedBy = "other"; });
  await page.getByRole("link", { name: "我的收成" }).click();
  await page.locator(".lot").first().waitFor();
  assert.match(await page.locator(".lot").first().innerText(), /别的手机记的/);
  assert.equal(await page.getByText("别的手机记的").count(), 1);
}));

test("after a day without the co-operative prices and what is owed say of when they are", async () => {
  const days = (count) => Date.now() - count * 24 * 60 * 60_000;
  for (const path of ["#/prices", "#/owed"]) {
    await open({ lastSuccess: days(3) }, path, (page) => page.getByText(/这是.*知道的；之后的还没有收到。/).waitFor());
    await open({ lastSuccess: days(0.5) }, path, async (page) => {
      await page.locator(".owed-sum, .price").first().waitFor();
      assert.equal(await page.getByText("之后的还没有收到").count(), 0);
    });
  }
});

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

test("in a correction the first digit takes the place of the old figure, and an untouched one follows the unit", () => open({ unit: "kg" }, "#/harvest", async (page) => {
  await page.locator(".lot a").first().click();
  await page.locator(".correct").nth(1).click();
  const figure = page.locator("#corrected");
  const before = Number(await figure.inputValue());
  await page.getByRole("button", { name: /换单位|公斤/ }).last().click();
  await page.waitForFunction((jin) => Number(document.getElementById("corrected").value) === jin, before * 2);
  await type(page, "13");
  assert.equal(await figure.inputValue(), "13");
}));

test("the name of a product finds its lots", () => open({}, "#/harvest", async (page) => {
  await page.locator("#search").fill("板栗");
  await page.waitForFunction(() => [...document.querySelectorAll(".lot strong:first-child")].every((one) => one.textContent === "板栗") && document.querySelector(".lot"));
}));

test("an announcement stands on the first page until she has seen it", () => open({ heard: "" }, "", async (page) => {
  const news = page.locator(".banner", { hasText: "十月六日上午" });
  await news.getByRole("button", { name: "好了" }).click();
  await news.waitFor({ state: "detached" });
  await page.reload();
  await page.getByRole("heading", { name: "收的是什么？" }).waitFor();
  assert.equal(await news.count(), 0);
}));

test("two weighings at once stand side by side with who and when, and ask nothing of a household", () => open({ weighedTwice: true }, "#/harvest", async (page) => {
  await page.locator(".lot", { hasText: "称得不一样" }).locator("a").click();
  const card = page.locator(".conflict", { hasText: "称得不一样" });
  assert.equal(await card.locator(".side").count(), 2);
  for (const [index, grade] of ["A 级", "B 级"].entries()) {
    assert.match(await card.locator(".side").nth(index).innerText(), new RegExp(`公斤 ${grade}\\s+仓库\\s+10月4日`));
  }
  assert.equal(await card.getByRole("button").count(), 0);
}));
