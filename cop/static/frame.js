/* What our pages do in a frame: they tell the page around how high they are, and what to show.
   No message says anything about a person. */
(() => {
  "use strict";
  const root = document.documentElement;
  const page = document.getElementById("frame");
  const isFramed = parent !== self;
  let told = 0, isGreeted = false, settling;

  const say = (type, more) => parent.postMessage({ cop: 1, type, ...more }, "*");
  const measure = () => Math.ceil(page.getBoundingClientRect().height);
  const tellHeight = () => {
    const height = measure();
    if (!isGreeted || !height || height === told) return;
    say("height", { height: told = height });
    clearTimeout(settling);
    settling = setTimeout(settle, 1000);
  };
  // The page around may not give us all we ask for: then we scroll.
  const settle = () => root.classList.toggle("is-fitted", measure() < innerHeight + 2);

  // A frame without an origin of its own cannot send the form.
  if (self.origin === "null") {
    document.getElementById("problem").append(document.getElementById("sandboxed").content);
  }
  if (!isFramed) return;

  addEventListener("message", ({ data, source }) => {
    if (source !== parent || data?.cop !== 1 || data.type !== "hello") return;
    root.classList.add("is-fitted");
    isGreeted = true;
    told = 0;
    tellHeight();
  });
  new ResizeObserver(tellHeight).observe(page);

  // After a swap, what was focused is the answer: a result's heading, or the summary of what is wrong.
  const showAnswer = () => {
    const answer = document.activeElement;
    if (!answer.matches("#registration [tabindex='-1'], #problem [tabindex='-1']")) return;
    tellHeight();
    say("show", { top: Math.round(answer.getBoundingClientRect().top - page.getBoundingClientRect().top) });
  };
  for (const name of ["htmx:after:swap", "htmx:error", "htmx:response:error"]) {
    document.addEventListener(name, () => setTimeout(showAnswer));
  }
  say("ready");
})();
