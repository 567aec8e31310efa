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
  const addLocalTimes = () => {
    for (const time of document.querySelectorAll("time[data-zone]")) {
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

  // Count the checked sessions in the button.
  const updateButton = (form) => {
    const button = form.querySelector("button[data-many]");
    if (!button) return;
    const checked = [...form.querySelectorAll("input[name=sessions]:checked")].map((input) => input.value);
    const label = checked.includes("all") ? "all" : ["none", "one"][checked.length] ?? "many";
    const text = button.dataset[label].replace("{count}", checked.length);
    // While the button is pressed, a hint may arrive: WebKit drops the click if the text is replaced then.
    if (button.textContent !== text) button.textContent = text;
  };

  // The registration form opens where the visitor clicked, and can be closed again.
  const FORM_LINK = "a[hx-target='#registration']";
  const title = document.title;
  let opener; // the address of the link that opened the form
  document.addEventListener("htmx:before:swap", ({ target, detail }) => {
    const link = detail.ctx?.sourceElement ?? target;
    if (!link.matches?.(FORM_LINK)) return;
    opener = link.getAttribute("href");
    link.closest("[data-opens-form]")?.append(document.getElementById("registration"));
  });
  const close = (button) => {
    if (!button || button.hidden) return;
    button.closest("#registration").replaceChildren();
    document.title = title;
    document.querySelector(`${FORM_LINK}[href="${CSS.escape(opener)}"]`).focus();
    if (draft) draft.opener = null; // kept for the next form, which is not opened by itself
    saveDraft();
  };
  document.addEventListener("click", ({ target }) => close(target.closest("[data-close]")));
  document.addEventListener("keydown", ({ key, target }) => {
    if (key === "Escape") close(target.closest("#registration")?.querySelector("[data-close]"));
  });

  // What was typed is kept with the page's entry in the browser's history, so that going back or
  // reloading does not lose it. It is deleted once the form was accepted.
  let draft = history.state?.draft;
  let timer;
  const saveDraft = (address = "") => {
    clearTimeout(timer);
    history.replaceState({ ...history.state, draft }, "", address);
  };
  const fillIn = (form) => {
    for (const input of form.querySelectorAll("[name]")) {
      const typed = draft.values.filter(([name]) => name === input.name).map(([, value]) => value);
      const isChoice = input.type === "checkbox"; // of sessions: another link chooses others
      if (isChoice && draft.opener === opener) input.checked = typed.includes(input.value);
      if (!isChoice && input.type !== "hidden") input.value = typed[0] ?? "";
    }
    updateButton(form);
  };
  const restoreDraft = () => {
    if (!draft) return;
    const form = document.querySelector(".registration-form");
    if (form) {
      fillIn(form);
      draft.opener = opener; // another session's link may have opened the form this time
      saveDraft();
    } else document.querySelector(`${FORM_LINK}[href="${CSS.escape(draft.opener)}"]`)?.click();
  };
  document.addEventListener("input", ({ target }) => {
    const form = target.closest(".registration-form");
    if (!form) return;
    updateButton(form);
    draft = { opener, values: [...new FormData(form)].filter(([name]) => name !== "token") };
    clearTimeout(timer);
    timer = setTimeout(() => saveDraft(), 300); // Safari allows 100 in 30 seconds
  });
  document.addEventListener("change", ({ target }) => {
    if (target.closest(".registration-form") && draft) saveDraft();
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
    const restoreLabel = (event) => {
      if (event.target !== target) return; // the hint about the email has arrived
      button.textContent = label;
      button.removeAttribute("aria-busy");
      target.removeEventListener("htmx:finally:request", restoreLabel);
    };
    target.addEventListener("htmx:finally:request", restoreLabel);
  });
  // Focus alone does not scroll in WebKit, and what follows the heading should be seen, too. In a
  // frame, the parent page scrolls (frame.js).
  const showResult = () => {
    const result = document.activeElement;
    if (parent !== self || !result.matches("#registration [tabindex='-1'], #problem [tabindex='-1']")) return;
    const { top } = result.getBoundingClientRect();
    const { bottom } = (result.closest("#registration") ?? result).getBoundingClientRect();
    if (top < 0 || bottom > innerHeight) result.scrollIntoView({ block: "start" });
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

  const prepare = () => {
    addLocalTimes();
    const form = document.querySelector(".registration-form");
    if (form) updateButton(form);
    for (const button of document.querySelectorAll("[data-close]")) button.hidden = !opener;
  };
  document.addEventListener("htmx:after:swap", () => {
    prepare();
    const result = document.querySelector("[data-registered]");
    if (result) {
      draft = null;
      saveDraft(result.dataset.registered); // to be shown again after going back or reloading
    } else if (!document.querySelector(".summary")) restoreDraft();
  });
  prepare();
  addEventListener("load", () => setTimeout(restoreDraft)); // once htmx has prepared the links
})();
