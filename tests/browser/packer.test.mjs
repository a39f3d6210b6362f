// Work for others: a packer weighs in, a recorder records for households.
//
//   node --test tests/browser/packer.test.mjs
import { strict as assert } from "node:assert";
import { test } from "node:test";
import { main, open, type } from "./screen.mjs";

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
  await page.getByRole("dialog").getByText("是不是把公斤和斤弄混了").waitFor();
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
