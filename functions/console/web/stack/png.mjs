// Recompresses a PNG without loss: flat colours compress best without row filters.
import { deflateSync, inflateSync } from "node:zlib";

const HEAD = 8;
const CRC = Array.from({ length: 256 }, (_, n) => {
  for (let bit = 0; bit < 8; bit += 1) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n >>> 0;
});

export function smaller(png) {
  const chunks = [];
  for (let at = HEAD; at < png.length;) {
    const size = png.readUInt32BE(at);
    chunks.push({ type: png.toString("latin1", at + 4, at + 8), data: png.subarray(at + 8, at + 8 + size) });
    at += size + 12;
  }
  const of = (wanted) => chunks.filter(({ type }) => type === wanted).map(({ data }) => data);
  const [header] = of("IHDR");
  const bytes = { 2: 3, 6: 4 }[header[9]];
  const plain = unfiltered(inflateSync(Buffer.concat(of("IDAT"))), header.readUInt32BE(0) * bytes, bytes);
  const packed = deflateSync(plain, { level: 9, memLevel: 9 });
  return Buffer.concat([png.subarray(0, HEAD), chunk("IHDR", header), chunk("IDAT", packed), chunk("IEND", Buffer.alloc(0))]);
}

/** Reverses the row filters; the first byte of each row becomes 0, no filter. */
function unfiltered(rows, width, bytes) {
  for (let start = 0; start < rows.length; start += width + 1) {
    const filter = rows[start];
    rows[start] = 0;
    for (let at = start + 1; at <= start + width; at += 1) {
      const inside = at > start + bytes;
      const left = inside ? rows[at - bytes] : 0;
      const up = start ? rows[at - width - 1] : 0;
      const corner = inside && start ? rows[at - width - 1 - bytes] : 0;
      rows[at] += [0, left, up, (left + up) >> 1, nearest(left, up, corner)][filter];
    }
  }
  return rows;
}

/** The Paeth predictor: the value nearest to left + up - corner. */
function nearest(left, up, corner) {
  const [toLeft, toUp, toCorner] = [Math.abs(up - corner), Math.abs(left - corner), Math.abs(left + up - 2 * corner)];
  if (toLeft <= toUp && toLeft <= toCorner) return left;
  return toUp <= toCorner ? up : corner;
}

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const [size, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  size.writeUInt32BE(data.length);
  sum.writeUInt32BE((~body.reduce((crc, byte) => CRC[(crc ^ byte) & 255] ^ (crc >>> 8), -1)) >>> 0);
  return Buffer.concat([size, body, sum]);
}
