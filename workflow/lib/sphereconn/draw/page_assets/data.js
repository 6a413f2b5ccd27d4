'use strict';

/* What the page holds: nodes, networks, connectomes and the brain's surface, and the choice of edges to show. */

function decodeBase64(text, Type) {
  const characters = atob(text);
  const bytes = new Uint8Array(characters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i);
  return new Type(bytes.buffer);
}

/** All pairs of nodes in the order of the upper triangle of a matrix, row by row. */
class Pairs {
  constructor(nNodes) {
    this.nNodes = nNodes;
    this.length = (nNodes * (nNodes - 1)) / 2;
    this.first = new Uint16Array(this.length);
    this.second = new Uint16Array(this.length);
    let pair = 0;
    for (let i = 0; i < nNodes; i++) {
      for (let j = i + 1; j < nNodes; j++, pair++) {
        this.first[pair] = i;
        this.second[pair] = j;
      }
    }
  }

  /** The number of the pair of two different nodes. */
  of(i, j) {
    const [low, high] = i < j ? [i, j] : [j, i];
    return (low * (2 * this.nNodes - low - 1)) / 2 + (high - low - 1);
  }

  /** The other end of an edge. */
  other(pair, node) {
    return this.first[pair] === node ? this.second[pair] : this.first[pair];
  }
}

/** One matrix: a value for each pair of nodes. An edge is a pair whose value is there and is not 0. */
class Connectome {
  constructor(record, pairs) {
    this.estimator = record.estimator;
    this.group = record.group;
    this.measure = record.measure;
    this.limit = record.limit;
    this.signed = record.signed; // F statistics are never below 0
    this.decimals = record.decimals;
    this.pairs = pairs;
    this.values = decodeBase64(record.values, Float32Array);
    this.missing = 0;
    this.zeros = 0;
    this.strength = new Float64Array(pairs.nNodes); // sum of magnitudes of all edges of a node
    this.hasValues = new Uint8Array(pairs.nNodes);
    this.sorted = null;
    for (let pair = 0; pair < pairs.length; pair++) {
      const value = this.values[pair];
      if (Number.isNaN(value)) {
        this.missing++;
        continue;
      }
      if (value === 0) this.zeros++;
      for (const node of [pairs.first[pair], pairs.second[pair]]) {
        this.strength[node] += Math.abs(value);
        this.hasValues[node] = 1;
      }
    }
    this.nEdges = pairs.length - this.missing - this.zeros;
  }

  /** Pairs that are edges, the strongest first; equal magnitudes in the order of the matrix. */
  get order() {
    if (!this.sorted) {
      const { values } = this;
      this.sorted = new Uint32Array(this.nEdges);
      let place = 0;
      for (let pair = 0; pair < values.length; pair++) {
        if (values[pair] !== 0 && !Number.isNaN(values[pair])) this.sorted[place++] = pair;
      }
      this.sorted.sort((a, b) => Math.abs(values[b]) - Math.abs(values[a]) || a - b);
    }
    return this.sorted;
  }

  get largest() {
    return this.nEdges ? Math.abs(this.values[this.order[0]]) : 0;
  }

  /** How many edges have at least a magnitude. */
  countAtLeast(magnitude) {
    const bound = Math.fround(magnitude); // the values are single precision: 0.7 must reach a value written as 0.7
    let low = 0;
    let high = this.nEdges;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (Math.abs(this.values[this.order[middle]]) >= bound) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** A value as text, with the number of decimals that suits this connectome. */
  format(value) {
    if (Number.isNaN(value)) return 'no value';
    const text = value.toFixed(this.decimals);
    return Number(text) === 0 ? text.replace('-', '') : text.replace('-', '−');
  }
}

/** Whether an edge runs within the half of the brain that is asked for; a node at x = 0 belongs to both halves. */
function inHemisphere(choice, x0, x1) {
  const left = x0 <= 0 && x1 <= 0;
  const right = x0 >= 0 && x1 >= 0;
  if (choice === 'left') return left;
  if (choice === 'right') return right;
  return choice === 'between' ? !left && !right : true;
}

/**
 * The edges to show, the strongest first. The threshold counts all edges of the connectome; sign, hemisphere and
 * networks then leave some of these out, so isolating a network never changes which of its edges pass.
 */
function chooseEdges(connectome, nodes, state) {
  const { order, values, pairs } = connectome;
  const count = state.by === 'strongest'
    ? Math.min(state.strongest, order.length)
    : connectome.countAtLeast(state.magnitude);
  const chosen = new Uint32Array(count);
  let kept = 0;
  for (let place = 0; place < count; place++) {
    const pair = order[place];
    if (state.sign !== 'both' && (values[pair] > 0) !== (state.sign === 'positive')) continue;
    const one = nodes[pairs.first[pair]];
    const two = nodes[pairs.second[pair]];
    if (state.networks.size) {
      const inside = state.networks.has(one.network) + state.networks.has(two.network);
      if (inside < (state.others ? 1 : 2)) continue;
    }
    if (state.hemisphere !== 'both' && !inHemisphere(state.hemisphere, one.position[0], two.position[0])) continue;
    chosen[kept++] = pair;
  }
  return chosen.subarray(0, kept);
}

/** The surface of the brain in mm: the stored right half and its mirror image, with the normal of each vertex. */
function readMesh(record) {
  const half = decodeBase64(record.vertices, Int16Array);
  const halfFaces = decodeBase64(record.faces, Uint16Array);
  const nHalf = half.length / 3;
  const vertices = new Float32Array(2 * half.length);
  const faces = new Uint32Array(2 * halfFaces.length);
  for (let i = 0; i < half.length; i++) {
    const value = half[i] * record.unit;
    vertices[i] = value;
    vertices[half.length + i] = i % 3 === 0 ? -value : value;
  }
  for (let i = 0; i < halfFaces.length; i += 3) {
    faces.set([halfFaces[i], halfFaces[i + 1], halfFaces[i + 2]], i);
    // A mirror turns triangles inside out, so two corners change places.
    faces.set([nHalf + halfFaces[i], nHalf + halfFaces[i + 2], nHalf + halfFaces[i + 1]], halfFaces.length + i);
  }
  return { vertices, faces, normals: vertexNormals(vertices, faces) };
}

function vertexNormals(vertices, faces) {
  const normals = new Float32Array(vertices.length);
  for (let f = 0; f < faces.length; f += 3) {
    const [a, b, c] = [3 * faces[f], 3 * faces[f + 1], 3 * faces[f + 2]];
    const [ux, uy, uz] = [0, 1, 2].map((k) => vertices[b + k] - vertices[a + k]);
    const [vx, vy, vz] = [0, 1, 2].map((k) => vertices[c + k] - vertices[a + k]);
    const normal = [uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx]; // as long as the triangle is large
    for (const corner of [a, b, c]) {
      for (let k = 0; k < 3; k++) normals[corner + k] += normal[k];
    }
  }
  for (let i = 0; i < normals.length; i += 3) {
    const length = Math.hypot(normals[i], normals[i + 1], normals[i + 2]) || 1;
    for (let k = 0; k < 3; k++) normals[i + k] /= length;
  }
  return normals;
}

function readData(element) {
  const record = JSON.parse(element.textContent);
  const pairs = new Pairs(record.nodes.length);
  return {
    title: record.title,
    description: record.description,
    nodes: record.nodes,
    networks: record.networks,
    pairs,
    connectomes: record.connectomes.map((one) => new Connectome(one, pairs)),
    opening: record.opening,
    colours: decodeBase64(record.colours, Uint8Array),
    mesh: readMesh(record.mesh),
  };
}
