/* In a frame, report the page's height and what to scroll to, by postMessage to the parent.
   No message has personal data. */
(() => {
  "use strict";
  const root = document.documentElement;
  const page = document.getElementById("frame");
  const isFramed = parent !== self;
  let sentHeight = 0, isGreeted = false, timer;

  const send = (type, more) => parent.postMessage({ cop: 1, type, ...more }, "*");
  const measure = () => Math.ceil(page.getBoundingClientRect().height);
  const sendHeight = () => {
    const height = measure();
    if (!isGreeted || !height || height === sentHeight) return;
    send("height", { height: sentHeight = height });
    clearTimeout(timer);
    timer = setTimeout(updateScrolling, 1000);
  };
  // If the parent page gives the frame less height than needed, the frame scrolls.
  const updateScrolling = () => root.classList.toggle("is-fitted", measure() < innerHeight + 2);

  // A sandbox without "allow-forms" ends a submission before its event.
  const canSubmit = () => {
    const form = document.createElement("form");
    let isSubmitted = false;
    form.addEventListener("submit", (event) => { event.preventDefault(); isSubmitted = true; });
    page.append(form);
    form.requestSubmit();
    form.remove();
    return isSubmitted;
  };
  // A sandboxed frame without an origin, or without forms, cannot send the form.
  if (self.origin === "null" || !canSubmit()) {
    document.getElementById("problem").append(document.getElementById("sandboxed").content);
  }
  if (!isFramed) return;

  addEventListener("message", ({ data, source }) => {
    if (source !== parent || data?.cop !== 1 || data.type !== "hello") return;
    root.classList.add("is-fitted");
    isGreeted = true;
    sentHeight = 0;
    sendHeight();
  });
  new ResizeObserver(sendHeight).observe(page);

  // After a swap, the focused element is the result's heading or the error summary.
  const showAnswer = () => {
    const answer = document.activeElement;
    if (!answer.matches("#registration [tabindex='-1'], #problem [tabindex='-1']")) return;
    sendHeight();
    sendRegistered();
    send("show", { top: Math.round(answer.getBoundingClientRect().top - page.getBoundingClientRect().top) });
  };
  for (const name of ["htmx:after:swap", "htmx:error", "htmx:response:error"]) {
    document.addEventListener(name, () => setTimeout(showAnswer));
  }
  // Once for each registration, for the statistics of the parent page.
  let announced;
  const sendRegistered = () => {
    const result = page.querySelector("[data-registered]");
    if (result && result !== announced) send("registered");
    announced = result;
  };
  send("ready");
  sendRegistered();
})();
