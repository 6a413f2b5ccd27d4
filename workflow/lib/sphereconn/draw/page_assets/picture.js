'use strict';

/* The picture as a file: brain, title, colours of values and of networks. */

function downloadPicture() {
  const canvas = paintPicture();
  canvas.toBlob((blob) => {
    const link = element('a', '');
    link.href = URL.createObjectURL(blob);
    link.download = pictureName();
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    announce('The picture was saved.');
  });
}

/** A file name of letters, digits and hyphens. */
function pictureName() {
  const { estimator, group } = connectome();
  const words = [data.title, estimator, group].join(' ').match(/[\p{L}\p{N}]+/gu) ?? ['connectome'];
  return `${words.join('-').slice(0, 100)}.png`;
}

/** Brain, title, colours of values and of networks on one white canvas, at twice the size of the screen. */
function paintPicture() {
  clearTimeout(restTimer);
  drawFine();
  const isShown = (network) => !state.networks.size || state.networks.has(network);
  const networks = data.networks.map((_, network) => network).filter(isShown);
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
