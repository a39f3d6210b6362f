// Says what this browser lacks, in both languages, and starts the app where nothing is lacking. Written so that old
// browsers read it.
(function () {
  var sentences = {
    wechat: ["微信里不能用：请点右上角的“…”，选“在浏览器打开”。", "It can't work inside WeChat: tap \u201c\u2026\u201d at the top right, then \u201cOpen in browser\u201d."],
    insecure: ["地址要以 https 开头：请向合作社要新的链接。", "The address must begin with https: ask your co-operative for a new link."],
    wasm: ["这个浏览器关掉了 WebAssembly（例如锁定模式）：请为这个网站打开，或换一个浏览器。", "This browser has WebAssembly turned off (by Lockdown Mode, for one): allow it for this site, or use another browser."],
    old: ["这个浏览器太旧：请更新，或换 Chrome、Edge、Firefox。", "This browser is too old: update it, or use Chrome, Edge or Firefox."],
    storage: ["浏览器不让保存数据：不要用无痕（隐私）窗口，并在设置里允许这个网站保存数据。", "The browser keeps nothing for this site: leave the private window, and allow the site to store data."],
    load: ["没有装完：信号断了。请在有信号时再试。", "It could not be loaded whole: the line broke. Try again where there is a signal."]
  };

  function say(what) {
    var box = document.getElementById("boot");
    box.textContent = "";
    var texts = sentences[what];
    for (var i = 0; i < texts.length; i += 1) {
      var line = document.createElement("p");
      line.lang = i === 0 ? "zh-CN" : "en";
      line.textContent = texts[i];
      box.appendChild(line);
    }
    if (what === "load") {
      var again = document.createElement("button");
      again.type = "button";
      again.textContent = "再试 Try again";
      again.onclick = function () { location.reload(); };
      box.appendChild(again);
    }
    box.hidden = false;
    document.getElementById("app").hidden = true;
  }

  /// What is lacking; null when nothing is.
  function lacking() {
    if (/MicroMessenger/i.test(navigator.userAgent)) return "wechat";
    if (!("noModule" in HTMLScriptElement.prototype)) return "old";
    if (typeof WebAssembly !== "object") return "wasm";
    if (!window.isSecureContext) return "insecure";
    if (!window.indexedDB) return "storage";
    if (!navigator.locks || !window.BroadcastChannel || !window.crypto || !crypto.subtle || !crypto.randomUUID) return "old";
    return null;
  }

  var lack = lacking();
  if (lack) {
    say(lack);
    return;
  }
  try {
    // Some private windows have a database that refuses to be opened.
    var probe = indexedDB.open("granary-probe");
    probe.onsuccess = function () {
      probe.result.close();
      indexedDB.deleteDatabase("granary-probe");
    };
    probe.onerror = function (event) {
      event.preventDefault();
      say("storage");
    };
  } catch (error) {
    say("storage");
    return;
  }
  var app = document.createElement("script");
  app.type = "module";
  app.src = "app.js";
  app.onerror = function () { say("load"); };
  document.body.appendChild(app);
})();
