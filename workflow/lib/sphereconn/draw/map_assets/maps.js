'use strict';

/* A viewer of maps: three slices through a place in mm, a template in grey and a map in colours over it. */

const SPAN = [[-76, 76], [-112, 80], [-60, 84]]; // mm of x, y, z that are shown
const NO_VALUE = -128;
const STEPS = 127;
const FAINTEST = 0.55; // opacity just below the threshold

const element = (id) => document.getElementById(id);
const across = (axis) => (axis === 0 ? 1 : 0);
const upwards = (axis) => (axis === 2 ? 1 : 2);
const minus = (text) => text.replace('-', '−');

async function decompressed(text, Type) {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate'));
  return new Type(await new Response(stream).arrayBuffer());
}

/** Voxels of a box, found by place. */
class Volume {
  constructor(grid, values) {
    [this.nx, this.ny, this.nz] = grid.shape;
    this.toVoxel = grid.toVoxel;
    this.values = values;
  }

  /** The number of the voxel nearest to a place in mm; -1 outside of the box. */
  at(x, y, z) {
    const [a, b, c] = this.toVoxel;
    const i = Math.round(a[0] * x + a[1] * y + a[2] * z + a[3]);
    const j = Math.round(b[0] * x + b[1] * y + b[2] * z + b[3]);
    const k = Math.round(c[0] * x + c[1] * y + c[2] * z + c[3]);
    if (i < 0 || j < 0 || k < 0 || i >= this.nx || j >= this.ny || k >= this.nz) return -1;
    return i + this.nx * (j + this.ny * k);
  }
}

class Viewer {
  constructor(data, brain) {
    this.data = data;
    this.brain = brain;
    this.colours = Uint8Array.from(atob(data.colours), (character) => character.charCodeAt(0));
    this.volumes = new Map();
    this.views = [...document.querySelectorAll('.views canvas')];
    for (const canvas of this.views) {
      const axis = Number(canvas.dataset.axis);
      const [low, high] = SPAN[across(axis)];
      const [bottom, top] = SPAN[upwards(axis)];
      canvas.width = high - low + 1;
      canvas.height = top - bottom + 1;
      canvas.addEventListener('pointerdown', (event) => {
        canvas.setPointerCapture(event.pointerId);
        this.point(canvas, axis, event);
      });
      canvas.addEventListener('pointermove', (event) => {
        if (event.buttons) this.point(canvas, axis, event);
      });
      canvas.addEventListener('keydown', (event) => this.key(axis, event));
    }
    const seeds = [...new Set(data.maps.map((one) => one.seed))];
    for (const seed of seeds) element('seed').add(new Option(seed, seed));
    element('seed').addEventListener('change', () => this.choose(true));
    element('whose').addEventListener('change', () => this.choose(false));
    element('threshold').addEventListener('input', () => {
      this.threshold = (this.map.limit * element('threshold').value) / 1000;
      this.draw();
    });
    element('faint').addEventListener('change', () => this.draw());
    element('to-seed').addEventListener('click', () => this.go(this.map.centre));
    element('to-peak').addEventListener('click', () => this.go(this.peak()));
  }

  /** Show the map of the chosen seed and group; of another seed go to its place. */
  async choose(goThere) {
    const seed = element('seed').value;
    const whose = element('whose');
    const before = whose.value;
    const ofSeed = this.data.maps.filter((one) => one.seed === seed);
    whose.replaceChildren(...ofSeed.map((one) => new Option(one.whose, one.whose)));
    if (ofSeed.some((one) => one.whose === before)) whose.value = before;
    const chosen = ofSeed.find((one) => one.whose === whose.value);
    if (!this.volumes.has(chosen)) {
      this.volumes.set(chosen, new Volume(this.data.grid, await decompressed(chosen.values, Int8Array)));
    }
    this.map = chosen;
    this.volume = this.volumes.get(chosen);
    this.threshold = chosen.threshold;
    element('threshold').value = Math.round((1000 * chosen.threshold) / chosen.limit);
    element('measure').textContent = chosen.measure;
    // Where values lie beyond the colours, the ends of the bar say so.
    const beyond = chosen.limit > chosen.shown;
    const end = chosen.shown.toPrecision(2);
    element('low').textContent = chosen.signed ? `${beyond ? '≤ ' : ''}${minus(`-${end}`)}` : '0';
    element('high').textContent = `${beyond ? '≥ ' : ''}${end}`;
    if (goThere) this.go(chosen.centre);
    else this.draw();
  }

  go(place) {
    this.place = place.map((value, axis) => Math.min(Math.max(Math.round(value), SPAN[axis][0]), SPAN[axis][1]));
    this.draw();
  }

  point(canvas, axis, event) {
    const box = canvas.getBoundingClientRect();
    const place = [...this.place];
    place[across(axis)] = SPAN[across(axis)][0] + ((event.clientX - box.left) / box.width) * canvas.width - 0.5;
    place[upwards(axis)] = SPAN[upwards(axis)][1] - ((event.clientY - box.top) / box.height) * canvas.height + 0.5;
    this.go(place);
  }

  key(axis, event) {
    const moves = {
      ArrowLeft: [across(axis), -1], ArrowRight: [across(axis), 1],
      ArrowDown: [upwards(axis), -1], ArrowUp: [upwards(axis), 1],
      PageDown: [axis, -1], PageUp: [axis, 1],
    };
    if (!(event.key in moves)) return;
    event.preventDefault();
    const [along, step] = moves[event.key];
    const place = [...this.place];
    place[along] += step * (event.shiftKey ? 10 : 1);
    this.go(place);
  }

