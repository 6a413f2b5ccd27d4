'use strict';

/* The page itself: its state, what happens when the state changes, and the state in the address. */

const OPENING_VIEW = { azimuth: -128, elevation: 22, zoom: 1, panX: 0, panY: 0 };
const FINE_RATIO = 2; // pixels a unit of a picture at rest: drawn larger than seen, its borders are smooth
const MOST_PIXELS = 8e6;
const QUICK = 30; // ms; a picture that takes longer is drawn at half the size while something moves
const SLICE = 12; // ms of drawing at a time, at rest
const REST = 160; // ms without a change after which the picture is drawn at its best
const TURN_TIME = 350; // ms
const MOST_NAMED_NODES = 12; // with more nodes, names are off at first

const CHOOSES_EDGES = new Set([
  'connectome', 'by', 'strongest', 'magnitude', 'sign', 'hemisphere', 'networks', 'others',
]);

const $ = (id) => document.getElementById(id);
const data = readData($('data'));
const counted = (number) => number.toLocaleString('en');

function openingState() {
  return {
    connectome: 0,
    by: data.opening.by,
    strongest: data.opening.strongest ?? 2 * data.nodes.length,
    magnitude: data.opening.magnitude ?? 0,
    sign: 'both',
    hemisphere: 'both',
    networks: new Set(), // the isolated ones; none means all
    others: false,
    opacity: 0.14,
    size: 'equal',
    names: data.nodes.length <= MOST_NAMED_NODES,
    connected: false,
    view: OPENING_VIEW,
    selected: null,
  };
}

let state = openingState();
let pointed = null; // what the pointer is on
let edges = new Uint32Array(0);
let degrees = new Uint32Array(data.nodes.length);

const host = {
  get state() {
    return state;
  },
  update,
  point,
  select,
  announce: (target) => announce(targetText(target)),
};
const brain = new BrainView($('brain'), data, host);
const matrix = new MatrixView($('matrix'), data, host);

/* Changing the state. */

const stale = { edges: true, selection: true, picture: true };
let frame = 0;
let restTimer = 0;
let fineTime = Infinity; // how long the last picture at its best took

function update(changes) {
  Object.assign(state, changes);
  if (Object.keys(changes).some((key) => CHOOSES_EDGES.has(key))) stale.edges = true;
  if ('selected' in changes) stale.selection = true;
  stale.picture = true;
  writeAddress();
  schedule();
}

function schedule() {
  if (!frame) frame = requestAnimationFrame(paint);
}

function connectome() {
  return data.connectomes[state.connectome];
}

function point(target, x, y) {
  pointed = target;
  showTooltip(target, x, y);
  schedule();
}

function select(target) {
  update({ selected: target });
  if (target) announce(`Selected: ${targetText(target)}`);
}

/* Drawing. */

function paint() {
  frame = 0;
  if (stale.edges) {
    chooseShown();
    showControls();
  }
  if (stale.edges || stale.selection) showSelection();
  if (stale.picture) {
    showOptions();
    clearTimeout(restTimer);
    if (fineTime < QUICK) {
      drawFine();
    } else {
      brain.draw(scene(), Math.min(1, fineRatio()));
      $('brain').dataset.quality = 'draft';
      restTimer = setTimeout(refine, REST);
    }
  } else if (brain.scene) {
    brain.scene.marks = marks();
    brain.drawOverlay();
  }
  matrix.draw(marks());
  Object.assign(stale, { edges: false, selection: false, picture: false });
}

function fineRatio() {
  return Math.min(FINE_RATIO, Math.sqrt(MOST_PIXELS / (brain.width * brain.height)));
}

function drawFine() {
  const start = performance.now();
  brain.draw(scene(), fineRatio());
  noteFine(performance.now() - start);
}

/** Draw the picture at its best, a few milliseconds at a time: what the user does next must not wait for it. */
function refine() {
  const drawing = brain.drawInSteps(scene(), fineRatio());
  let time = 0;
  const work = () => {
    const start = performance.now();
    let step = drawing.next();
    while (!step.done && performance.now() - start < SLICE) step = drawing.next();
    time += performance.now() - start;
    if (step.done) noteFine(time);
    else restTimer = setTimeout(work, 0);
  };
  work();
}

