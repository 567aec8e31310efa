/* For sites that embed our pages: resize the frame to its content, and scroll results into view.
   Without this file the frame still works, with a scrollbar of its own. */
(() => {
  "use strict";
  const script = document.currentScript || document.querySelector('script[src$="/embed.js"]');
  const { origin } = new URL(script.src);
  const running = Symbol.for(`cop ${origin}`);
  if (window[running]) return;
  window[running] = true;

  const MIN_HEIGHT = 120, MAX_HEIGHT = 12000, MIN_CHANGE = 2; // px
  const MAX_CHANGES = 60, PERIOD = 2000; // ms
  const changes = new WeakMap(); // frame -> times of recent height changes
  const clippedRoom = new WeakMap(); // frame -> height that its ancestors leave it, where they clip it
  const loaded = new WeakSet(); // frames whose first page has loaded
  const isTooOften = (frame, now) => {
    const recent = (changes.get(frame) || []).filter((then) => now - then < PERIOD);
    if (recent.length >= MAX_CHANGES) return true;
    changes.set(frame, [...recent, now]);
    return false;
  };

  const sum = (style, ...names) => names.reduce((total, name) => total + parseFloat(style[name]), 0);
  const setHeight = (frame, pixels) => frame.style.setProperty("height", `${pixels}px`, "important");

  const resize = (frame, height) => {
    const style = getComputedStyle(frame);
    const padding = sum(style, "paddingTop", "paddingBottom");
    const border = sum(style, "borderTopWidth", "borderBottomWidth");
    const around = style.boxSizing === "border-box" ? padding + border : 0;
    const pixels = Math.min(MAX_HEIGHT, Math.max(MIN_HEIGHT, Math.ceil(height)));
    const shown = frame.clientHeight - padding;
    const room = clippedRoom.get(frame) ?? Infinity;
    if (Math.abs(shown - Math.min(pixels, room)) < MIN_CHANGE || isTooOften(frame, Date.now())) return;
    frame.style.setProperty("max-height", "none", "important");
    setHeight(frame, pixels + around);
    const cutOff = cutOffHeight(frame);
    if (!cutOff) return clippedRoom.delete(frame);
    // Where an ancestor cuts the frame off, it stays as high as the room there, and scrolls.
    const visible = Math.max(MIN_HEIGHT, Math.floor(pixels - cutOff));
    clippedRoom.set(frame, visible);
    setHeight(frame, visible + around);
  };

  // How much of the frame's lower end is hidden by an ancestor of a fixed height.
  const cutOffHeight = (frame) => {
    const { bottom } = frame.getBoundingClientRect();
    let hidden = 0;
    for (let each = frame.parentElement; each && each !== document.body; each = each.parentElement) {
      if (!["hidden", "clip"].includes(getComputedStyle(each).overflowY)) continue;
      const box = each.getBoundingClientRect();
      hidden = Math.max(hidden, bottom - (box.top + each.clientTop + each.clientHeight));
    }
    return hidden > 1 ? hidden : 0;
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
    // After a link inside of the frame, the new page starts at its top; the first page moves nothing.
    if (data.type === "ready" && loaded.has(frame)) scrollTo(frame, 0);
    loaded.add(frame);
    if (data.type === "registered") frame.dispatchEvent(new CustomEvent("cop:registered", { bubbles: true }));
    if (data.type === "height" && Number.isFinite(data.height)) resize(frame, data.height);
    if (data.type === "show" && Number.isFinite(data.top)) scrollTo(frame, data.top);
  });
  for (const frame of frames()) if (frame.src.startsWith(`${origin}/embed/`)) greet(frame);
})();