  /** Where the magnitude is largest, mm. */
  peak() {
    const { values, nx, ny, nz } = this.volume;
    let best = 0;
    for (let voxel = 0; voxel < values.length; voxel++) {
      if (values[voxel] !== NO_VALUE && Math.abs(values[voxel]) > Math.abs(values[best] === NO_VALUE ? 0 : values[best])) best = voxel;
    }
    const [i, j, k] = [best % nx, Math.floor(best / nx) % ny, Math.floor(best / (nx * ny)) % nz];
    return toPlace(this.volume.toVoxel, [i, j, k]);
  }

  value() {
    const voxel = this.volume.at(...this.place);
    const step = voxel < 0 ? NO_VALUE : this.volume.values[voxel];
    return step === NO_VALUE ? null : (step / STEPS) * this.map.limit;
  }

  draw() {
    for (const canvas of this.views) this.slice(canvas, Number(canvas.dataset.axis));
    const value = this.value();
    const place = this.place.map((mm, axis) => `${'xyz'[axis]} = ${minus(String(mm))}`).join(', ');
    element('place').textContent = `${place} mm: ${value === null ? 'no value' : minus(value.toPrecision(2))}`;
    element('threshold-value').textContent = `≥ ${this.threshold.toPrecision(2)}`;
    const bar = element('bar').getContext('2d');
    const image = bar.createImageData(256, 1);
    for (let i = 0; i < 256; i++) {
      const colour = this.map.signed ? i : 128 + (i >> 1);
      image.data.set([...this.colours.subarray(3 * colour, 3 * colour + 3), 255], 4 * i);
    }
    bar.putImageData(image, 0, 0);
  }

  slice(canvas, axis) {
    const context = canvas.getContext('2d');
    const image = context.createImageData(canvas.width, canvas.height);
    const [h, v] = [across(axis), upwards(axis)];
    const place = [...this.place];
    const { brain, volume, map, colours, threshold } = this;
    const faint = element('faint').checked;
    let pixel = 0;
    for (let row = 0; row < canvas.height; row++) {
      place[v] = SPAN[v][1] - row;
      for (let column = 0; column < canvas.width; column++, pixel += 4) {
        place[h] = SPAN[h][0] + column;
        const under = brain.at(place[0], place[1], place[2]);
        const light = under < 0 ? 0 : brain.values[under];
        const grey = 255 * (0.3 + (0.65 * light) / 255);
        const voxel = volume.at(place[0], place[1], place[2]);
        const step = voxel < 0 ? NO_VALUE : volume.values[voxel];
        let opacity = 0;
        let colour = 0;
        if (step !== NO_VALUE) {
          const value = (step / STEPS) * map.limit;
          const magnitude = Math.abs(value);
          if (magnitude >= threshold) opacity = 0.9;
          else if (faint) opacity = FAINTEST * (magnitude / threshold) ** 2;
          colour = 3 * Math.round(Math.min(Math.max(0.5 + (0.5 * value) / map.shown, 0), 1) * 255);
        }
        const isBrain = light > 20; // around it is the paper of the page
        const weight = isBrain ? opacity : 1;
        for (let c = 0; c < 3; c++) image.data[pixel + c] = grey + weight * (colours[colour + c] - grey);
        image.data[pixel + 3] = isBrain ? 255 : 255 * opacity;
      }
    }
    context.putImageData(image, 0, 0);
    context.lineWidth = 1;
    context.strokeStyle = 'rgb(110 114 118 / 60%)'; // seen on paper, on dark ground and on the brain
    const [x, y] = [this.place[h] - SPAN[h][0] + 0.5, SPAN[v][1] - this.place[v] + 0.5];
    context.beginPath();
    context.moveTo(x, 0);
    context.lineTo(x, canvas.height);
    context.moveTo(0, y);
    context.lineTo(canvas.width, y);
    context.stroke();
    for (const [width, colour] of [[2.5, '#fff'], [1, '#1a7f37']]) { // seen in dark colours, in grey print too
      context.lineWidth = width;
      context.strokeStyle = colour;
      context.beginPath();
      context.arc(map.centre[h] - SPAN[h][0] + 0.5, SPAN[v][1] - map.centre[v] + 0.5, 4, 0, 2 * Math.PI);
      context.stroke();
    }
  }
}

/** The place of a voxel: solves toVoxel · (place, 1) = voxel by Cramer's rule. */
function toPlace(toVoxel, voxel) {
  const m = toVoxel.map((row) => row.slice(0, 3));
  const right = voxel.map((index, axis) => index - toVoxel[axis][3]);
  const det = ([a, b, c]) => a[0] * (b[1] * c[2] - b[2] * c[1]) - a[1] * (b[0] * c[2] - b[2] * c[0]) + a[2] * (b[0] * c[1] - b[1] * c[0]);
  return [0, 1, 2].map((axis) => det(m.map((row, i) => row.map((value, j) => (j === axis ? right[i] : value)))) / det(m));
}

async function start() {
  const data = JSON.parse(element('data').textContent);
  element('title').textContent = data.title;
  element('description').textContent = data.description;
  const brain = new Volume(data.template, await decompressed(data.template.values, Uint8Array));
  const viewer = new Viewer(data, brain);
  await viewer.choose(true);
  document.body.dataset.ready = 'yes';
}

start();
