/* For sites that embed our pages: resize the frame to its content, and scroll results into view.
   Without this file the frame still works, with a scrollbar of its own. */
(() => {
  "use strict";
  const script = document.currentScript || document.querySelector('script[src$="/embed.js"]');
  const { origin } = new URL(script.src);
  const loaded = Symbol.for(`cop ${origin}`);
  if (window[loaded]) return;
  window[loaded] = true;

  const MIN_HEIGHT = 120, MAX_HEIGHT = 12000, MIN_CHANGE = 2; // px
  const MAX_CHANGES = 60, PERIOD = 2000; // ms
  const changes = new WeakMap(); // frame -> times of recent height changes
  const isTooOften = (frame, now) => {
    const recent = (changes.get(frame) || []).filter((then) => now - then < PERIOD);
    if (recent.length >= MAX_CHANGES) return true;
    changes.set(frame, [...recent, now]);
    return false;
  };

  const resize = (frame, height) => {
    const pixels = Math.min(MAX_HEIGHT, Math.max(MIN_HEIGHT, Math.ceil(height)));
    if (Math.abs(frame.clientHeight - pixels) < MIN_CHANGE || isTooOften(frame, Date.now())) return;
    frame.style.setProperty("max-height", "none", "important");
    frame.style.setProperty("height", `${pixels}px`, "important");
  };

  // Scroll only if it is off screen, low on the screen, or covered by a sticky header.
  const scrollTo = (frame, top) => {
    const box = frame.getBoundingClientRect();
    const y = box.top + frame.clientTop + Math.min(Math.max(top, 0), box.height);
    const isVisible = y >= 0 && y <= innerHeight * 0.7
      && document.elementFromPoint(box.left + box.width / 2, y + 1) === frame;
    if (!isVisible) scrollBy({ top: y - innerHeight * 0.25, behavior: "instant" });
  };

  const greet = (frame) => frame.contentWindow.postMessage({ cop: 1, type: "hello" }, "*");
  const frames = () => [...document.getElementsByTagName("iframe")];

  addEventListener("message", ({ data, origin: sender, source }) => {
    if (sender !== origin || !data || data.cop !== 1) return;
    const frame = frames().find((one) => one.contentWindow === source);
    if (!frame) return;
    if (data.type === "ready") greet(frame);
    if (data.type === "height" && Number.isFinite(data.height)) resize(frame, data.height);
    if (data.type === "show" && Number.isFinite(data.top)) scrollTo(frame, data.top);
  });
  for (const frame of frames()) if (frame.src.startsWith(`${origin}/embed/`)) greet(frame);
})();
