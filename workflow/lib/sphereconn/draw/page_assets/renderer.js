'use strict';

/*
 * Draws the brain, edges and nodes into an array of pixels, without WebGL.
 *
 * Where there is no graphics card (remote desktops, virtual machines, locked-down browsers), WebGL is absent or is
 * emulated and takes about a second for 34,716 lines; this takes 15 to 50 ms there, and gives the same pixels
 * everywhere.
 *
 * Screen coordinates are pixels, x to the right and y down; depth is mm away from the viewer.
 */

const INK = '#222222'; // these three are the colours of the static figures
const FAINT_INK = '#6b6b6b';
const MISSING = '#c9c9c9';
const ACCENT = '#1a5fb4'; // as in page.css

const VIEWS = {
  left: { azimuth: -90, elevation: 0 },
  right: { azimuth: 90, elevation: 0 },
  top: { azimuth: 0, elevation: 90 },
  bottom: { azimuth: 180, elevation: -90 },
  front: { azimuth: 180, elevation: 0 },
  back: { azimuth: 0, elevation: 0 },
};

const CENTRE = [0, -17, 5]; // mm, the middle of the brain
const SEEN_RADIUS = 99; // mm from the middle to the nearer border of the picture
const VIEWER_DISTANCE = 700; // mm
const PAD = 12; // pixels drawn beyond each border, so that a line may be clipped out of sight
const LIGHT = normalised([-0.4, 0.55, 0.85]); // from the upper left, behind the viewer
const BRAIN_COLOUR = [188, 190, 196];
const SMOOTH_EDGES = 5000; // more edges than this are drawn without smoothing: five times as fast
const SPRITE = 64; // side of the table that says how a sphere is lit
const FADED = 0.86; // how far the edges that are not in focus go towards white

function clamped(value, low, high) {
  return Math.max(low, Math.min(high, value));
}

function normalised(vector) {
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}

/** Where points appear to a viewer at an azimuth (0 behind the head, 90 to its right) and elevation in degrees. */
class Camera {
  constructor({ azimuth, elevation, zoom, panX, panY }, width, height, margin) {
    const [a, e] = [(azimuth * Math.PI) / 180, (elevation * Math.PI) / 180];
    this.right = [Math.cos(a), Math.sin(a), 0];
    this.up = [-Math.sin(a) * Math.sin(e), Math.cos(a) * Math.sin(e), Math.cos(e)];
    this.away = [-Math.sin(a) * Math.cos(e), Math.cos(a) * Math.cos(e), -Math.sin(e)];
    this.scale = (Math.min(width, height) / 2 / SEEN_RADIUS) * zoom; // pixels per mm at the middle of the brain
    this.centreX = margin + width / 2 + panX * this.scale;
    this.centreY = margin + height / 2 - panY * this.scale;
    this.key = [azimuth, elevation, zoom, panX, panY, width, height].join(' ');
  }

  /** Write x, y, depth and pixels per mm of each point into `out`, four numbers a point. */
  project(points, out) {
    const { right, up, away, scale, centreX, centreY } = this;
    for (let i = 0, o = 0; i < points.length; i += 3, o += 4) {
      const x = points[i] - CENTRE[0];
      const y = points[i + 1] - CENTRE[1];
      const z = points[i + 2] - CENTRE[2];
      const depth = x * away[0] + y * away[1] + z * away[2];
      const perMm = (scale * VIEWER_DISTANCE) / Math.max(VIEWER_DISTANCE + depth, 50);
      out[o] = centreX + perMm * (x * right[0] + y * right[1]);
      out[o + 1] = centreY - perMm * (x * up[0] + y * up[1] + z * up[2]);
      out[o + 2] = depth;
      out[o + 3] = perMm;
    }
    return out;
  }
}

/** How a sphere is lit: brightness (128 is the colour itself) and depth towards the viewer, place by place. */
function makeSprite() {
  const light = new Uint8Array(SPRITE * SPRITE);
  const depth = new Float32Array(SPRITE * SPRITE);
  for (let row = 0, at = 0; row < SPRITE; row++) {
    for (let column = 0; column < SPRITE; column++, at++) {
      const x = ((column + 0.5) / SPRITE) * 2 - 1;
      const y = 1 - ((row + 0.5) / SPRITE) * 2;
      const z = Math.sqrt(Math.max(0, 1 - x * x - y * y));
      const lit = Math.max(0, x * LIGHT[0] + y * LIGHT[1] + z * LIGHT[2]);
      const rim = z < 0.5 ? 0.62 + 0.76 * z : 1; // a dark rim sets spheres of one colour apart
      light[at] = Math.min(255, 128 * (0.6 + 0.5 * lit) * rim + 70 * lit ** 24);
      depth[at] = z;
    }
  }
  return { light, depth };
}

