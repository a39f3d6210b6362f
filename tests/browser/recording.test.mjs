// Recording on a screen: product, figure, grade, day; what is asked back; what survives a reload.
//
//   node --test tests/browser/recording.test.mjs
import { strict as assert } from "node:assert";
import { test } from "node:test";
import { key, main, open, type } from "./screen.mjs";

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

test("with large letters all keys stand above the button, also with a sentence above them", () => open({ large: true, holdLine: true }, "", async (page) => {
  await page.getByRole("button", { name: "板栗" }).click();
  const hidden = () => page.evaluate(() => document.querySelector(".pad").getBoundingClientRect().bottom - document.querySelector(".action").getBoundingClientRect().top);
  assert.ok((await hidden()) <= 0, `before: ${await hidden()}`);
  await type(page, "0");
  await main(page).click();
  await page.getByRole("alert").waitFor();
  assert.ok((await hidden()) <= 0, `with the fault: ${await hidden()}`);
}));

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

test("another product begins with an empty figure; what was begun waits for its own", () => open({}, "", async (page) => {
  await page.getByRole("button", { name: "小米" }).click();
  await type(page, "37");
  await page.getByRole("button", { name: "昨天" }).click();
  await page.getByRole("button", { name: "返回" }).click();
  await page.getByRole("button", { name: "板栗" }).click();
  await type(page, "5");
  assert.equal(await page.locator("#weight").inputValue(), "5");
  assert.equal(await page.getByRole("button", { name: "今天" }).getAttribute("aria-pressed"), "true");
  await main(page).click();
  await page.locator(".kept-lot", { hasText: "板栗 5 公斤" }).waitFor();
  await page.getByRole("button", { name: "再记一批" }).click();
  await page.locator(".unfinished", { hasText: "小米 · 37" }).getByRole("button", { name: "接着记" }).click();
  assert.equal(await page.locator("#weight").inputValue(), "37");
  assert.equal(await page.getByRole("button", { name: "昨天" }).getAttribute("aria-pressed"), "true");
}));

test("what could not be kept is told, also after she was asked back", () => open({ refuse: ["record"] }, "", async (page) => {
  await page.getByRole("button", { name: "小米" }).click();
  await type(page, "37");
  await main(page).click();
  await page.getByRole("alert").filter({ hasText: "手机空间满了" }).waitFor();
  await page.locator("#weight").fill("1250");
  await main(page).click();
  await page.getByRole("dialog").getByRole("button", { name: "没错" }).click();
  await page.getByRole("dialog").getByRole("alert").filter({ hasText: "手机空间满了" }).waitFor();
  assert.equal(await page.locator("#weight").inputValue(), "1250");
}));
