// What is chosen, dropped and shown. `?model=a.onnx&picture=b.jpg` loads files that are beside the page.

import { Problem, find, openModel, openRuntime } from "./find.mjs";

const part = (name) => document.getElementById(name);
const state = { ort: null, model: null, picture: null, found: [] };
const problems = new Map(); // what was wrong with a model, a picture or the page itself, until another one is read
let turn = Promise.resolve(); // one thing after another
let waiting = 0;

/** Do something after what is being done, about the model, the picture or the page; ready when nothing waits. */
function then(about, action) {
  waiting++;
  document.body.dataset.state = "busy";
  turn = turn.then(action).then((words) => {
    problems.delete(about);
    tell(words);
  }, (error) => {
    problems.set(about, error instanceof Problem ? error.message : `Something went wrong: ${error.message || error}`);
    tell("");
  });
  turn = turn.then(() => { if (!--waiting) document.body.dataset.state = problems.size ? "wrong" : "ready"; });
}

/** Words, unless there are problems, which come first. */
function tell(words) {
  part("status").textContent = problems.size ? [...problems.values()].join(" ") : words;
  part("status").className = problems.size ? "wrong" : "";
}

const kind = (name) => (name.toLowerCase().endsWith(".onnx") ? "model" : "picture");

/** Read a model or a picture, and look for boxes once both are there; what to say then. */
async function take(file) {
  if (!state.ort) throw new Problem(`${file.name} was not read.`);
  const name = kind(file.name);
  tell(`Reading ${file.name} …`);
  state[name] = null;
  state.found = [];
  show();
  state[name] = name === "model" ? await openModel(state.ort, new Uint8Array(await file.arrayBuffer())) : await opened(file);
  if (!state.model || !state.picture) {
    show();
    return `${file.name} is read: now choose a ${state.model ? "picture" : "model (.onnx)"}.`;
  }
  tell("Looking …");
  const begun = performance.now();
  state.found = await find(state.model, state.picture);
  const spent = Math.round(performance.now() - begun);
  return `${counted(show())} ${spent} ms.`;
}

const counted = (count) => `${count} of ${state.found.length} that were found are above the score.`;

async function opened(file) {
  try {
    return await createImageBitmap(file, { imageOrientation: "from-image", colorSpaceConversion: "none" });
  } catch {
    throw new Problem(`${file.name} is no picture that this browser reads: choose a PNG, JPEG or WebP file.`);
  }
}

/** Draw the picture with its boxes, and list them; how many there are. */
function show() {
  const least = Number(part("score").value), picture = state.picture, canvas = part("canvas");
  const found = state.found.filter((one) => one.score >= least);
  part("from").textContent = least.toFixed(2);
  part("found").hidden = !found.length;
  const rows = part("found").tBodies[0];
  rows.replaceChildren();
  for (const one of found) {
    const row = rows.insertRow();
    for (const cell of [one.name, one.score.toFixed(3), ...one.sides.map((side) => side.toFixed(1))])
      row.insertCell().textContent = cell;
  }
  canvas.hidden = !picture;
  if (picture) draw(canvas, picture, found);
  return found.length;
}

function draw(canvas, picture, found) {
  const scale = Math.max(1, Math.ceil(480 / picture.width)); // words on small pictures can be read
  [canvas.width, canvas.height] = [picture.width * scale, picture.height * scale];
  const context = canvas.getContext("2d"), thick = Math.max(2, Math.round(canvas.width / 300));
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  context.font = `${6 * thick}px sans-serif`;
  for (const one of [...found].reverse()) { // the best on top
    const [left, top, right, bottom] = one.sides.map((side) => side * scale), words = `${one.name} ${one.score.toFixed(2)}`;
    context.strokeStyle = context.fillStyle = `hsl(${(one.label * 67 + 330) % 360} 90% 40%)`;
    context.lineWidth = thick;
    context.strokeRect(left, top, right - left, bottom - top);
    const at = Math.max(top, 7 * thick), width = context.measureText(words).width + 2 * thick;
    context.fillRect(left, at - 7 * thick, width, 7 * thick);
    context.fillStyle = "#fff";
    context.fillText(words, left + thick, at - 1.5 * thick);
  }
}

async function beside(path) {
  const answer = await fetch(path);
  if (!answer.ok) throw new Problem(`${path} is not beside this page.`);
  return new File([await answer.blob()], path);
}

const taken = (file) => then(kind(file.name), () => take(file));

function listen() {
  for (const name of ["model", "picture"])
    part(name).addEventListener("change", (event) => [...event.target.files].forEach(taken));
  part("score").addEventListener("input", () => {
    const count = show();
    if (state.found.length) tell(counted(count));
  });
  for (const what of ["dragover", "dragleave", "drop"])
    document.addEventListener(what, (event) => {
      event.preventDefault();
      part("place").classList.toggle("over", what === "dragover");
      if (what === "drop") [...event.dataTransfer.files].forEach(taken);
    });
}

tell("Loading …");
then("page", async () => {
  state.ort = await openRuntime();
  listen();
  return "Choose a model (.onnx) and a picture.";
});
const asked = new URLSearchParams(location.search);
for (const name of ["model", "picture"])
  if (asked.has(name)) then(name, async () => take(await beside(asked.get(name))));
window.page = state; // for whoever looks from outside