/** Clip a line to a rectangle that begins at (low, low); returns null when no part of it is inside. */
function clipLine(x0, y0, x1, y1, low, highX, highY) {
  const [dx, dy] = [x1 - x0, y1 - y0];
  let [from, to] = [0, 1];
  for (const [step, room] of [[-dx, x0 - low], [dx, highX - x0], [-dy, y0 - low], [dy, highY - y0]]) {
    if (step === 0) {
      if (room < 0) return null;
    } else if (step < 0) {
      from = Math.max(from, room / step);
    } else {
      to = Math.min(to, room / step);
    }
  }
  return from > to ? null : [x0 + from * dx, y0 + from * dy, x0 + to * dx, y0 + to * dy];
}

/** One packed pixel for each of 256 colours, moved towards white by a part from 0 to 1. */
function packedColours(colours, towardsWhite) {
  return Uint32Array.from({ length: 256 }, (_, i) => packedColour(colours.subarray(3 * i, 3 * i + 3), towardsWhite));
}

function packedColour(rgb, towardsWhite) {
  return packed(
    rgb[0] + (255 - rgb[0]) * towardsWhite,
    rgb[1] + (255 - rgb[1]) * towardsWhite,
    rgb[2] + (255 - rgb[2]) * towardsWhite,
  );
}

function packed(red, green, blue) {
  return (0xff000000 | ((blue + 0.5) << 16) | ((green + 0.5) << 8) | (red + 0.5)) >>> 0;
}

/** The place of a value among 256 diverging colours. */
function colourIndex(value, limit) {
  return clamped(Math.round(127.5 + (127.5 * value) / limit), 0, 255);
}

/** By how much lines are thinner when they are many, or the brain is small on the screen. */
function thinning(nEdges, pixelsPerMm) {
  return clamped((500 / nEdges) ** 0.2, 0.4, 1) * clamped(pixelsPerMm / 2.8, 0.6, 1);
}

/** Half the width of an edge in units, before thinning; an edge of the largest magnitude is the widest. */
function halfWidth(value, limit) {
  return 0.45 + 1.75 * Math.min(1, Math.abs(value) / limit);
}

class Renderer {
  constructor(mesh, colours) {
    this.mesh = mesh;
    this.corners = new Float32Array((mesh.vertices.length / 3) * 4);
    this.cornerLight = new Float32Array((mesh.vertices.length / 3) * 2);
    this.sprite = makeSprite();
    this.edgeColours = packedColours(colours, 0);
    this.fadedColours = packedColours(colours, FADED);
    this.width = 0;
    this.height = 0;
    this.surfaceKey = '';
  }

  resize(width, height) {
    if (width + 2 * PAD === this.width && height + 2 * PAD === this.height) return;
    this.width = width + 2 * PAD;
    this.height = height + 2 * PAD;
    const size = this.width * this.height;
    this.image = new ImageData(this.width, this.height);
    this.pixels = new Uint32Array(this.image.data.buffer);
    this.nodeDepth = new Float32Array(size);
    this.surfaceDepth = new Float32Array(size);
    this.facing = new Uint8Array(size); // 0 where there is no brain, 255 where its surface faces the viewer
    this.brightness = new Uint8Array(size);
    this.surfaceKey = '';
  }

