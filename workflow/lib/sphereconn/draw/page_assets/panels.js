'use strict';

/* What stands around the brain: controls, legend, table, and words about nodes and edges. */

const TABLE_ROWS = 200;
const LISTED_EDGES = 8;
const SLIDER_STEPS = 1000;
const HISTOGRAM_BINS = 80;
const LEFT_OUT_SHARE = 0.1; // of a bar of colours, as in the figures

/* Edges. */

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

/** The colours of all values, which stand below the diagonal of the matrix; a line marks those of the edges shown. */
function drawColourBar(magnitude) {
  const { context, width } = openCanvas($('colour-bar'));
  const { measure, limit, signed, decimals } = connectome();
  const [left, top, across] = [STRIP, 8, width - STRIP];
  paintColourBar(context, left, top, across, 0);
  const shareOf = (value) => (signed ? (value / limit + 1) / 2 : value / limit);
  context.fillStyle = INK;
  for (const { low, high } of edges.length ? drawnRanges(magnitude) : []) {
    const [from, to] = [shareOf(low) * across, shareOf(high) * across];
    context.fillRect(left + Math.min(from, across - 3), top - 6, Math.max(3, to - from), 3);
  }
  const shown = edges.length ? `line: edges shown, magnitude ≥ ${magnitude.toFixed(decimals)}` : 'no edge is shown';
  context.fillStyle = FAINT_INK;
  context.textAlign = 'center';
  context.fillText(shortened(context, shown, across), left + across / 2, top + 41);
  context.textAlign = 'left';
  const end = shortNumber(limit);
  const colours = signed ? `blue −${end} to red ${end}` : `white 0 to red ${end}`;
  $('colour-bar').setAttribute('aria-label', `Colours of ${measure}: ${colours}; ${shown}`);
}

/** The values of the edges shown, from low to high: those below 0, those above, or both. */
function drawnRanges(magnitude) {
  const { limit, values } = connectome();
  const cutoff = Math.min(magnitude, limit);
  const some = (isOfSign) => edges.some((pair) => isOfSign(values[pair]));
  const below = some((value) => value < 0) ? [{ low: -limit, high: -cutoff }] : [];
  const above = some((value) => value > 0) || !below.length ? [{ low: cutoff, high: limit }] : [];
  return [...below, ...above];
}

/** Parts of a bar of colours, as shares of its width: all colours, or those of edges, with a gap for what is left out. */
function barParts(cutoff) {
  const { limit, signed } = connectome();
  if (cutoff <= 0) return [{ from: 0, to: 1, low: signed ? -limit : 0, high: limit }];
  const ranges = drawnRanges(cutoff);
  const share = (1 - LEFT_OUT_SHARE) / ranges.length;
  return ranges.map(({ low, high }) => (high <= 0 ? { from: 0, to: share, low, high } : { from: 1 - share, to: 1, low, high }));
}

/** The colours of values; magnitudes below a cutoff that is not 0 are left out: a short stretch of grey. 42 units high. */
function paintColourBar(context, left, top, width, cutoff) {
  const { limit, measure, largest } = connectome();
  const parts = barParts(cutoff);
  context.fillStyle = '#eeeeee';
  context.fillRect(left, top, width, 10);
  for (const { from, to, low, high } of parts) {
    const step = ((to - from) * width) / 256;
    for (let i = 0; i < 256; i++) {
      context.fillStyle = cssColour(data.colours, colourIndex(low + ((high - low) * (i + 0.5)) / 256, limit));
      context.fillRect(left + from * width + i * step, top, i < 255 ? step + 0.5 : step, 10);
    }
  }
  context.strokeStyle = '#b9c0c9';
  context.lineWidth = 1;
  context.strokeRect(left, top, width, 10);
  context.fillStyle = INK;
  context.font = LABEL_FONT.replace('12px', '11px');
  context.textBaseline = 'top';
  const beyond = largest > limit * (1 + 1e-6); // a bar whose end colours stand for more says so
  const written = tickNumbers(parts.flatMap(({ low, high }) => [low, high]));
  for (const { from, to, low, high } of parts) {
    const shares = cutoff > 0 ? [0, 1] : [0, 0.25, 0.5, 0.75, 1];
    for (const share of low === high ? [0.5] : shares) {
      const value = low + (high - low) * share;
      const sign = beyond && Math.abs(value) >= limit ? (value < 0 ? '≤ ' : '≥ ') : '';
      const along = from + (to - from) * share;
      const inside = low !== high && along > 0 && along < 1;
      // Ends of the two parts stand back from the gap between them.
      context.textAlign = along === 0 || (cutoff > 0 && inside && share === 0) ? 'left' : along === 1 || (cutoff > 0 && inside) ? 'right' : 'center';
      context.fillText(sign + (cutoff > 0 ? written(value) : shortNumber(value)), left + along * width, top + 13);
    }
  }
  context.textAlign = 'center';
  context.fillStyle = FAINT_INK;
  context.fillText(shortened(context, measure, width), left + width / 2, top + 27);
  context.textAlign = 'left';
}

