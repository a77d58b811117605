
"use strict";
// Says of the dot that is pointed at, or that has the keyboard's focus, what it is.
const abouts = JSON.parse(document.getElementById("abouts").textContent);
const tip = document.getElementById("tip");
const REACH = 24; // pixels around a dot in which it is meant

function made(tag, text) {
  const element = document.createElement(tag);
  element.textContent = text;
  return element;
}

function centre(dot) {
  const box = dot.lastElementChild.getBoundingClientRect();
  return { x: box.left + box.width / 2, y: box.top + box.height / 2 };
}

function mark(about) {
  for (const dot of document.querySelectorAll(".dot.same")) dot.classList.remove("same");
  if (about === undefined) return;
  for (const dot of document.querySelectorAll(`.dot[data-about="${about}"]`)) dot.classList.add("same");
}

let shown = null;

function hide() {
  shown = null;
  tip.hidden = true;
  mark();
}

function show(dot) {
  if (dot === shown) return;
  shown = dot;
  const { title, facts } = abouts[dot.dataset.about];
  const list = document.createElement("dl");
  for (const [name, value] of facts) list.append(made("dt", name), made("dd", value));
  tip.replaceChildren(made("strong", title), list);
  tip.hidden = false;
  mark(dot.dataset.about);
  place();
}

function place() {
  if (!shown) return;
  const { x, y } = centre(shown);
  const room = 12;
  const right = document.documentElement.clientWidth - tip.offsetWidth - room;
  const below = y + 16 + tip.offsetHeight < window.innerHeight;
  tip.style.left = `${Math.max(room, Math.min(x + room, right))}px`;
  tip.style.top = `${below ? y + 16 : Math.max(room, y - 16 - tip.offsetHeight)}px`;
}

function nearest(dots, x, y) {
  let found = null;
  let least = REACH;
  for (const dot of dots) {
    const at = centre(dot);
    const away = Math.hypot(at.x - x, at.y - y);
    if (away <= least) [found, least] = [dot, away]; // of equals, the one on top
  }
  return found;
}

for (const plot of document.querySelectorAll("svg.plot")) {
  const dots = [...plot.querySelectorAll(".dot")];
  const order = [...dots].sort((a, b) => centre(a).x - centre(b).x);
  for (const dot of dots) {
    const title = dot.querySelector("title");
    dot.setAttribute("aria-label", title.textContent);
    title.remove(); // the browser's own tip would lie over ours
    dot.setAttribute("tabindex", "-1");
    dot.addEventListener("focus", () => show(dot));
    dot.addEventListener("blur", hide);
  }
  const first = plot.querySelector(".winner .dot") ?? dots[0];
  first?.setAttribute("tabindex", "0");
  const point = (event) => {
    const dot = nearest(dots, event.clientX, event.clientY);
    if (dot) show(dot);
    else hide();
  };
  plot.addEventListener("pointermove", point);
  plot.addEventListener("pointerdown", point);
  plot.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && hide());
  plot.addEventListener("keydown", (event) => {
    const place = order.indexOf(document.activeElement);
    const next = { ArrowRight: place + 1, ArrowLeft: place - 1, Home: 0, End: order.length - 1 }[event.key];
    if (place < 0 || !order[next]) return;
    event.preventDefault();
    order[place].setAttribute("tabindex", "-1");
    order[next].setAttribute("tabindex", "0");
    order[next].focus();
  });
}
document.addEventListener("pointerdown", (event) => event.target.closest("svg.plot") || hide());
document.addEventListener("keydown", (event) => event.key === "Escape" && hide());
window.addEventListener("scroll", place, { passive: true });