  /**
   * Draw a scene of width x height pixels in many small steps, so that a long drawing can give way to something newer.
   * The image has PAD pixels more on each side, which are to be cut off.
   *
   * scene: view (azimuth, elevation, zoom, panX, panY in mm), positions of the nodes in mm (three numbers a node),
   * balls (what to draw at each node: radius in mm, colour, hollow), opacity of the brain, connectome, edges (pairs,
   * the strongest first), focus (a node whose edges stand out, or -1), half ('both', 'left' or 'right') of the brain to
   * show, ratio (pixels a unit of length on the screen).
   */
  *draw(scene, width, height) {
    this.resize(width, height);
    const camera = new Camera(scene.view, width, height, PAD);
    this.points = camera.project(scene.positions, new Float32Array((scene.positions.length / 3) * 4));
    this.pixels.fill(0xffffffff);
    this.nodeDepth.fill(Infinity);
    this.lineUnit = scene.ratio * thinning(scene.edges.length, camera.scale / scene.ratio);
    yield* this.drawEdges(scene);
    this.drawNodes(scene);
    if (scene.opacity > 0) {
      yield* this.drawSurface(camera, scene.half);
      this.coverWithSurface(scene.opacity);
    }
  }

  /** Edges, the strongest on top; those out of focus are faded and lie below the others. */
  *drawEdges({ connectome, edges, focus }) {
    const { first, second } = connectome.pairs;
    const smooth = edges.length <= SMOOTH_EDGES;
    for (const inFocus of focus < 0 ? [true] : [false, true]) {
      const colours = inFocus ? this.edgeColours : this.fadedColours;
      for (let place = edges.length - 1; place >= 0; place--) {
        if (place % 1024 === 0) yield;
        const pair = edges[place];
        const one = first[pair];
        const two = second[pair];
        if (focus >= 0 && (one === focus || two === focus) !== inFocus) continue;
        const value = connectome.values[pair];
        const half = this.lineUnit * halfWidth(value, connectome.limit);
        this.drawLine(one, two, half, colours[colourIndex(value, connectome.limit)], smooth);
      }
    }
  }

  /** Draw a line between two nodes. */
  drawLine(one, two, half, colour, smooth) {
    const { width, height, points } = this;
    let x0 = points[4 * one];
    let y0 = points[4 * one + 1];
    let x1 = points[4 * two];
    let y1 = points[4 * two + 1];
    const margin = Math.min(PAD, 1.5 * half + 2);
    if (
      Math.min(x0, x1, y0, y1) < margin || Math.max(x0, x1) > width - margin || Math.max(y0, y1) > height - margin
    ) {
      const clipped = clipLine(x0, y0, x1, y1, margin, width - margin, height - margin);
      if (!clipped) return;
      [x0, y0, x1, y1] = clipped;
    }
    // Walk along the longer axis; at each step fill the pixels that the line covers across it.
    if (Math.abs(y1 - y0) > Math.abs(x1 - x0)) {
      if (y0 < y1) this.fill(y0, x0, y1, x1, half, width, 1, colour, smooth);
      else this.fill(y1, x1, y0, x0, half, width, 1, colour, smooth);
    } else if (x0 < x1) {
      this.fill(x0, y0, x1, y1, half, 1, width, colour, smooth);
    } else {
      this.fill(x1, y1, x0, y0, half, 1, width, colour, smooth);
    }
  }

  fill(a0, b0, a1, b1, half, stepAlong, stepAcross, colour, smooth) {
    const slope = a1 > a0 ? (b1 - b0) / (a1 - a0) : 0;
    const across = 2 * half * Math.sqrt(1 + slope * slope);
    const start = Math.ceil(a0);
    const end = Math.floor(a1);
    const low = b0 + slope * (start - a0) - across / 2;
    if (smooth) this.fillSmooth(start, end, low, slope, across, stepAlong, stepAcross, colour);
    else this.fillPlain(start, end, low, slope, across, stepAlong, stepAcross, colour);
  }

  fillPlain(start, end, low, slope, across, stepAlong, stepAcross, colour) {
    const { pixels } = this;
    const count = Math.max(1, Math.round(across));
    const stop = end * stepAlong;
    let begin = low + (across - count) / 2 + 0.5;
    if (count === 1) { // most of very many lines: worth a loop of their own
      for (let along = start * stepAlong; along <= stop; along += stepAlong, begin += slope) {
        pixels[along + (begin | 0) * stepAcross] = colour;
      }
      return;
    }
    for (let along = start * stepAlong; along <= stop; along += stepAlong, begin += slope) {
      let at = along + (begin | 0) * stepAcross;
      for (const last = at + count * stepAcross; at < last; at += stepAcross) pixels[at] = colour;
    }
  }