function noteFine(time) {
  fineTime = time;
  $('brain').dataset.quality = 'fine';
}

function scene() {
  return {
    view: state.view,
    opacity: state.opacity,
    half: ['left', 'right'].includes(state.hemisphere) ? state.hemisphere : 'both',
    connectome: connectome(),
    edges,
    focus: state.selected?.node ?? -1,
    balls: balls(),
    named: state.names,
    marks: marks(),
  };
}

const networkColours = data.networks.map(({ colour }) => (
  [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16))
));

/** What is drawn at each node: null for nothing, a small pale ghost for one of a network that is filtered out. */
function balls() {
  const plain = 2.3 + 4 / Math.sqrt(data.nodes.length); // mm
  const { strength, hasValues } = connectome();
  const weights = { equal: null, strength, degree: degrees }[state.size];
  const mean = weights ? weights.reduce((sum, weight) => sum + weight, 0) / weights.length || 1 : 1;
  return data.nodes.map((node, number) => {
    if (!isInHalf(node) || (state.connected && !degrees[number])) return null;
    if (!isInNetworks(node, number)) return { radius: 1, colour: [205, 209, 214], ghost: true };
    const larger = weights ? Math.sqrt(weights[number] / mean) : 1; // the area of a node tells its weight
    const radius = plain * clamped(larger, 0.4, 2.2);
    return { radius, colour: networkColours[node.network], hollow: !hasValues[number] };
  });
}

/** A node at x = 0 belongs to both halves. */
function isInHalf({ position: [x] }) {
  return !(state.hemisphere === 'left' && x > 0) && !(state.hemisphere === 'right' && x < 0);
}

function isInNetworks(node, number) {
  return !state.networks.size || state.networks.has(node.network) || (state.others && degrees[number] > 0);
}

/** What is marked in brain and matrix: what is selected and what the pointer is on. */
function marks() {
  const targets = [state.selected, pointed].filter(Boolean);
  const pairs = targets.filter((target) => 'pair' in target).map((target) => target.pair);
  const nodes = targets.filter((target) => 'node' in target).map((target) => target.node);
  return { pairs, nodes, named: [...nodes, ...pairs.flatMap(ends)] };
}

function ends(pair) {
  return [data.pairs.first[pair], data.pairs.second[pair]];
}

/* The edges shown. */

function chooseShown() {
  edges = chooseEdges(connectome(), data.nodes, state);
  degrees = new Uint32Array(data.nodes.length);
  for (const pair of edges) {
    degrees[data.pairs.first[pair]]++;
    degrees[data.pairs.second[pair]]++;
  }
  matrix.fill(connectome(), edges);
}

/** How many edges pass the threshold, before the filters. */
function passing() {
  if (state.by === 'strongest') return Math.min(state.strongest, connectome().nEdges);
  return connectome().countAtLeast(state.magnitude);
}

/** The smallest magnitude that passes the threshold. */
function smallestMagnitude() {
  if (state.by === 'magnitude') return state.magnitude;
  const { order, values, largest } = connectome();
  const count = passing();
  return count ? Math.abs(values[order[count - 1]]) : largest;
}

/* Turning. */

let turning = 0;

/** Turn the brain to a view, the shorter way round, at once for those who asked for less motion. */
function turnTo(view) {
  cancelAnimationFrame(turning);
  const from = state.view;
  const start = performance.now();
  const turn = wrappedAngle(view.azimuth - from.azimuth);
  const still = window.matchMedia('(prefers-reduced-motion: reduce)').matches;
  let last = from;
  const step = () => {
    if (state.view !== last) return; // someone turns it by hand
    const part = still ? 1 : Math.min(1, (performance.now() - start) / TURN_TIME);
    const eased = part * part * (3 - 2 * part);
    const mixed = {};
    for (const key of Object.keys(view)) mixed[key] = from[key] + (view[key] - from[key]) * eased;
    last = part < 1 ? { ...mixed, azimuth: wrappedAngle(from.azimuth + turn * eased) } : view;
    update({ view: last });
    if (part < 1) turning = requestAnimationFrame(step);
  };
  step();
}

