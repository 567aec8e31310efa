/* Small additions to HTML and htmx. Everything works without this file. */
(() => {
  "use strict";

  // The visitor's own time beside the community's, where it differs.
  const visitorZone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  // Chrome reports zones by old names of their cities.
  const cities = { Calcutta: "Kolkata", Godthab: "Nuuk", Katmandu: "Kathmandu", Kiev: "Kyiv", Rangoon: "Yangon", Saigon: "Ho Chi Minh City" };
  const cityOf = (zone) => {
    const name = zone.split("/").pop().replaceAll("_", " ");
    return cities[name] ?? name;
  };
  const clock = { hour: "numeric", minute: "2-digit" };
  const formatter = (zone, options) => new Intl.DateTimeFormat(document.documentElement.lang, { timeZone: zone, ...options });
  const day = (moment, zone) => formatter(zone, { dateStyle: "short" }).format(moment);
  // Like `10:00 – 11:30 PM`, with the weekday where it is another day there.
  const formatRange = (from, until, zone, communityZone) => {
    const isSameDay = day(from, zone) === day(from, communityZone);
    const start = formatter(zone, isSameDay ? clock : { ...clock, weekday: "long" });
    if (day(from, zone) === day(until, zone)) return start.formatRange(from, until);
    return `${start.format(from)} – ${formatter(zone, clock).format(until)}`; // formatRange would add both dates
  };
  const addLocalTimes = (root) => {
    for (const time of root.querySelectorAll("time[data-zone]")) {
      const [from, until] = [new Date(time.dateTime), new Date(time.dataset.until)];
      if (!visitorZone || time.nextElementSibling?.matches("[data-local-time]")) continue;
      const local = formatRange(from, until, visitorZone, time.dataset.zone);
      if (local === formatRange(from, until, time.dataset.zone, time.dataset.zone)) continue;
      const span = document.createElement("span");
      span.className = "here small";
      span.dataset.localTime = "";
      span.textContent = time.dataset.template.replace("{time}", local.replace(/[\u2009\u202f]/g, " ")).replace("{place}", cityOf(visitorZone));
      time.after(span);
    }
  };

  // Count the checked sessions in the button, and show the prep question of the first of them.
  const updateForm = (form) => {
    const button = form.querySelector("button[data-many]");
    const checked = [...form.querySelectorAll("input[name=sessions]:checked")].map((input) => input.value);
    const all = checked.includes("all");
    if (button) {
      const label = all ? "all" : ["none", "one"][checked.length] ?? "many";
      const text = button.dataset[label].replace("{count}", checked.length);
      // While the button is pressed, a hint may arrive: WebKit drops the click if the text is replaced then.
      if (button.textContent !== text) button.textContent = text;
    }
    const questions = [...form.querySelectorAll("[data-session]")];
    const shown = questions.find((question) => all || checked.includes(question.dataset.session));
    for (const question of questions) question.hidden = Boolean(shown) && question !== shown;
  };
  document.addEventListener("change", (event) => {
    if (event.target.name === "sessions") updateForm(event.target.form);
  });

  // When a form could not be sent, say so and keep what was typed.
  const showUnreachable = () => {
    const problem = document.getElementById("problem");
    problem.replaceChildren(document.getElementById("unreachable").content.cloneNode(true));
    problem.firstElementChild.focus();
  };
  // A missing hint is no problem; a form or page that somebody asked for is.
  const isHint = (event) => event.target.matches?.("input, [aria-live]");
  document.addEventListener("htmx:error", (event) => {
    if (event.detail.ctx?.request && !isHint(event)) showUnreachable();
  });
  document.addEventListener("htmx:response:error", (event) => {
    if (event.detail.ctx.response.status >= 500 && !isHint(event)) showUnreachable();
  });
  document.addEventListener("htmx:before:request", (event) => {
    if (!isHint(event)) document.getElementById("problem").replaceChildren();
  });

  // A slow answer must not look as if nothing had happened.
  document.addEventListener("htmx:before:request", ({ target }) => {
    const button = target.querySelector?.("button[data-sending]");
    if (!button) return;
    const label = button.textContent;
    button.textContent = button.dataset.sending;
    button.setAttribute("aria-busy", "true");
    target.addEventListener("htmx:finally:request", () => {
      button.textContent = label;
      button.removeAttribute("aria-busy");
    }, { once: true });
  });
  // Focus alone does not scroll in WebKit. In a frame, the parent page scrolls (frame.js).
  const showResult = () => {
    const result = document.activeElement;
    const isResult = result.matches("#registration [tabindex='-1'], #problem [tabindex='-1']");
    if (isResult && parent === self) result.scrollIntoView({ block: "nearest" });
  };
  document.addEventListener("htmx:after:swap", () => setTimeout(showResult));

  // Copy buttons; without JavaScript, people select the text by hand.
  for (const button of document.querySelectorAll("button[data-copies]")) {
    const text = document.getElementById(button.dataset.copies);
    button.hidden = false;
    button.addEventListener("click", async () => {
      text.select();
      const copied = navigator.clipboard?.writeText(text.value).then(() => true, () => false);
      if (!(await copied ?? document.execCommand("copy"))) return; // at least it is selected
      document.getElementById("status").textContent = button.firstChild.data = button.dataset.copied;
    });
  }

  // In a sandboxed frame, or a tab opened from one, the browser blocks htmx's requests. A form sent
  // without htmx is answered with a page that explains this.
  if (self.origin === "null") document.body.setAttribute("hx-ignore", "");

  const prepare = (root) => {
    addLocalTimes(root);
    for (const form of root.querySelectorAll("form.registration")) updateForm(form);
  };
  document.addEventListener("htmx:after:swap", () => prepare(document));
  prepare(document);
})();
