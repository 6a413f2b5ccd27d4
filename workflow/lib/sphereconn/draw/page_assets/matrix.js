'use strict';

/*
 * The matrix beside the brain. Nodes are in the order of their networks, whose colours run along the left and the top.
 * Below the diagonal stand all values, above it the edges shown.
 */

const STRIP = 9; // units taken by the colours of the networks
const DIAGONAL = 0xffe9e6e4; // packed like all pixels: alpha, blue, green, red
const NOT_SHOWN = 0xffffffff;

class MatrixView {
  /** host offers `point(target, x, y)`, `select(target)` and `announce(target)`, as for `BrainView`. */
  constructor(canvas, data, host) {
    this.canvas = canvas;
    this.data = data;
    this.host = host;
    this.nodeAt = data.nodes.map((_, node) => node);
    this.nodeAt.sort((a, b) => data.nodes[a].network - data.nodes[b].network || a - b);
    this.placeOf = new Uint16Array(data.nodes.length);
    this.nodeAt.forEach((node, place) => (this.placeOf[node] = place));
    this.ramp = packedColours(data.colours, 0);
    const missing = Number.parseInt(MISSING.slice(1), 16);
    this.missing = packed(missing >> 16, (missing >> 8) & 255, missing & 255);
    this.cells = document.createElement('canvas');
    this.cells.width = this.cells.height = data.nodes.length;
    this.cursor = null;
    this.listen();
  }

  /** Size of the canvas on the screen, and of a cell, in units. */
  get side() {
    return this.canvas.clientWidth;
  }

  get cell() {
    return (this.side - STRIP) / this.data.nodes.length;
  }

  /** Take up the values of a connectome and the edges shown. */
  fill(connectome, edges) {
    const number = this.data.nodes.length;
    const shown = new Uint8Array(connectome.pairs.length);
    for (const pair of edges) shown[pair] = 1;
    const context = this.cells.getContext('2d');
    const image = context.createImageData(number, number);
    const pixels = new Uint32Array(image.data.buffer);
    for (let row = 0, at = 0; row < number; row++) {
      for (let column = 0; column < number; column++, at++) {
        if (row === column) {
          pixels[at] = DIAGONAL;
          continue;
        }
        const pair = connectome.pairs.of(this.nodeAt[row], this.nodeAt[column]);
        const value = connectome.values[pair];
        if (Number.isNaN(value)) pixels[at] = this.missing;
        else if (row < column && !shown[pair]) pixels[at] = NOT_SHOWN;
        else pixels[at] = this.ramp[colourIndex(value, connectome.limit)];
      }
    }
    context.putImageData(image, 0, 0);
  }

