"use strict";
const status = document.getElementById("live");
const source = new EventSource("events?since=" + status.dataset.since);
const say = (text, lost) => { status.textContent = text; status.classList.toggle("lost", lost); };
source.onopen = () => say("Live: this page follows the run", false);
source.onerror = () => say("Connection lost: trying again", true);
source.addEventListener("section", event => {
  const { id, html } = JSON.parse(event.data);
  const element = document.getElementById(id);
  if (!element) {
    location.reload(); // A section that the page was built without, such as the samples at the end.
    return;
  }
  const stops = () => [...element.querySelectorAll("summary, a, [tabindex]")];
  const focused = stops().indexOf(document.activeElement);
  const opened = [...element.querySelectorAll("details[open]")].map(details => details.id);
  const scrolled = [...element.querySelectorAll(".scroll")].map(region => region.scrollLeft);
  element.innerHTML = html;
  opened.forEach(name => document.getElementById(name)?.setAttribute("open", ""));
  element.querySelectorAll(".scroll").forEach((region, i) => { region.scrollLeft = scrolled[i] ?? 0; });
  if (focused >= 0) stops()[focused]?.focus({ preventScroll: true });
});
