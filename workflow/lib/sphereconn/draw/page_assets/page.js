'use strict';

/* The page itself: its state, its controls, and what is shown of the state. */

const OPENING_VIEW = { azimuth: -128, elevation: 22, zoom: 1, panX: 0, panY: 0 };
const FINE_RATIO = 2; // pixels a unit of a picture at rest: drawn larger than seen, its borders are smooth
const MOST_PIXELS = 8e6;
const QUICK = 30; // ms; a picture that takes longer is drawn at half the size while something moves
const SLICE = 12; // ms of drawing at a time, at rest
const REST = 160; // ms without a change after which the picture is drawn at its best
const TURN_TIME = 350; // ms
const MOST_NAMED_NODES = 12; // with more nodes, names are off at first
const TABLE_ROWS = 200;
const LISTED_EDGES = 8;
const SLIDER_STEPS = 1000;
const HISTOGRAM_BINS = 80;
const ACCENT = '#1a5fb4';

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

const stale = { edges: true, picture: true, marks: true };
let frame = 0;
let restTimer = 0;
let fineTime = Infinity; // how long the last picture at its best took

function update(changes) {
  Object.assign(state, changes);
  if (Object.keys(changes).some((key) => CHOOSES_EDGES.has(key))) stale.edges = true;
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
  stale.marks = true;
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
  if (stale.picture) {
    showOptions();
    showSelection();
    clearTimeout(restTimer);
    if (fineTime < QUICK) {
      drawFine();
    } else {
      brain.draw(scene(), Math.min(1, fineRatio()));
      $('brain').dataset.quality = 'draft';
      restTimer = setTimeout(refine, REST);
    }
  } else {
    brain.scene.marks = marks();
    brain.drawOverlay();
  }
  matrix.draw(marks());
  Object.assign(stale, { edges: false, picture: false, marks: false });
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

const networkColours = data.networks.map(({ colour }) => [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16)));