/** How the ends of parts of a bar are written: two digits of the largest, more where little lies between them. */
function tickNumbers(ends) {
  const magnitudes = [...new Set(ends.map(Math.abs))].sort((a, b) => a - b);
  const largest = magnitudes.at(-1);
  if (!(largest >= 1e-3 && largest < 1e5)) return (value) => value.toExponential(1).replace('-', '−');
  const least = Math.max(0, 1 - Math.floor(Math.log10(largest)));
  const apart = (digits) => magnitudes.every((end, place) => !place || end - magnitudes[place - 1] > 3 * 10 ** -digits);
  const digits = [least, least + 1].find(apart) ?? least + 2;
  return (value) => value.toFixed(digits).replace('-', '−');
}

function shortNumber(value) {
  return String(Number(value.toPrecision(2)) || 0).replace('-', '−');
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
      const cells = [...ends(pair).map(nodeName), valueText(pair)];
      return element('tr', cells.map((text) => element('td', text)));
    }),
  );
}

/* Networks. */

function buildLegend() {
  const sizes = data.networks.map((_, network) => data.nodes.filter((node) => node.network === network).length);
  $('legend').replaceChildren(
    ...data.networks.map(({ label }, network) => {
      const size = element('span', counted(sizes[network]), 'small');
      const button = element('button', [swatch(network), element('span', label, 'label'), size]);
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
    const where = `${nodeName(node)}, ${networkName(node)}, at ${coordinatesText(node)}`;
    return `${where}, strength ${strengthText(node)}, ${counted(degrees[node])} edges shown`;
  }
  const { pair } = target;
  return `${ends(pair).map(nodeName).join(' to ')}: ${valueText(pair)}`;
}

/** A text beside the colour of a node's network. */
function labelled(node, text) {
  return [swatch(data.nodes[node].network), element('span', text, 'label')];
}

function tooltipLines(target) {
  if ('node' in target) {
    const { node } = target;
    return [
      element('b', nodeName(node)),
      element('p', labelled(node, networkName(node))),
      element('p', coordinatesText(node)),
      element('p', `strength ${strengthText(node)}, ${counted(degrees[node])} edges shown`),
    ];
  }
  const { pair } = target;
  return [
    ...ends(pair).map((node) => element('p', labelled(node, `${nodeName(node)} (${networkName(node)})`))),
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
  const hadFocus = $('selection').contains(document.activeElement);
  if (!target) {
    const hint = 'Click a node, an edge or a cell of the matrix to keep it in view.';
    $('selection').replaceChildren(element('p', hint, 'small'));
  } else if ('node' in target) {
    showSelectedNode(target.node);
  } else {
    showSelectedEdge(target.pair);
  }
  // Whoever walks from node to node by keyboard keeps a place to go on from.
  if (hadFocus) ($('selection').querySelector('button') ?? $('brain')).focus();
}

function showSelectedNode(node) {
  const own = [...edges].filter((pair) => data.pairs.first[pair] === node || data.pairs.second[pair] === node);
  const list = element('ol', own.slice(0, LISTED_EDGES).map((pair) => {
    const end = data.pairs.other(pair, node);
    const value = element('span', valueText(pair), 'number');
    return element('li', [targetButton({ pair }, [...labelled(end, nodeName(end)), value])]);
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
  const buttons = ends(pair).map((node) => targetButton({ node }, labelled(node, nodeName(node))));
  $('selection').replaceChildren(
    selectionHeading('Edge'),
    definitions([[connectome().measure, valueText(pair)], ['Rank', rankText(pair)]]),
    element('ol', buttons.map((button) => element('li', [button]))),
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
    pointed = target; // without the words beside the pointer: they would cover the list
    schedule();
  };
  button.addEventListener('pointerenter', show);
  button.addEventListener('focus', show);
  for (const end of ['pointerleave', 'blur']) button.addEventListener(end, () => point(null));
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
  for (const id of ['others', 'names', 'connected']) {
    $(id).addEventListener('change', () => update({ [id]: $(id).checked }));
  }
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