  /** Draw cells, networks and marks: nodes by their row and column, pairs by their two cells. */
  draw(marks) {
    const { canvas, side, cell } = this;
    const number = this.data.nodes.length;
    if (!side) return;
    // Whole pixels a cell keep all cells equally large; the browser scales the picture to its place.
    const perCell = Math.max(1, Math.ceil(cell * Math.max(1, window.devicePixelRatio)));
    const scale = perCell / cell;
    resizeCanvas(canvas, Math.round(side * scale), Math.round(side * scale));
    const context = canvas.getContext('2d');
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, side, side);
    context.imageSmoothingEnabled = false;
    context.drawImage(this.cells, STRIP, STRIP, cell * number, cell * number);
    this.drawNetworks(context);
    context.strokeStyle = INK;
    context.lineWidth = 1.5;
    for (const node of marks.nodes) this.markNode(context, node);
    for (const pair of marks.pairs) this.markPair(context, pair);
    if (this.cursor && document.activeElement === canvas) {
      this.outline(context, this.cursor.row, this.cursor.column, ACCENT);
    }
  }

  drawNetworks(context) {
    const { cell, data, side } = this;
    const networkAt = (place) => data.nodes[this.nodeAt[place]].network;
    for (let begin = 0, end; begin < data.nodes.length; begin = end) {
      end = begin;
      while (end < data.nodes.length && networkAt(end) === networkAt(begin)) end++;
      const [from, length] = [STRIP + begin * cell, (end - begin) * cell];
      context.fillStyle = data.networks[networkAt(begin)].colour;
      context.fillRect(0, from, STRIP - 3, length);
      context.fillRect(from, 0, length, STRIP - 3);
      if (begin === 0) continue;
      context.fillStyle = 'rgb(34 34 34 / 45%)';
      context.fillRect(STRIP, from - 0.4, side - STRIP, 0.8);
      context.fillRect(from - 0.4, STRIP, 0.8, side - STRIP);
    }
    context.strokeStyle = '#b9c0c9';
    context.lineWidth = 1;
    context.strokeRect(STRIP - 0.5, STRIP - 0.5, side - STRIP, side - STRIP);
  }

  markNode(context, node) {
    const { cell, side } = this;
    const from = STRIP + this.placeOf[node] * cell;
    context.strokeStyle = INK;
    context.strokeRect(STRIP, from - 1, side - STRIP - 0.5, cell + 2);
    context.strokeRect(from - 1, STRIP, cell + 2, side - STRIP - 0.5);
  }

  markPair(context, pair) {
    const { first, second } = this.data.pairs;
    const [one, two] = [this.placeOf[first[pair]], this.placeOf[second[pair]]];
    this.outline(context, one, two, INK);
    this.outline(context, two, one, INK);
  }

  /** A frame around a cell, large enough to be seen. */
  outline(context, row, column, colour) {
    const { cell } = this;
    const size = Math.max(cell + 2, 8);
    const x = STRIP + (column + 0.5) * cell - size / 2;
    const y = STRIP + (row + 0.5) * cell - size / 2;
    for (const [width, style] of [[4, '#fff'], [2, colour]]) {
      context.lineWidth = width;
      context.strokeStyle = style;
      context.strokeRect(x, y, size, size);
    }
  }

  target(row, column) {
    const [one, two] = [this.nodeAt[row], this.nodeAt[column]];
    return one === two ? { node: one } : { pair: this.data.pairs.of(one, two) };
  }

  cellUnder(event) {
    const box = this.canvas.getBoundingClientRect();
    const column = Math.floor((event.clientX - box.left - STRIP) / this.cell);
    const row = Math.floor((event.clientY - box.top - STRIP) / this.cell);
    const number = this.data.nodes.length;
    if (row >= number || column >= number || (row < 0 && column < 0)) return null;
    if (row < 0) return { row: column, column }; // the colours along the sides stand for the nodes
    if (column < 0) return { row, column: row };
    return { row, column };
  }

  listen() {
    const { canvas, host } = this;
    canvas.addEventListener('pointermove', (event) => {
      const cell = this.cellUnder(event);
      host.point(cell && this.target(cell.row, cell.column), event.clientX, event.clientY);
    });
    canvas.addEventListener('pointerleave', () => host.point(null));
    canvas.addEventListener('click', (event) => {
      this.cursor = this.cellUnder(event);
      host.select(this.cursor && this.target(this.cursor.row, this.cursor.column));
    });
    canvas.addEventListener('keydown', (event) => this.key(event));
    canvas.addEventListener('blur', () => host.point(null));
  }

  key(event) {
    const arrows = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
    const arrow = arrows[event.key];
    if (arrow) this.moveCursor(arrow[0], arrow[1], event.shiftKey ? 10 : 1);
    else if (event.key === 'Enter' && this.cursor) this.host.select(this.target(this.cursor.row, this.cursor.column));
    else if (event.key === 'Escape') this.host.select(null);
    else return;
    event.preventDefault();
  }

  moveCursor(down, right, steps) {
    const last = this.data.nodes.length - 1;
    const within = (place) => Math.max(0, Math.min(last, place));
    this.cursor = this.cursor
      ? { row: within(this.cursor.row + down * steps), column: within(this.cursor.column + right * steps) }
      : { row: 0, column: Math.min(1, last) };
    const target = this.target(this.cursor.row, this.cursor.column);
    const box = this.canvas.getBoundingClientRect();
    const x = box.left + STRIP + (this.cursor.column + 0.5) * this.cell;
    const y = box.top + STRIP + (this.cursor.row + 0.5) * this.cell;
    this.host.point(target, x, y);
    this.host.announce(target);
  }
}
