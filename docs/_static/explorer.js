// Brings the explorers of a page to life. A picture is looked up, never computed: the package drew
// one for every stop of the controls. Pictures that differ in the first control only stand below
// each other in one file, a strip.

"use strict";

function element(name, attributes = {}, parent = null) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (parent) parent.append(made);
  return made;
}

// A labeled slider or menu; `at` is the index of its stop.
function makeControl(spec, id, parent) {
  const box = element("div", { class: "control" }, parent);
  element("label", { for: id }, box).textContent = spec.label;
  const shown = element("output", { for: id }, box);
  let input;
  if (spec.kind === "menu") {
    input = element("select", { id, title: spec.tip }, box);
    spec.stops.forEach((stop, k) => {
      element("option", { value: k }, input).textContent = stop;
    });
    shown.hidden = true;
  } else {
    const ends = { type: "range", min: 0, max: spec.stops.length - 1, step: 1 };
    input = element("input", { id, title: spec.tip, ...ends }, box);
  }
  return {
    input,
    get at() { return Number(input.value); },
    set at(k) { input.value = k; },
    speak() {
      shown.textContent = spec.stops[this.at];
      if (spec.kind === "range") input.setAttribute("aria-valuetext", spec.stops[this.at]);
    },
  };
}

function bringToLife(figure, number) {
  const film = JSON.parse(figure.querySelector("script").textContent);
  const panel = element("div", { class: "controls" }, figure);
  const controls = film.controls.map((spec, k) =>
    makeControl(spec, `explorer-${number}-${k}`, panel));
  const buttons = element("p", { class: "buttons" }, figure);
  const canvas = element("canvas", { role: "img", width: film.width, height: film.height }, figure);
  const words = element("figcaption", { "aria-live": "polite" }, figure);
  const brush = canvas.getContext("2d");
  const strips = film.strips.map(() => null);

  function strip(k) {
    if (!strips[k]) {
      strips[k] = new Image();
      strips[k].src = film.strips[k];
    }
    return strips[k];
  }

  function show() {
    let index = 0;
    for (let k = controls.length - 1; k >= 0; k--) {
      index = index * film.controls[k].stops.length + controls[k].at;
      controls[k].speak();
    }
    const high = film.controls[0].stops.length;
    const picture = strip(Math.floor(index / high));
    words.textContent = film.sentences[index];
    canvas.setAttribute("aria-label", film.sentences[index]);
    if (!picture.complete) {
      picture.decode().then(show, () => {}); // what the controls say by then
      return;
    }
    const { width, height } = film;
    brush.drawImage(picture, 0, (index % high) * height, width, height, 0, 0, width, height);
    canvas.dataset.shown = index;
  }

  function reset() {
    controls.forEach((control, k) => { control.at = film.controls[k].first; });
    show();
  }

  const first = element("button", { type: "button" }, buttons);
  first.textContent = "Reset";
  first.addEventListener("click", reset);
  film.controls.forEach((spec, k) => {
    if (spec.plays) addPlayer(spec, controls[k], buttons, show);
  });
  controls.forEach((control) => control.input.addEventListener("input", show));
  // The other strips are loaded as soon as somebody seems to want them.
  const loadAll = () => film.strips.forEach((_, k) => strip(k));
  for (const event of ["pointerenter", "focusin", "touchstart"]) {
    figure.addEventListener(event, loadAll, { once: true, passive: true });
  }
  reset();
}

function addPlayer(spec, control, parent, show) {
  const button = element("button", { type: "button", "aria-pressed": "false" }, parent);
  button.textContent = `Play ${spec.label}`;
  let timer = null;
  const stop = () => {
    clearInterval(timer);
    timer = null;
    button.setAttribute("aria-pressed", "false");
    button.textContent = `Play ${spec.label}`;
  };
  button.addEventListener("click", () => {
    if (timer) return stop();
    if (control.at === spec.stops.length - 1) control.at = 0;
    button.setAttribute("aria-pressed", "true");
    button.textContent = "Stop";
    timer = setInterval(() => {
      if (control.at === spec.stops.length - 1) return stop();
      control.at += 1;
      show();
    }, 400);
  });
}

document.querySelectorAll("figure.explorer").forEach(bringToLife);
