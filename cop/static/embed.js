/* For pages that show ours in a frame: the frame becomes as high as what it shows, and what happens
   in it is brought into view. Without this file the frame scrolls, and works. */
(() => {
  "use strict";
  const script = document.currentScript || document.querySelector('script[src$="/embed.js"]');
  const { origin } = new URL(script.src);
  const once = Symbol.for(`cop ${origin}`);
  if (window[once]) return;
  window[once] = true;

  const LOWEST = 120, HIGHEST = 12000, SMALLEST = 2, MOST = 60, WITHIN = 2000;
  const changes = new WeakMap(); // frame -> when its height was changed lately
  const isTooOften = (frame, now) => {
    const lately = (changes.get(frame) || []).filter((then) => now - then < WITHIN);
    if (lately.length >= MOST) return true;
    changes.set(frame, [...lately, now]);
    return false;
  };

  const fit = (frame, height) => {
    const wanted = Math.min(HIGHEST, Math.max(LOWEST, Math.ceil(height)));
    if (Math.abs(frame.clientHeight - wanted) < SMALLEST || isTooOften(frame, Date.now())) return;
    frame.style.setProperty("max-height", "none", "important");
    frame.style.setProperty("height", `${wanted}px`, "important");
  };

  // Only what is out of sight, low on the screen, or below a header that stays in place.
  const show = (frame, top) => {
    const box = frame.getBoundingClientRect();
    const place = box.top + frame.clientTop + Math.min(Math.max(top, 0), box.height);
    const isSeen = place >= 0 && place <= innerHeight * 0.7
      && document.elementFromPoint(box.left + box.width / 2, place + 1) === frame;
    if (!isSeen) scrollBy({ top: place - innerHeight * 0.25, behavior: "instant" });
  };

  const greet = (frame) => frame.contentWindow.postMessage({ cop: 1, type: "hello" }, "*");
  const frames = () => [...document.getElementsByTagName("iframe")];

  addEventListener("message", ({ data, origin: from, source }) => {
    if (from !== origin || !data || data.cop !== 1) return;
    const frame = frames().find((one) => one.contentWindow === source);
    if (!frame) return;
    if (data.type === "ready") greet(frame);
    if (data.type === "height" && Number.isFinite(data.height)) fit(frame, data.height);
    if (data.type === "show" && Number.isFinite(data.top)) show(frame, data.top);
  });
  for (const frame of frames()) if (frame.src.startsWith(`${origin}/embed/`)) greet(frame);
})();