  fillSmooth(start, end, low, slope, across, stepAlong, stepAcross, colour) {
    const { pixels } = this;
    for (let along = start; along <= end; along++, low += slope) {
      const high = low + across;
      const firstPixel = Math.floor(low);
      const lastPixel = Math.floor(high);
      let at = along * stepAlong + firstPixel * stepAcross;
      if (firstPixel === lastPixel) {
        pixels[at] = blended(pixels[at], colour, (across * 256) | 0);
        continue;
      }
      pixels[at] = blended(pixels[at], colour, ((firstPixel + 1 - low) * 256) | 0);
      at += stepAcross;
      for (let pixel = firstPixel + 1; pixel < lastPixel; pixel++, at += stepAcross) pixels[at] = colour;
      pixels[at] = blended(pixels[at], colour, ((high - lastPixel) * 256) | 0);
    }
  }

  /** Balls over the edges, the farthest first. */
  drawNodes({ balls }) {
    const { points } = this;
    const order = balls.map((ball, node) => node).filter((node) => balls[node]);
    order.sort((one, two) => points[4 * two + 2] - points[4 * one + 2]);
    for (const node of order) {
      const [x, y, depth, perMm] = points.subarray(4 * node, 4 * node + 4);
      this.drawBall(x, y, depth, perMm, balls[node]);
    }
  }

  drawBall(x, y, depth, perMm, { radius, colour, hollow }) {
    const { width, height, pixels, nodeDepth, sprite } = this;
    const size = radius * perMm;
    const fog = clamped((depth + 90) / 500, 0, 0.35); // what is far away is paler
    const rgb = colour.map((value) => value + (255 - value) * fog);
    const top = Math.max(0, Math.ceil(y - size - 1));
    const bottom = Math.min(height - 1, Math.floor(y + size + 1));
    const left = Math.max(0, Math.ceil(x - size - 1));
    const right = Math.min(width - 1, Math.floor(x + size + 1));
    const toSprite = SPRITE / 2 / size;
    for (let row = top; row <= bottom; row++) {
      for (let column = left; column <= right; column++) {
        const distance = Math.hypot(column - x, row - y);
        let cover = Math.min(1, size + 0.5 - distance);
        if (hollow) cover = Math.min(cover, distance - 0.6 * size + 0.5);
        if (cover <= 0) continue;
        const spriteX = clamped(((column - x + size) * toSprite) | 0, 0, SPRITE - 1);
        const spriteY = clamped(((row - y + size) * toSprite) | 0, 0, SPRITE - 1);
        const place = spriteY * SPRITE + spriteX;
        const at = row * width + column;
        const lit = litColour(rgb, hollow ? 128 : sprite.light[place]);
        pixels[at] = blended(pixels[at], lit, (cover * 256) | 0);
        if (cover > 0.5) nodeDepth[at] = Math.min(nodeDepth[at], depth - radius * sprite.depth[place]);
      }
    }
  }

  /** Find, for each pixel, the depth, slope and brightness of the brain's surface; kept as long as the view stays. */
  *drawSurface(camera, half) {
    const key = `${half} ${camera.key}`;
    if (key === this.surfaceKey) return;
    this.surfaceKey = ''; // until it is whole
    this.facing.fill(0);
    this.surfaceDepth.fill(Infinity);
    this.lightCorners(camera);
    const { vertices, faces } = this.mesh;
    camera.project(vertices, this.corners);
    const middle = faces.length / 2; // the right half comes first
    const end = half === 'right' ? middle : faces.length;
    for (let f = half === 'left' ? middle : 0; f < end; f += 3) {
      if (f % 6144 === 0) yield;
      this.drawTriangle(faces[f], faces[f + 1], faces[f + 2]);
    }
    this.surfaceKey = key;
  }

  lightCorners({ right, up, away }) {
    const { normals } = this.mesh;
    for (let i = 0, o = 0; i < normals.length; i += 3, o += 2) {
      const [x, y, z] = [normals[i], normals[i + 1], normals[i + 2]];
      const across = x * right[0] + y * right[1] + z * right[2];
      const upwards = x * up[0] + y * up[1] + z * up[2];
      const towards = -(x * away[0] + y * away[1] + z * away[2]);
      this.cornerLight[o] = Math.max(0.1, towards); // less would draw a hard, jagged outline
      this.cornerLight[o + 1] = Math.max(0, across * LIGHT[0] + upwards * LIGHT[1] + towards * LIGHT[2]);
    }
  }

