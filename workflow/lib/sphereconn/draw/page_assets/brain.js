'use strict';

/* The brain on the page: its two canvases, names and marks over the picture, and what pointer and keys do to it. */

const LABEL_FONT = '12px system-ui, -apple-system, "Segoe UI", Roboto, Arial, "DejaVu Sans", sans-serif';
const TURN_STEP = 5; // degrees a key press
const ZOOM_STEP = 1.15;
const ZOOM_RANGE = [0.4, 12];
const NODE_REACH = 4; // pixels beyond a node that still count as pointing at it
const EDGE_REACH = 5;
const TURNED_BY_PIXEL = 0.4; // degrees

class BrainView {
  /**
   * host offers `state`, `update(changes)`, `point(target, x, y)` and `select(target)`; a target is {node}, {pair} or
   * null.
   */
  constructor(element, data, host) {
    this.element = element;
    this.data = data;
    this.host = host;
    this.pixelCanvas = element.querySelector('#brain-pixels');
    this.overlay = element.querySelector('#brain-overlay');
    // A quick picture while something moves, and a large one at rest: each keeps what it knows of the brain's surface.
    this.draftRenderer = new Renderer(data.mesh, data.colours);
    this.fineRenderer = new Renderer(data.mesh, data.colours);
    this.positions = new Float32Array(data.nodes.flatMap((node) => node.position));
    this.pointers = new Map();
    this.travelled = 0;
    this.listen();
  }

  get width() {
    return this.element.clientWidth;
  }

  get height() {
    return this.element.clientHeight;
  }

  /** Draw a scene at once, `ratio` pixels per unit of the screen. */
  draw(scene, ratio) {
    for (const step of this.drawInSteps(scene, ratio)) void step;
  }

  /** Draw a scene in steps; it is seen when the last one is done. */
  *drawInSteps(scene, ratio) {
    const [width, height] = [Math.round(this.width * ratio), Math.round(this.height * ratio)];
    if (!width || !height) return;
    const renderer = ratio > 1 ? this.fineRenderer : this.draftRenderer;
    const drawn = { ...scene, positions: this.positions, ratio };
    yield* renderer.draw(drawn, width, height);
    Object.assign(this, { renderer, scene: drawn });
    resizeCanvas(this.pixelCanvas, width, height);
    this.pixelCanvas.getContext('2d').putImageData(renderer.image, -PAD, -PAD);
    this.drawOverlay();
  }

  /** Where a node is on the screen: x, y, depth and radius in units, relative to the element. */
  place(node) {
    const { ratio, balls } = this.scene;
    const [x, y, depth, perMm] = this.renderer.points.subarray(4 * node, 4 * node + 4);
    return { x: (x - PAD) / ratio, y: (y - PAD) / ratio, depth, radius: ((balls[node]?.radius ?? 0) * perMm) / ratio };
  }

