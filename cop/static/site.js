/* What the pages do beyond HTML and htmx. Everything works without this file. */
(() => {
  "use strict";

  // The visitor's own time beside the community's, where it differs.
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const clock = (moment, zone) =>
    new Intl.DateTimeFormat(document.documentElement.lang, { hour: "numeric", minute: "2-digit", weekday: "short", timeZone: zone }).format(moment);
  const sayLocalTimes = (root) => {
    for (const time of root.querySelectorAll("time[data-zone]")) {
      const [from, until] = [new Date(time.dateTime), new Date(time.dataset.until)];
      if (!here || time.nextElementSibling?.matches("[data-here-said]") || clock(from, here) === clock(from, time.dataset.zone)) continue;
      const span = document.createElement("span");
      span.className = "here small";
      span.dataset.hereSaid = "";
      span.textContent = time.dataset.here
        .replace("{time}", `${clock(from, here)} – ${clock(until, here)}`)
        .replace("{place}", here.split("/").pop().replaceAll("_", " "));
      time.after(span);
    }
  };

  // The button says what it does; of the questions to think about, the one that counts is shown.
  const follow = (form) => {
    const button = form.querySelector("button[data-many]");
    const ticked = [...form.querySelectorAll("input[name=sessions]:checked")].map((input) => input.value);
    const all = ticked.includes("all");
    if (button) {
      const words = all ? "all" : ["none", "one"][ticked.length] ?? "many";
      button.textContent = button.dataset[words].replace("{count}", ticked.length);
    }
    const questions = [...form.querySelectorAll("[data-asked-by]")];
    const asked = questions.find((question) => all || ticked.includes(question.dataset.askedBy));
    for (const question of questions) question.hidden = Boolean(asked) && question !== asked;
  };
  document.addEventListener("change", (event) => {
    if (event.target.name === "sessions") follow(event.target.form);
  });

  // A send that failed: nothing typed is lost, and it is said.
  const sayUnreachable = () => {
    const problem = document.getElementById("problem");
    problem.replaceChildren(document.getElementById("unreachable").content.cloneNode(true));
    problem.firstElementChild.focus();
  };
  // A hint that did not come is no problem: only what somebody sent or asked for counts.
  const isHint = (event) => event.target.matches?.("input, [aria-live]");
  document.addEventListener("htmx:error", (event) => {
    if (event.detail.ctx?.request && !isHint(event)) sayUnreachable();
  });
  document.addEventListener("htmx:response:error", (event) => {
    if (event.detail.ctx.response.status >= 500 && !isHint(event)) sayUnreachable();
  });
  document.addEventListener("htmx:before:request", (event) => {
    if (!isHint(event)) document.getElementById("problem").replaceChildren();
  });

  // Beside a text to take along: what a browser without JavaScript lets people select by hand.
  for (const button of document.querySelectorAll("button[data-copies]")) {
    const text = document.getElementById(button.dataset.copies);
    button.hidden = false;
    button.addEventListener("click", async () => {
      text.select();
      const asked = navigator.clipboard?.writeText(text.value).then(() => true, () => false);
      if (!(await asked ?? document.execCommand("copy"))) return; // it is selected, at least
      document.getElementById("status").textContent = button.firstChild.data = button.dataset.said;
    });
  }

  // In a sandbox, and in a tab that was opened from one, the browser lets htmx ask for nothing. Sent
  // plainly, the form is answered with a page that says so.
  if (self.origin === "null") document.body.setAttribute("hx-ignore", "");

  const prepare = (root) => {
    sayLocalTimes(root);
    for (const form of root.querySelectorAll("form.registration")) follow(form);
  };
  document.addEventListener("htmx:after:swap", () => prepare(document));
  prepare(document);
})();
