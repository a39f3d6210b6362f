// Around the harvest: joining, PIN, leaving, handing over, several people on one phone, the language.
//
//   node --test tests/browser/joining.test.mjs
import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { main, open, told, type } from "./screen.mjs";

test("the first start says how far it is", () => open({ slowStart: true }, "", async (page) => {
  await page.getByText("正在取来").waitFor();
  assert.equal(await page.getByRole("progressbar").getAttribute("value"), "1");
  await page.evaluate(() => window.fakeStarts());
  await page.getByRole("heading", { name: "收的是什么？" }).waitFor();
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
  await page.evaluate(() => window.fake.set({ offline: true, lineFault: "line-broke" }));
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

test("the language switches at once, and is kept", () => open({}, "#/settings", async (page) => {
  await page.getByRole("radio", { name: "English" }).check();
  await page.getByRole("heading", { name: "Settings" }).waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.lang), "en");
  await page.reload();
  await page.getByRole("link", { name: "My harvest" }).click();
  await page.getByText("With co-op").first().waitFor();
  assert.doesNotMatch(await page.locator("nav, header").allInnerTexts().then((all) => all.join()), /[一-龥]/);
}));

test("every sentence is there in both languages, with the same places for figures", async () => {
  await open({}, "", async (page) => {
    const faults = await page.evaluate(async () => {
      const { allWords } = await import(new URL("words_more.js", location.href.split("#")[0]));
      const places = (sentence) => [...new Set(sentence.match(/\{\w+\}/g) ?? [])].sort().join();
      return allWords().filter(([, [zh, en]]) => !zh || !en || (!en.split("|").every((one) => places(one) === places(zh) || (en.includes("|") && places(zh).includes("{n}")))))
        .map(([name]) => name);
    });
    assert.deepEqual(faults, []);
  });
});

test("a table is in the language and the unit of the app", () => open({ language: "en", unit: "jin", lots: 3 }, "#/leave", async (page) => {
  await page.evaluate(() => {
    Object.assign(window.fake.world.lots[0], { note: '=1+1, "wet"', grams: 12_250, moisture: 135, product: "millet", place: "houshan", grade: "A", day: "2026-10-03", state: "recorded", sent: true });
    Object.assign(window.fake.world.lots[1], { day: "2026-10-02", state: "recorded", sent: false });
    window.fake.set({});
  });
  const [table] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Save as a table (CSV)" }).click()]);
  const [heads, first, second] = readFileSync(await table.path(), "utf8").split("\r\n");
  assert.equal(heads, "\uFEFFLot number,Household,Day,Product,Weight (jin),Grade,Moisture (%),Place,Note,State,Weighed (jin),Reason,Not taken in");
  assert.equal(first.slice(first.indexOf(",")), `,李秀英,2026-10-03,Millet,24.5,A,13.5,后山,"'=1+1, ""wet""",recorded,,,`);
  assert.match(second, /,Kept here,/);
}));

test("where two share the phone each page says whose it is, and what waits of the other", () => open({ lots: 3, profiles: [
  { id: "p1", name: "李秀英", enrolled: true, role: "household", household: "H-LI", householdName: "李秀英" },
  { id: "p2", name: "张桂兰", enrolled: true, role: "household", household: "H-ZHANG", householdName: "张桂兰", unsent: 2 },
] }, "", async (page) => {
  await page.locator(".line", { hasText: "李秀英 · 这里都送了；别人还有 2 项等着送" }).waitFor();
  await page.evaluate(() => { location.hash = "#/people"; });
  await page.locator(".way", { hasText: "张桂兰" }).filter({ hasText: "2 项等着送出" }).waitFor();
}));