/* The state in the address, so that a view can be kept as a bookmark. */

let addressTimer = 0;

function writeAddress() {
  clearTimeout(addressTimer);
  addressTimer = setTimeout(() => {
    const opening = openingState();
    const fields = new URLSearchParams();
    for (const key of ['connectome', 'sign', 'hemisphere', 'others', 'opacity', 'size', 'names', 'connected']) {
      if (state[key] !== opening[key]) fields.set(key, state[key]);
    }
    if (state.by !== opening.by || state[state.by] !== opening[state.by]) fields.set(state.by, state[state.by]);
    if (state.networks.size) fields.set('networks', [...state.networks].join('.'));
    const view = Object.values(state.view).map((value) => Number(value.toFixed(2)));
    if (view.join() !== Object.values(OPENING_VIEW).join()) fields.set('view', view.join('_'));
    if (state.selected) fields.set(...Object.entries(state.selected)[0]);
    try {
      history.replaceState(null, '', `#${fields}`);
    } catch {
      // Some frames have no address of their own; the page works without.
    }
  }, 300);
}

function readAddress() {
  const fields = new URLSearchParams(location.hash.slice(1));
  const read = openingState();
  const whole = (text, end) => (/^\d+$/.test(text ?? '') && Number(text) < end ? Number(text) : null);
  const positive = (text) => (text !== null && Number(text) >= 0 ? Number(text) : null);
  read.connectome = whole(fields.get('connectome'), data.connectomes.length) ?? read.connectome;
  for (const by of ['strongest', 'magnitude']) {
    const value = positive(fields.get(by));
    if (value !== null) Object.assign(read, { by, [by]: by === 'strongest' ? Math.floor(value) : value });
  }
  const choices = {
    sign: ['both', 'positive', 'negative'],
    hemisphere: ['both', 'left', 'right', 'between'],
    size: ['equal', 'strength', 'degree'],
  };
  for (const [key, allowed] of Object.entries(choices)) {
    if (allowed.includes(fields.get(key))) read[key] = fields.get(key);
  }
  for (const key of ['others', 'names', 'connected']) if (fields.has(key)) read[key] = fields.get(key) === 'true';
  read.opacity = Math.min(1, positive(fields.get('opacity')) ?? read.opacity);
  for (const text of (fields.get('networks') ?? '').split('.')) {
    const network = whole(text, data.networks.length);
    if (network !== null) read.networks.add(network);
  }
  const view = (fields.get('view') ?? '').split('_').map(Number);
  if (view.length === 5 && view.every(Number.isFinite)) {
    const [azimuth, elevation, zoom, panX, panY] = view;
    read.view = { azimuth, elevation: clamped(elevation, -90, 90), zoom: clamped(zoom, ...ZOOM_RANGE), panX, panY };
  }
  const node = whole(fields.get('node'), data.nodes.length);
  const pair = whole(fields.get('pair'), data.pairs.length);
  if (node !== null) read.selected = { node };
  else if (pair !== null) read.selected = { pair };
  return read;
}

/* Opening. */

function openPage() {
  $('title').textContent = data.title;
  $('description').textContent = data.description;
  $('description').hidden = !data.description;
  $('estimator-choice').hidden = labelsOf('estimator').length < 2 && labelsOf('group').length < 2;
  $('group-choice').hidden = $('estimator-choice').hidden;
  buildConnectomeChoice();
  buildLegend();
  buildSearch();
  buildControls();
  update(readAddress());
  window.addEventListener('hashchange', () => update(readAddress()));
  new ResizeObserver(() => update({})).observe($('brain'));
  new ResizeObserver(() => {
    stale.edges = true;
    update({});
  }).observe($('matrix'));
}

openPage();