/** What is drawn at each node: null for nothing, a small pale ghost for one of a network that is filtered out. */
function balls() {
  const plain = 2.3 + 4 / Math.sqrt(data.nodes.length); // mm
  const { strength, hasValues } = connectome();
  const weights = { equal: null, strength, degree: degrees }[state.size];
  const heaviest = weights ? Math.max(...weights) || 1 : 1;
  return data.nodes.map((node, number) => {
    if (!isInHalf(node) || (state.connected && !degrees[number])) return null;
    if (!isInNetworks(node, number)) return { radius: 1, colour: [205, 209, 214], ghost: true };
    const radius = weights ? plain * (0.45 + 1.35 * Math.sqrt(weights[number] / heaviest)) : plain;
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
  const ends = pairs.flatMap((pair) => [data.pairs.first[pair], data.pairs.second[pair]]);
  return { pairs, nodes, named: [...nodes, ...ends] };
}

/* Edges and their controls. */

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
  return state.by === 'strongest' ? Math.min(state.strongest, connectome().nEdges) : connectome().countAtLeast(state.magnitude);
}

/** The smallest magnitude that passes the threshold. */
function smallestMagnitude() {
  if (state.by === 'magnitude') return state.magnitude;
  const { order, values, largest } = connectome();
  const count = passing();
  return count ? Math.abs(values[order[count - 1]]) : largest;
}

function showControls() {
  const { nEdges, zeros, missing, largest, decimals } = connectome();
  const shown = `${counted(edges.length)} of ${counted(nEdges)} edges shown`;
  const rest = [
    zeros && `${counted(zeros)} pairs are 0`,
    missing && `${counted(missing)} pairs have no value`,
  ].filter(Boolean);
  $('count').replaceChildren(element('strong', shown), rest.length ? ` (${rest.join(', ')})` : '');
  const magnitude = smallestMagnitude();
  $('threshold').value = largest ? Math.round((magnitude / largest) * SLIDER_STEPS) : 0;
  $('threshold').setAttribute('aria-valuetext', `${magnitude.toFixed(decimals)}, ${shown}`);
  setUnlessTyped($('magnitude'), magnitude.toFixed(decimals));
  setUnlessTyped($('strongest'), passing());
  $('strongest').max = nEdges;
  $(`by-${state.by}`).checked = true;
  document.querySelector(`input[name="sign"][value="${state.sign}"]`).checked = true;
  $('hemisphere').value = state.hemisphere;
  $('others').checked = state.others;
  drawHistogram(magnitude);
  drawColourBar(magnitude);
  showConnectomeChoice();
  showLegend();
  showTable();
  announce(shown, 500);
}

/** Write into a field, but not under the hands of someone who types in it. */
function setUnlessTyped(input, value) {
  if (document.activeElement !== input) input.value = value;
}

function drawHistogram(magnitude) {
  const { context, width, height } = openCanvas($('histogram'));
  const { order, values, largest } = connectome();
  const bins = new Float64Array(HISTOGRAM_BINS);
  for (const pair of order) {
    bins[Math.min(HISTOGRAM_BINS - 1, Math.floor((Math.abs(values[pair]) / largest) * HISTOGRAM_BINS))]++;
  }
  const fullest = Math.max(...bins) || 1;
  const [inset, step] = [8, (width - 16) / HISTOGRAM_BINS]; // the knob of the slider stays this far from its ends
  const cut = inset + (largest ? magnitude / largest : 0) * (width - 2 * inset);
  bins.forEach((count, bin) => {
    if (!count) return;
    const bar = Math.max(1, height * Math.sqrt(count / fullest)); // the root keeps the few strong edges in sight
    const x = inset + bin * step;
    const split = Math.max(x, Math.min(x + step, cut));
    context.fillStyle = '#d3d7dc';
    context.fillRect(x, height - bar, split - x, bar);
    context.fillStyle = ACCENT;
    context.fillRect(split, height - bar, x + step - split, bar);
  });
}

function drawColourBar(magnitude) {
  const { context, width } = openCanvas($('colour-bar'));
  paintColourBar(context, STRIP, 4, width - STRIP, magnitude);
  const { measure, limit } = connectome();
  $('colour-bar').setAttribute('aria-label', `Colours of ${measure}: blue −${shortNumber(limit)} to red ${shortNumber(limit)}`);
}

/** The colours of values, with grey for magnitudes that are too small to be shown; 42 units high. */
function paintColourBar(context, left, top, width, magnitude) {
  const { limit, measure } = connectome();
  for (let i = 0; i < 256; i++) {
    const value = ((i - 127.5) / 127.5) * limit;
    context.fillStyle = Math.abs(value) < magnitude ? '#eeeeee' : cssColour(data.colours, i);
    context.fillRect(left + (i * width) / 256, top, width / 256 + 0.5, 10);
  }
  context.strokeStyle = '#b9c0c9';
  context.lineWidth = 1;
  context.strokeRect(left, top, width, 10);
  context.fillStyle = INK;
  context.font = LABEL_FONT.replace('12px', '11px');
  context.textBaseline = 'top';
  for (const [part, align] of [[-1, 'left'], [-0.5, 'center'], [0, 'center'], [0.5, 'center'], [1, 'right']]) {
    context.textAlign = align;
    context.fillText(shortNumber(part * limit), left + ((part + 1) / 2) * width, top + 13);
  }
  context.textAlign = 'center';
  context.fillStyle = FAINT_INK;
  context.fillText(shortened(context, measure, width), left + width / 2, top + 27);
  context.textAlign = 'left';
}

function shortNumber(value) {
  return String(Number(value.toPrecision(2))).replace('-', '−');
}

/** A canvas ready to be drawn on in units, cleared. */
function openCanvas(canvas) {
  const ratio = Math.max(1, window.devicePixelRatio);
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  resizeCanvas(canvas, Math.round(width * ratio), Math.round(height * ratio));
  const context = canvas.getContext('2d');
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}

function showTable() {
  if (!$('table-details').open) return;
  const listed = [...edges.slice(0, TABLE_ROWS)];
  $('table-caption').textContent = edges.length > TABLE_ROWS
    ? `The ${TABLE_ROWS} strongest of ${counted(edges.length)} edges shown`
    : `${counted(edges.length)} edges shown`;
  $('table').replaceChildren(
    ...listed.map((pair) => {
      const cells = [nodeName(data.pairs.first[pair]), nodeName(data.pairs.second[pair]), valueText(pair)];
      return element('tr', cells.map((text) => element('td', text)));
    }),
  );
}

/* Networks. */

function buildLegend() {
  const sizes = data.networks.map((_, network) => data.nodes.filter((node) => node.network === network).length);
  $('legend').replaceChildren(
    ...data.networks.map(({ label }, network) => {
      const button = element('button', [swatch(network), element('span', label, 'label'), element('span', counted(sizes[network]), 'small')]);
      button.type = 'button';
      button.addEventListener('click', () => toggleNetwork(network));
      return element('li', [button]);
    }),
  );
}

function toggleNetwork(network) {
  const networks = new Set(state.networks);
  if (!networks.delete(network)) networks.add(network);
  update({ networks });
}

function showLegend() {
  [...$('legend').querySelectorAll('button')].forEach((button, network) => {
    const isolated = state.networks.has(network);
    button.setAttribute('aria-pressed', isolated);
    button.classList.toggle('off', state.networks.size > 0 && !isolated);
  });
  $('all-networks').hidden = state.networks.size === 0;
}

function swatch(network) {
  const span = element('span', '', 'swatch');
  span.style.background = data.networks[network].colour;
  return span;
}

/* The choice of estimator and group. */

function labelsOf(key) {
  return [...new Set(data.connectomes.map((one) => one[key]))];
}

function findConnectome(estimator, group) {
  return data.connectomes.findIndex((one) => one.estimator === estimator && one.group === group);
}

function buildConnectomeChoice() {
  for (const key of ['estimator', 'group']) {
    $(key).replaceChildren(...labelsOf(key).map((label) => new Option(label, label)));
    $(key).addEventListener('change', () => {
      const wanted = findConnectome($('estimator').value, $('group').value);
      // Not every group need have every estimator: then what was not chosen just now gives way.
      const instead = data.connectomes.findIndex((one) => one[key] === $(key).value);
      update({ connectome: wanted >= 0 ? wanted : instead });
    });
  }
}

function showConnectomeChoice() {
  $('estimator').value = connectome().estimator;
  $('group').value = connectome().group;
}

/* Words about nodes and edges. All text goes through textContent: a label is never read as HTML. */

function element(tag, content, className = '') {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (Array.isArray(content)) made.append(...content);
  else made.textContent = content;
  return made;
}

function nodeName(node) {
  return data.nodes[node].name;
}

function networkName(node) {
  return data.networks[data.nodes[node].network].label;
}

function coordinatesText(node) {
  const numbers = data.nodes[node].position.map((value) => String(Number(value.toFixed(2))).replace('-', '−'));
  return `(${numbers.join(', ')}) mm`;
}

function valueText(pair) {
  return connectome().format(connectome().values[pair]);
}

function strengthText(node) {
  const { hasValues, strength } = connectome();
  return hasValues[node] ? connectome().format(strength[node]) : 'no value';
}

function rankText(pair) {
  const { order, nEdges, values } = connectome();
  if (Number.isNaN(values[pair])) return '';
  if (values[pair] === 0) return 'a pair of value 0 is not an edge';
  const shown = edges.includes(pair) ? '' : ', not shown';
  return `number ${counted(order.indexOf(pair) + 1)} of ${counted(nEdges)} by magnitude${shown}`;
}

function targetText(target) {
  if ('node' in target) {
    const { node } = target;
    return `${nodeName(node)}, ${networkName(node)}, at ${coordinatesText(node)}, strength ${strengthText(node)}, ${degrees[node]} edges shown`;
  }
  const { pair } = target;
  return `${nodeName(data.pairs.first[pair])} to ${nodeName(data.pairs.second[pair])}: ${valueText(pair)}`;
}

function nodeLine(node) {
  return element('p', [swatch(data.nodes[node].network), element('span', `${nodeName(node)} (${networkName(node)})`, 'label')]);
}

function tooltipLines(target) {
  if ('node' in target) {
    const { node } = target;
    return [
      element('b', nodeName(node)),
      element('p', [swatch(data.nodes[node].network), element('span', networkName(node), 'label')]),
      element('p', coordinatesText(node)),
      element('p', `strength ${strengthText(node)}, ${counted(degrees[node])} edges shown`),
    ];
  }
  const { pair } = target;
  return [
    nodeLine(data.pairs.first[pair]),
    nodeLine(data.pairs.second[pair]),
    element('b', `${connectome().measure} ${valueText(pair)}`),
    element('p', rankText(pair), 'small'),
  ];
}

function showTooltip(target, x, y) {
  const tooltip = $('tooltip');
  tooltip.hidden = !target;
  if (!target) return;
  tooltip.replaceChildren(...tooltipLines(target));
  const { width, height } = tooltip.getBoundingClientRect();
  const fits = x + 16 + width < window.innerWidth;
  tooltip.style.left = `${Math.max(4, fits ? x + 16 : x - 16 - width)}px`;
  tooltip.style.top = `${Math.max(4, Math.min(y + 16, window.innerHeight - height - 6))}px`;
}

function showSelection() {
  const target = state.selected;
  if (!target) {
    $('selection').replaceChildren(element('p', 'Click a node, an edge or a cell of the matrix to keep it in view.', 'small'));
  } else if ('node' in target) {
    showSelectedNode(target.node);
  } else {
    showSelectedEdge(target.pair);
  }
}

function showSelectedNode(node) {
  const own = [...edges].filter((pair) => data.pairs.first[pair] === node || data.pairs.second[pair] === node);
  const list = element('ol', own.slice(0, LISTED_EDGES).map((pair) => {
    const end = data.pairs.other(pair, node);
    const button = targetButton({ pair }, [swatch(data.nodes[end].network), element('span', nodeName(end), 'label'), element('span', valueText(pair), 'number')]);
    return element('li', [button]);
  }));
  $('selection').replaceChildren(
    selectionHeading(nodeName(node)),
    definitions([
      ['Network', networkName(node)],
      ['Coordinates', coordinatesText(node)],
      ['Strength', strengthText(node)],
      ['Edges shown', counted(own.length)],
    ]),
    own.length > LISTED_EDGES ? element('p', `Its ${LISTED_EDGES} strongest`, 'small') : '',
    list,
  );
}

function showSelectedEdge(pair) {
  const ends = [data.pairs.first[pair], data.pairs.second[pair]];
  $('selection').replaceChildren(
    selectionHeading('Edge'),
    definitions([[connectome().measure, valueText(pair)], ['Rank', rankText(pair)]]),
    element('ol', ends.map((node) => element('li', [targetButton({ node }, [swatch(data.nodes[node].network), element('span', nodeName(node), 'label')])]))),
  );
}

function selectionHeading(text) {
  const close = element('button', 'clear', 'link');
  close.type = 'button';
  close.setAttribute('aria-label', 'Clear the selection');
  close.addEventListener('click', () => select(null));
  return element('div', [element('h3', text), close], 'row');
}

function definitions(entries) {
  return element('dl', entries.flatMap(([term, text]) => [element('dt', term), element('dd', text)]));
}

/** A button that selects a target, and points at it while it is under the pointer or has the focus. */
function targetButton(target, content) {
  const button = element('button', content);
  button.type = 'button';
  const show = () => {
    pointed = target;
    stale.marks = true;
    schedule();
  };
  button.addEventListener('pointerenter', show);
  button.addEventListener('focus', show);
  button.addEventListener('pointerleave', () => point(null));
  button.addEventListener('click', () => {
    point(null);
    select(target);
  });
  return button;
}

let announceTimer = 0;

/** Tell a screen reader; the last of several quick announcements is the one that is read. */
function announce(text, delay = 0) {
  clearTimeout(announceTimer);
  announceTimer = setTimeout(() => ($('announcer').textContent = text), delay);
}

/* Finding a node. */

function buildSearch() {
  $('node-names').replaceChildren(...data.nodes.map(({ name }) => new Option('', name)));
  $('search').addEventListener('input', () => {
    const exact = data.nodes.findIndex(({ name }) => name === $('search').value);
    if (exact >= 0) select({ node: exact });
    const found = exact >= 0 ? [exact] : matchingNodes();
    $('search-result').textContent = $('search').value.trim() === '' || exact >= 0
      ? ''
      : found.length ? `${counted(found.length)} nodes; Enter takes ${nodeName(found[0])}` : 'No node is called that.';
  });
  $('search').addEventListener('keydown', (event) => {
    if (event.key !== 'Enter') return;
    const [first] = matchingNodes();
    if (first === undefined) return;
    $('search').value = nodeName(first);
    $('search-result').textContent = '';
    select({ node: first });
  });
}

function matchingNodes() {
  const wanted = $('search').value.trim().toLowerCase();
  if (!wanted) return [];
  return data.nodes.map((_, node) => node).filter((node) => nodeName(node).toLowerCase().includes(wanted));
}

/* Other controls. */

function showOptions() {
  $('opacity').value = state.opacity;
  $('opacity-value').textContent = state.opacity.toFixed(2);
  $('size').value = state.size;
  $('names').checked = state.names;
  $('connected').checked = state.connected;
}

function buildControls() {
  $('threshold').addEventListener('input', (event) => {
    update({ by: 'magnitude', magnitude: (event.target.value / SLIDER_STEPS) * connectome().largest });
  });
  $('magnitude').addEventListener('input', (event) => {
    const magnitude = event.target.valueAsNumber;
    if (magnitude >= 0) update({ by: 'magnitude', magnitude });
  });
  $('strongest').addEventListener('input', (event) => {
    const strongest = event.target.valueAsNumber;
    if (strongest >= 0) update({ by: 'strongest', strongest: Math.floor(strongest) });
  });
  for (const id of ['magnitude', 'strongest']) $(id).addEventListener('change', (event) => event.target.blur());
  $('by-magnitude').addEventListener('change', () => update({ by: 'magnitude', magnitude: smallestMagnitude() }));
  $('by-strongest').addEventListener('change', () => update({ by: 'strongest', strongest: passing() }));
  for (const input of document.querySelectorAll('input[name="sign"]')) {
    input.addEventListener('change', () => update({ sign: input.value }));
  }
  for (const id of ['hemisphere', 'size']) $(id).addEventListener('change', () => update({ [id]: $(id).value }));
  for (const id of ['others', 'names', 'connected']) $(id).addEventListener('change', () => update({ [id]: $(id).checked }));
  $('opacity').addEventListener('input', () => update({ opacity: $('opacity').valueAsNumber }));
  $('all-networks').addEventListener('click', () => update({ networks: new Set() }));
  for (const button of document.querySelectorAll('[data-view]')) {
    button.addEventListener('click', () => turnTo({ ...OPENING_VIEW, ...VIEWS[button.dataset.view] }));
  }
  $('reset').addEventListener('click', () => turnTo(OPENING_VIEW));
  $('zoom-in').addEventListener('click', () => brain.zoomBy(ZOOM_STEP));
  $('zoom-out').addEventListener('click', () => brain.zoomBy(1 / ZOOM_STEP));
  $('download').addEventListener('click', downloadPicture);
  $('table-details').addEventListener('toggle', showTable);
}

let turning = 0;

/** Turn the brain to a view, the shorter way round, at once for those who asked for less motion. */
function turnTo(view) {
  cancelAnimationFrame(turning);
  const from = state.view;
  const start = performance.now();
  const turn = wrappedAngle(view.azimuth - from.azimuth);
  const still = window.matchMedia('(prefers-reduced-motion: reduce)').matches;
  const step = () => {
    const part = still ? 1 : Math.min(1, (performance.now() - start) / TURN_TIME);
    const eased = part * part * (3 - 2 * part);
    const mixed = Object.fromEntries(Object.keys(view).map((key) => [key, from[key] + (view[key] - from[key]) * eased]));
    update({ view: part < 1 ? { ...mixed, azimuth: wrappedAngle(from.azimuth + turn * eased) } : view });
    if (part < 1) turning = requestAnimationFrame(step);
  };
  step();
}

/* The picture as a file. */

function downloadPicture() {
  const canvas = paintPicture();
  canvas.toBlob((blob) => {
    const link = element('a', '');
    link.href = URL.createObjectURL(blob);
    const { estimator, group } = connectome();
    link.download = `${[data.title, estimator, group].join(' ').replace(/[^\p{L}\p{N}]+/gu, '-').replace(/^-|-$/g, '')}.png`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    announce('The picture was saved.');
  });
}

/** Brain, title, colours of values and of networks on one white canvas, at twice the size of the screen. */
function paintPicture() {
  clearTimeout(restTimer);
  drawFine();
  const networks = data.networks.map((_, network) => network).filter((network) => !state.networks.size || state.networks.has(network));
  const [width, top] = [Math.max(brain.width, 420), 58];
  const columns = Math.max(1, Math.floor((width - 32) / 180));
  const rows = Math.ceil(networks.length / columns);
  const canvas = document.createElement('canvas');
  const height = top + brain.height + 8 + rows * 18 + 62;
  resizeCanvas(canvas, Math.round(width * FINE_RATIO), Math.round(height * FINE_RATIO));
  const context = canvas.getContext('2d');
  context.scale(FINE_RATIO, FINE_RATIO);
  context.fillStyle = '#fff';
  context.fillRect(0, 0, width, height);
  context.fillStyle = INK;
  context.font = '600 16' + LABEL_FONT.slice(2);
  context.fillText(shortened(context, data.title, width - 32), 16, 26);
  context.font = LABEL_FONT;
  context.fillStyle = FAINT_INK;
  context.fillText(shortened(context, pictureNote(), width - 32), 16, 46);
  const left = (width - brain.width) / 2;
  context.drawImage(brain.pixelCanvas, left, top, brain.width, brain.height);
  context.save();
  context.translate(left, top);
  brain.paintOverlay(context);
  context.restore();
  networks.forEach((network, number) => {
    const x = 22 + (number % columns) * 180;
    const y = top + brain.height + 14 + Math.floor(number / columns) * 18;
    paintLegendEntry(context, network, x, y);
  });
  paintColourBar(context, width / 2 - 170, height - 50, 340, smallestMagnitude());
  return canvas;
}

function paintLegendEntry(context, network, x, y) {
  context.fillStyle = data.networks[network].colour;
  context.beginPath();
  context.arc(x, y, 5, 0, 2 * Math.PI);
  context.fill();
  context.fillStyle = INK;
  context.font = LABEL_FONT;
  context.textBaseline = 'middle';
  context.fillText(shortened(context, data.networks[network].label, 155), x + 11, y);
}

function pictureNote() {
  const { estimator, group, nEdges } = connectome();
  return `${estimator}, ${group}: ${counted(edges.length)} of ${counted(nEdges)} edges shown`;
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
  if (view.length === 5 && view.every(Number.isFinite) && view[2] > 0) {
    const [azimuth, elevation, zoom, panX, panY] = view;
    read.view = { azimuth, elevation: Math.max(-90, Math.min(90, elevation)), zoom, panX, panY };
  }
  const node = whole(fields.get('node'), data.nodes.length);
  const pair = whole(fields.get('pair'), data.pairs.length);
  if (node !== null) read.selected = { node };
  else if (pair !== null) read.selected = { pair };
  return read;
}

/* Opening. */

function open() {
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

open();