  drawTriangle(one, two, three) {
    const { corners, cornerLight, width, height, surfaceDepth, facing, brightness } = this;
    const [ax, ay, az] = [corners[4 * one], corners[4 * one + 1], corners[4 * one + 2]];
    const [bx, by, bz] = [corners[4 * two], corners[4 * two + 1], corners[4 * two + 2]];
    const [cx, cy, cz] = [corners[4 * three], corners[4 * three + 1], corners[4 * three + 2]];
    const area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax);
    if (area >= 0) return; // seen from inside the brain
    const left = Math.max(0, Math.ceil(Math.min(ax, bx, cx)));
    const right = Math.min(width - 1, Math.floor(Math.max(ax, bx, cx)));
    const top = Math.max(0, Math.ceil(Math.min(ay, by, cy)));
    const bottom = Math.min(height - 1, Math.floor(Math.max(ay, by, cy)));
    const [aFacing, aLit] = [cornerLight[2 * one], cornerLight[2 * one + 1]];
    const [bFacing, bLit] = [cornerLight[2 * two] - aFacing, cornerLight[2 * two + 1] - aLit];
    const [cFacing, cLit] = [cornerLight[2 * three] - aFacing, cornerLight[2 * three + 1] - aLit];
    // Weights of the second and third corner, linear in x and y.
    const [bStepX, bStepY] = [(cy - ay) / area, -(cx - ax) / area];
    const [cStepX, cStepY] = [-(by - ay) / area, (bx - ax) / area];
    for (let y = top; y <= bottom; y++) {
      let b = bStepX * (left - ax) + bStepY * (y - ay);
      let c = cStepX * (left - ax) + cStepY * (y - ay);
      for (let x = left; x <= right; x++, b += bStepX, c += cStepX) {
        if (b < -1e-4 || c < -1e-4 || b + c > 1.0001) continue; // a little more than the triangle leaves no cracks
        const depth = az + b * (bz - az) + c * (cz - az);
        const at = y * width + x;
        if (depth >= surfaceDepth[at]) continue;
        surfaceDepth[at] = depth;
        facing[at] = 1 + 254 * (aFacing + b * bFacing + c * cFacing);
        brightness[at] = 255 * (aLit + b * bLit + c * cLit);
      }
    }
  }

  /**
   * Lay the surface over the picture like a thin shell of glass: where it is seen at a slant, light passes through more
   * of it. At opacity 0 it is not there, at 1 nothing behind it is seen.
   */
  coverWithSurface(opacity) {
    const { pixels, facing, brightness, surfaceDepth, nodeDepth } = this;
    const cover = new Uint16Array(256);
    const colours = new Uint32Array(256);
    for (let i = 0; i < 256; i++) {
      cover[i] = Math.round(256 * (1 - (1 - opacity) ** (255 / Math.max(1, i))));
      colours[i] = litColour(BRAIN_COLOUR, 72 + 0.31 * i);
    }
    for (let at = 0; at < pixels.length; at++) {
      if (facing[at] === 0 || nodeDepth[at] < surfaceDepth[at]) continue;
      pixels[at] = blended(pixels[at], colours[brightness[at]], cover[facing[at]]);
    }
  }

  /** Whether the brain, being opaque, hides a point. */
  isHidden(x, y, depth, opacity) {
    if (opacity < 1) return false;
    const at = Math.round(y) * this.width + Math.round(x);
    return this.facing[at] > 0 && this.surfaceDepth[at] < depth;
  }
}

/** A colour under light: 128 leaves it as it is, less darkens it, more moves it towards white. */
function litColour(rgb, light) {
  if (light <= 128) {
    const part = light / 128;
    return packed(rgb[0] * part, rgb[1] * part, rgb[2] * part);
  }
  return packedColour(rgb, (light - 128) / 128);
}

/** Mix two packed opaque colours; cover runs from 0 (all below) to 256 (all above). */
function blended(below, above, cover) {
  const redBlue = below & 0xff00ff;
  const green = below & 0x00ff00;
  return (
    (0xff000000 |
      ((redBlue + ((((above & 0xff00ff) - redBlue) * cover) >> 8)) & 0xff00ff) |
      ((green + ((((above & 0x00ff00) - green) * cover) >> 8)) & 0x00ff00)) >>> 0
  );
}
