// From a model's bytes and a picture to boxes in the picture's pixels.
//
// A model is one of `spine export --to onnx` or of `spine compile --to onnx --detect`; its outputs are `boxes`, `scores`,
// `labels` and `count`. What it takes, its classes and how pictures become its input are in its property
// `spinedsl.trained`. A model without that was compiled without a checkpoint: it takes the numbers of a stretched
// picture, and ImageNet's mean and deviation are assumed, which are the defaults of training.

export class Problem extends Error {} // something that whoever uses the page can mend

const OUTPUTS = ["boxes", "scores", "labels", "count"];
const DEFAULTS = { resize: "stretch", order: "rgb", mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225], background: [255, 255, 255] };
const RUNTIME = ["ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"]; // of onnxruntime-web, beside this file

/** onnxruntime-web, on one thread: more need headers that a plain server does not send. */
export async function openRuntime() {
  let ort;
  try {
    ort = await import(`./${RUNTIME[0]}`);
  } catch {
    throw new Problem(`${RUNTIME.join(" and ")} of onnxruntime-web have to be beside this page.`);
  }
  ort.env.wasm.numThreads = 1;
  return ort;
}

// ---- the properties of a model: field 14 of ONNX's ModelProto ----

/** The properties of a model, by key. */
export function properties(bytes) {
  const found = {}, text = new TextDecoder();
  for (const [field, from, to] of fields(bytes, 0, bytes.length)) {
    if (field !== 14) continue;
    const entry = {};
    for (const [part, start, end] of fields(bytes, from, to)) entry[part] = text.decode(bytes.subarray(start, end));
    if (entry[1]) found[entry[1]] = entry[2] || "";
  }
  return found;
}