  /** Names, the marked node and edge, and the letters of the axes. */
  drawOverlay() {
    const ratio = Math.max(1, window.devicePixelRatio);
    resizeCanvas(this.overlay, Math.round(this.width * ratio), Math.round(this.height * ratio));
    const context = this.overlay.getContext('2d');
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, this.width, this.height);
    this.paintOverlay(context);
  }

  paintOverlay(context) {
    const { marks } = this.scene;
    for (const pair of marks.pairs) this.markEdge(context, pair);
    for (const node of marks.nodes) this.markNode(context, node);
    this.paintNames(context);
    this.paintAxes(context);
  }

  markEdge(context, pair) {
    const { connectome } = this.scene;
    const [one, two] = [this.place(connectome.pairs.first[pair]), this.place(connectome.pairs.second[pair])];
    const value = connectome.values[pair];
    const unit = this.renderer.lineUnit / this.scene.ratio;
    const width = Number.isNaN(value) ? 1 : 2 * unit * halfWidth(value, connectome.limit);
    const colour = Number.isNaN(value) ? MISSING : cssColour(this.data.colours, colourIndex(value, connectome.limit));
    const shown = this.scene.edges.includes(pair);
    for (const [extra, style] of [[5, INK], [3, '#fff'], [0.5, colour]]) {
      context.setLineDash(shown ? [] : [6, 5]);
      context.lineWidth = width + extra;
      context.strokeStyle = style;
      context.beginPath();
      context.moveTo(one.x, one.y);
      context.lineTo(two.x, two.y);
      context.stroke();
    }
    context.setLineDash([]);
  }

  markNode(context, node) {
    const { x, y, radius } = this.place(node);
    for (const [width, style] of [[4.5, '#fff'], [2, INK]]) {
      context.lineWidth = width;
      context.strokeStyle = style;
      context.beginPath();
      context.arc(x, y, Math.max(radius, 3) + 2.5, 0, 2 * Math.PI);
      context.stroke();
    }
  }

  /** Write the names that have room, those of marked nodes first, then those in front. */
  paintNames(context) {
    const { balls, named, marks } = this.scene;
    const marked = new Set(marks.named);
    const places = this.data.nodes.map((_, node) => this.place(node));
    const nodes = places.map((_, node) => node).filter((node) => marked.has(node) || (named && isSeen(balls[node])));
    nodes.sort((a, b) => marked.has(b) - marked.has(a) || places[a].depth - places[b].depth);
    const seen = places.filter((_, node) => isSeen(balls[node]));
    const taken = seen.map(({ x, y, radius }) => [x - radius, y - radius, x + radius, y + radius]);
    context.font = LABEL_FONT;
    context.textBaseline = 'middle';
    context.lineJoin = 'round';
    for (const node of nodes) {
      if (!marked.has(node) && this.isHidden(node, places[node].depth)) continue;
      const text = shortened(context, this.data.nodes[node].name, 200);
      const boxes = this.boxesAround(places[node], context.measureText(text).width);
      const free = boxes.find((one) => !taken.some((other) => overlap(one, other)));
      if (!free && !marked.has(node)) continue;
      const box = free ?? boxes[0];
      taken.push(box);
      const [left, top] = box;
      context.lineWidth = 3.5;
      context.strokeStyle = 'rgb(255 255 255 / 85%)';
      context.strokeText(text, left + 2, top + 8);
      context.fillStyle = INK;
      context.fillText(text, left + 2, top + 8);
    }
  }

  /** Boxes for a name to the right of a node, to its left, above and below it, those that are within the picture. */
  boxesAround({ x, y, radius }, textWidth) {
    const width = textWidth + 4;
    const centred = clamped(x - width / 2, 3, this.width - 3 - width);
    const corners = [
      [x + radius + 4, y - 8],
      [x - radius - 4 - width, y - 8],
      [centred, y - radius - 20],
      [centred, y + radius + 4],
    ];
    const inside = corners.filter(([left]) => left > 2 && left + width < this.width - 2);
    return (inside.length ? inside : corners).map(([left, top]) => [left, top, left + width, top + 16]);
  }

  paintAxes(context) {
    const [x, y, length] = [44, this.height - 44, 24];
    const camera = new Camera({ ...this.scene.view, panX: 0, panY: 0 }, this.width, this.height, 0);
    context.font = '600 11px ' + LABEL_FONT.slice(5);
    context.textAlign = 'center';
    context.textBaseline = 'middle';
    const arms = [['R', 0, 1], ['L', 0, -1], ['A', 1, 1], ['P', 1, -1], ['S', 2, 1], ['I', 2, -1]].map(
      ([letter, axis, sign]) => ({
        letter,
        dx: sign * camera.right[axis] * length,
        dy: -sign * camera.up[axis] * length,
        away: sign * camera.away[axis],
      }),
    );
    for (const { letter, dx, dy, away } of arms.sort((one, two) => two.away - one.away)) {
      if (Math.hypot(dx, dy) < 0.3 * length) continue; // it points at the viewer or away
      context.strokeStyle = away > 0.1 ? '#c4c8cd' : FAINT_INK;
      context.fillStyle = away > 0.1 ? '#9aa0a6' : INK;
      context.lineWidth = 1.2;
      context.beginPath();
      context.moveTo(x, y);
      context.lineTo(x + dx, y + dy);
      context.stroke();
      context.fillText(letter, x + dx * 1.42, y + dy * 1.42);
    }
    context.textAlign = 'left';
  }

  isHidden(node, depth) {
    const [x, y] = this.renderer.points.subarray(4 * node, 4 * node + 2);
    const radius = this.scene.balls[node]?.radius ?? 0;
    return this.renderer.isHidden(x, y, depth - radius, this.scene.opacity);
  }

  /** The node or edge at a place of the element: the node in front, else the edge on top, else the nearest edge. */
  targetAt(x, y) {
    if (!this.scene) return null;
    const node = this.nodeAt(x, y);
    if (node >= 0) return { node };
    const pair = this.scene.opacity < 1 ? this.edgeAt(x, y) : -1;
    return pair >= 0 ? { pair } : null;
  }

  nodeAt(x, y) {
    let [found, foundDepth] = [-1, Infinity];
    this.scene.balls.forEach((ball, node) => {
      if (!isSeen(ball)) return;
      const place = this.place(node);
      if (Math.hypot(place.x - x, place.y - y) > place.radius + NODE_REACH) return;
      if (place.depth < foundDepth && !this.isHidden(node, place.depth)) [found, foundDepth] = [node, place.depth];
    });
    return found;
  }

  edgeAt(x, y) {
    const { edges, connectome, ratio } = this.scene;
    const { first, second } = connectome.pairs;
    const { points, lineUnit } = this.renderer;
    const [px, py] = [x * ratio + PAD, y * ratio + PAD];
    let [nearest, nearestDistance] = [-1, EDGE_REACH * ratio];
    for (const pair of edges) {
      const [one, two] = [4 * first[pair], 4 * second[pair]];
      const dx = points[two] - points[one];
      const dy = points[two + 1] - points[one + 1];
      const along = ((px - points[one]) * dx + (py - points[one + 1]) * dy) / (dx * dx + dy * dy || 1);
      const t = clamped(along, 0, 1);
      const distance = Math.hypot(points[one] + t * dx - px, points[one + 1] + t * dy - py);
      if (distance <= lineUnit * halfWidth(connectome.values[pair], connectome.limit)) return pair; // on top
      if (distance < nearestDistance) [nearest, nearestDistance] = [pair, distance];
    }
    return nearest;
  }

  listen() {
    const { element } = this;
    element.addEventListener('pointerdown', (event) => this.press(event));
    element.addEventListener('pointermove', (event) => this.move(event));
    element.addEventListener('pointerup', (event) => this.release(event));
    element.addEventListener('pointercancel', (event) => this.pointers.delete(event.pointerId));
    element.addEventListener('pointerleave', () => this.host.point(null));
    element.addEventListener('wheel', (event) => {
      event.preventDefault();
      this.zoomBy(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015)));
    }, { passive: false });
    element.addEventListener('keydown', (event) => this.key(event));
  }

  press(event) {
    if (event.button > 0) return;
    this.element.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    this.travelled = 0;
  }

  move(event) {
    const last = this.pointers.get(event.pointerId);
    if (!last) {
      const box = this.element.getBoundingClientRect();
      const target = this.targetAt(event.clientX - box.left, event.clientY - box.top);
      this.element.classList.toggle('pointing', target !== null);
      this.host.point(target, event.clientX, event.clientY);
      return;
    }
    const dx = event.clientX - last.x;
    const dy = event.clientY - last.y;
    this.travelled += Math.hypot(dx, dy);
    if (this.travelled < 4 && this.pointers.size === 1) return; // a click that trembles
    this.element.classList.add('dragging');
    this.host.point(null);
    const spreadBefore = this.spread();
    this.pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (this.pointers.size > 1) {
      this.zoomBy(this.spread() / (spreadBefore || 1));
      this.moveBy(dx / 2, dy / 2);
    } else if (event.shiftKey) {
      this.moveBy(dx, dy);
    } else {
      this.turnBy(-dx * TURNED_BY_PIXEL, dy * TURNED_BY_PIXEL);
    }
  }

  release(event) {
    const wasClick = this.travelled < 4 && this.pointers.size === 1 && this.pointers.has(event.pointerId);
    this.pointers.delete(event.pointerId);
    this.element.classList.remove('dragging');
    if (!wasClick) return;
    const box = this.element.getBoundingClientRect();
    this.host.select(this.targetAt(event.clientX - box.left, event.clientY - box.top));
  }

  spread() {
    const [one, two] = [...this.pointers.values()];
    return two ? Math.hypot(one.x - two.x, one.y - two.y) : 0;
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const arrow = arrows[event.key];
    if (arrow && event.shiftKey) this.moveBy(20 * arrow[0], 20 * arrow[1]);
    else if (arrow) this.turnBy(-TURN_STEP * arrow[0], TURN_STEP * arrow[1]);
    else if (event.key === '+' || event.key === '=') this.zoomBy(ZOOM_STEP);
    else if (event.key === '-' || event.key === '_') this.zoomBy(1 / ZOOM_STEP);
    else if (event.key === '0' || event.key === 'Home') this.host.update({ view: OPENING_VIEW });
    else if (event.key === 'Escape') this.host.select(null);
    else return;
    event.preventDefault();
  }

  turnBy(azimuth, elevation) {
    const { view } = this.host.state;
    this.host.update({
      view: {
        ...view,
        azimuth: wrappedAngle(view.azimuth + azimuth),
        elevation: clamped(view.elevation + elevation, -90, 90),
      },
    });
  }

  zoomBy(factor) {
    const { view } = this.host.state;
    const zoom = clamped(view.zoom * factor, ...ZOOM_RANGE);
    this.host.update({ view: { ...view, zoom } });
  }

  moveBy(dx, dy) {
    const { view } = this.host.state;
    const perUnit = (2 * SEEN_RADIUS) / Math.min(this.width, this.height) / view.zoom;
    this.host.update({ view: { ...view, panX: view.panX + dx * perUnit, panY: view.panY - dy * perUnit } });
  }
}

function isSeen(ball) {
  return ball !== null && !ball.ghost;
}

/** Whether two boxes (left, top, right, bottom) overlap. */
function overlap(one, two) {
  return one[0] < two[2] && two[0] < one[2] && one[1] < two[3] && two[1] < one[3];
}

/** An angle from -180 to 180 degrees. */
function wrappedAngle(angle) {
  return ((((angle + 180) % 360) + 360) % 360) - 180;
}

function resizeCanvas(canvas, width, height) {
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
}

/** The text, cut to a width if it is longer. */
function shortened(context, text, width) {
  if (context.measureText(text).width <= width) return text;
  let length = text.length;
  while (length > 1 && context.measureText(text.slice(0, length) + '…').width > width) length--;
  return text.slice(0, length) + '…';
}

function cssColour(colours, index) {
  return `rgb(${colours.subarray(3 * index, 3 * index + 3).join(' ')})`;
}
