// Pictures for the demo and the tests, drawn point by point.

import { crc32, deflateSync } from "node:zlib";

function chunk(kind, bytes) {
  const body = Buffer.concat([Buffer.from(kind), bytes]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(bytes.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

/**
 * A PNG of `colour(x, y)`, which gives red, green and blue, from 0 to 255.
 *
 * @param {number} width
 * @param {number} height
 * @param {(x: number, y: number) => number[]} colour
 */
export function png(width, height, colour) {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2, 0, 0, 0], 8);
  const rows = Array.from({ length: height }, (_, y) =>
    Buffer.from([0, ...Array.from({ length: width }, (_, x) => colour(x, y)).flat()]),
  );
  const parts = [chunk("IHDR", head), chunk("IDAT", deflateSync(Buffer.concat(rows))), chunk("IEND", Buffer.alloc(0))];
  return new Uint8Array(Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), ...parts]));
}

/** A face in a colour: two eyes and a smile. */
export function face([r, g, b]) {
  return png(96, 96, (x, y) => {
    const isEye = [35, 61].some((at) => Math.hypot(x - at, y - 40) < 6);
    const far = Math.hypot(x - 48, y - 50);
    const isSmile = y > 56 && far > 20 && far < 26;
    return isEye || isSmile
      ? [255, 255, 255]
      : [r - y / 2, g - y / 2, b - y / 2].map((it) => Math.max(0, Math.round(it)));
  });
}

/** Hills by the sea, in the evening. */
export function landscape(width = 480, height = 320) {
  const mix = (a, b, t) => a.map((it, i) => Math.round(it + (b[i] - it) * t));
  return png(width, height, (x, y) => {
    if (Math.hypot(x - 0.72 * width, y - 0.36 * height) < 0.09 * height) return [255, 236, 190];
    if (y > 0.78 * height) return mix([46, 96, 122], [20, 48, 74], (y / height - 0.78) / 0.22);
    const near = height * (0.62 + 0.1 * Math.sin(x / 70) + 0.03 * Math.sin(x / 23));
    const far = height * (0.5 + 0.08 * Math.sin(x / 55 + 2) + 0.02 * Math.sin(x / 17));
    if (y > near) return [32, 74, 66];
    if (y > far) return [74, 112, 120];
    return mix([96, 124, 178], [250, 190, 142], y / (0.6 * height));
  });
}