/** The fields of a message: their number, and where their bytes begin and end. */
function* fields(bytes, at, end) {
  const number = () => {
    for (let value = 0, scale = 1; at < end; scale *= 128) {
      const byte = bytes[at++];
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
    throw new Problem("This file is no ONNX model, or it is damaged: it ends too early.");
  };
  while (at < end) {
    const key = number(), field = Math.floor(key / 8), kind = key % 8;
    if (kind === 0) { number(); continue; }
    const length = kind === 2 ? number() : kind === 1 ? 8 : kind === 5 ? 4 : -1;
    if (length < 0 || field === 0 || at + length > end) throw new Problem("This file is no ONNX model, or it is damaged.");
    yield [field, at, at + length];
    at += length;
  }
}

// ---- the model ----

/** A model that finds boxes, ready to run. */
export async function openModel(ort, bytes) {
  const about = use(properties(bytes)["spinedsl.trained"]);
  let session;
  try {
    session = await ort.InferenceSession.create(bytes, { executionProviders: ["wasm"] });
  } catch (error) {
    const missing = /wasm/i.test(error.message) && /fetch|load|backend/i.test(error.message);
    throw new Problem(missing ? `${RUNTIME[1]} of onnxruntime-web has to be beside this page.` : `This file is no model that can be run: ${error.message}`);
  }
  const input = session.inputMetadata[0], pixels = input.type === "uint8";
  if (OUTPUTS.some((name) => !session.outputNames.includes(name)))
    throw new Problem(`This model gives ${session.outputNames.join(", ")}, and no boxes: compile it with --detect, or export a detector.`);
  if (input.shape.length !== 4 || !["uint8", "float32"].includes(input.type))
    throw new Problem(`This model takes ${input.type} of ${input.shape.join(" x ")}: expected pixels (uint8) or numbers (float32) of a picture.`);
  if (Number.isInteger(input.shape[0]) && input.shape[0] !== 1)
    throw new Problem(`This model takes ${input.shape[0]} pictures at once: compile it with --batch 1.`);
  const [down, across, channels] = pixels ? input.shape.slice(1) : [...input.shape.slice(2), input.shape[1]];
  const pre = { ...DEFAULTS, ...about.preprocessing };
  const side = (given, own) => (Number.isInteger(given) && given > 0 ? given : own || 256);
  const model = {
    ort, session, name: input.name, pixels, channels: Number.isInteger(channels) ? channels : pre.channels || 3, pre,
    whole: pixels && !Number.isInteger(down), inPicture: about.boxes === "picture", classes: about.classes || [],
    height: side(down, pre.height), width: side(across, pre.width),
  };
  if (model.channels !== 3) throw new Problem(`This model takes pictures of ${model.channels} channels: this page has those of 3.`);
  if (!model.whole && !["letterbox", "stretch"].includes(pre.resize))
    throw new Problem(`This model wants pictures resized by "${pre.resize}", which this page does not do: models of \`spine export --to onnx\` do it themselves.`);
  return model;
}

function use(text) {
  let found = {};
  try { found = JSON.parse(text || "{}"); } catch { /* then nothing is known of it */ }
  return found && typeof found === "object" ? found : {};
}

// ---- a picture ----

/** Where a picture goes in the model's image; as `Preprocessing.placement` of spinedsl has it. */
export function placement(model, { width, height }) {
  if (model.whole) return { left: 0, top: 0, width, height };
  if (model.pre.resize === "stretch") return { left: 0, top: 0, width: model.width, height: model.height };
  const full = model.width * height <= model.height * width;
  const across = full ? model.width : Math.max(1, Math.floor((2 * width * model.height + height) / (2 * height)));
  const down = full ? Math.max(1, Math.floor((2 * height * model.width + width) / (2 * width))) : model.height;
  return { left: Math.floor((model.width - across) / 2), top: Math.floor((model.height - down) / 2), width: across, height: down };
}

/** What the model takes of a picture: its pixels, or numbers of them, channel by channel. */
export function given(model, picture, place) {
  const size = model.whole ? picture : model;
  const canvas = new OffscreenCanvas(size.width, size.height), context = canvas.getContext("2d");
  context.fillStyle = `rgb(${model.pre.background.join(",")})`;
  context.fillRect(0, 0, size.width, size.height);
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, place.left, place.top, place.width, place.height);
  const read = context.getImageData(0, 0, size.width, size.height).data, area = size.width * size.height;
  const made = new (model.pixels ? Uint8Array : Float32Array)(3 * area);
  const turned = !model.pixels && model.pre.order === "bgr"; // a model that takes pixels turns them itself
  for (let at = 0; at < area; at++)
    for (let channel = 0; channel < 3; channel++) {
      const value = read[4 * at + (turned ? 2 - channel : channel)];
      if (model.pixels) made[3 * at + channel] = value;
      else made[channel * area + at] = (value / 255 - model.pre.mean[channel]) / model.pre.std[channel];
    }
  return made;
}

/** The boxes of a picture, from the best score on: { sides: [left, top, right, bottom], score, label, name }. */
export async function find(model, picture) {
  const place = placement(model, picture), data = given(model, picture, place);
  const size = model.whole ? [picture.height, picture.width] : [model.height, model.width];
  const shape = model.pixels ? [1, ...size, 3] : [1, 3, ...size];
  const tensor = new model.ort.Tensor(model.pixels ? "uint8" : "float32", data, shape);
  const result = await model.session.run({ [model.name]: tensor });
  const inPicture = model.whole && model.inPicture;
  const across = inPicture ? 1 : picture.width / place.width, down = inPicture ? 1 : picture.height / place.height;
  const within = (value, most) => Math.min(Math.max(value, 0), most);
  return Array.from({ length: Number(result.count.data[0]) }, (_, row) => {
    const [left, top, right, bottom] = result.boxes.data.subarray(4 * row, 4 * row + 4);
    const label = Number(result.labels.data[row]);
    const sides = [
      within((left - place.left) * across, picture.width), within((top - place.top) * down, picture.height),
      within((right - place.left) * across, picture.width), within((bottom - place.top) * down, picture.height),
    ];
    return { sides, score: result.scores.data[row], label, name: model.classes[label] || `class ${label}` };
  }).filter(({ sides: [left, top, right, bottom] }) => left < right && top < bottom); // others lie in the margins
}
