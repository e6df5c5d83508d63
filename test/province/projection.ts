/** Radiographs: the chest as rays summed through the same anatomy as its CT, and a hand drawn from its bones. */
import { chest } from './chest.ts';
import type { ChestFinding } from './chest.ts';
import { between, noiseTile, seeded } from './random.ts';

export interface Radiograph {
  readonly columns: number;
  readonly rows: number;
  /** Millimetres per pixel at the detector. */
  readonly spacing: number;
  /** 12 bits, dense is bright. */
  readonly pixels: Uint16Array;
}

interface Plane {
  readonly columns: number;
  readonly rows: number;
  readonly data: Float32Array;
}

/** Frontal chest radiograph: attenuation along y, seen from the front, the patient's left on the right. */
export function chestRadiograph(options: { seed: number; female: boolean; finding: ChestFinding }): Radiograph {
  const [columns, depth, rows] = [240, 36, 240];
  const step = 1.43;
  const volume = chest(
    {
      columns,
      rows: depth,
      slices: rows,
      spacing: [step, 6.5, step * 0.87],
      origin: [-columns * 0.5 * step, -119, -158],
    },
    { ...options, enhanced: false, noise: 0 },
  );
  const thickness = new Float32Array(columns * rows);
  for (let k = 0; k < rows; k++) {
    const slice = volume.slice(rows - 1 - k);
    for (let j = 0; j < depth; j++)
      for (let i = 0; i < columns; i++) {
        const density = 1 + (slice[j * columns + i] ?? -1000) / 1000;
        // Bone holds back more of a diagnostic beam than its CT number says; the couch is not there.
        const bone = density > 1.15 ? 1.9 * (density - 1.15) : 0;
        if (j < depth - 1) thickness[k * columns + i] = (thickness[k * columns + i] ?? 0) + 0.65 * (density + bone);
      }
  }
  const curve = thickness.map((cm) => 1 - Math.exp(-cm / 14));
  return expose({ columns, rows, data: curve }, 3, step / 3, options.seed, 2.4);
}

/** Bones of a right hand, palm down: ends, radii in mm. */
export function handRadiograph(options: { seed: number; fracture: boolean }): Radiograph {
  const random = seeded(options.seed);
  const [columns, rows, step] = [300, 380, 0.6];
  const data = new Float32Array(columns * rows);
  const [soft, hard] = handBones(options.fracture);
  const trabeculae = noiseTile(random, 512, 1);
  for (let j = 0; j < rows; j++)
    for (let i = 0; i < columns; i++) {
      const [x, y] = [(i - columns / 2) * step, (j - rows / 2) * step];
      let flesh = 0;
      for (const part of soft) flesh = Math.max(flesh, chord(part, x, y));
      let bone = 0;
      for (const part of hard) {
        const outer = chord(part, x, y);
        if (outer === 0) continue;
        const inner = chord({ ...part, radiusA: part.radiusA * 0.72, radiusB: part.radiusB * 0.72 }, x, y);
        bone = Math.max(bone, outer - 0.62 * inner * (1 + 0.12 * (trabeculae[(j & 511) * 512 + (i & 511)] ?? 0)));
      }
      data[j * columns + i] = 1 - Math.exp(-(flesh * 0.028 + bone * 0.085));
    }
  return expose({ columns, rows, data }, 2, step / 2, options.seed, 0.9);
}

interface Part {
  readonly ax: number;
  readonly ay: number;
  readonly bx: number;
  readonly by: number;
  readonly radiusA: number;
  readonly radiusB: number;
  /** Waist: bones are thinner in the middle. */
  readonly waist: number;
}

/** Length of the ray through a tapering rod lying in the plane. */
function chord(part: Part, x: number, y: number): number {
  const [ux, uy] = [part.bx - part.ax, part.by - part.ay];
  const along = Math.min(1, Math.max(0, ((x - part.ax) * ux + (y - part.ay) * uy) / (ux * ux + uy * uy || 1)));
  const radius = (part.radiusA + along * (part.radiusB - part.radiusA)) * (1 - part.waist * Math.sin(Math.PI * along));
  const dx = x - part.ax - along * ux;
  const dy = y - part.ay - along * uy;
  const rest = radius * radius - dx * dx - dy * dy;
  return rest > 0 ? 2 * Math.sqrt(rest) : 0;
}

function handBones(fracture: boolean): readonly [readonly Part[], readonly Part[]] {
  const soft: Part[] = [];
  const hard: Part[] = [];
  const bone = (
    ax: number,
    ay: number,
    bx: number,
    by: number,
    radiusA: number,
    radiusB: number,
    waist = 0.32,
  ): void => {
    hard.push({ ax, ay, bx, by, radiusA, radiusB, waist });
  };
  const fingers: readonly (readonly [number, number, number, readonly number[]])[] = [
    [-27, -0.24, 60, [34, 20, 14]],
    [-9, -0.06, 61, [38, 25, 15]],
    [8, 0.08, 56, [35, 24, 15]],
    [23, 0.24, 51, [28, 18, 14]],
  ];
  for (const [x, lean, metacarpal, phalanges] of fingers) {
    let [px, py] = [x * 0.62, 34];
    const [sx, sy] = [Math.sin(lean), -Math.cos(lean)];
    const lengths = [metacarpal, ...phalanges];
    lengths.forEach((length, at) => {
      const radius = [6.2, 5.2, 4.4, 3.6][at] ?? 4;
      const [qx, qy] = [px + sx * (length - radius), py + sy * (length - radius)];
      const broken = fracture && x === 23 && at === 0;
      if (broken) {
        bone(px, py, px + sx * 30, py + sy * 30, radius, radius * 0.8, 0.2);
        bone(px + sx * 36 + 3.5, py + sy * 36, qx - 2.5, qy + 3, radius * 0.78, radius, 0.15);
      } else bone(px, py, qx, qy, radius, radius * (at === 3 ? 0.7 : 0.95));
      if (at > 0 || x === 23 || x === -27)
        soft.push({ ax: px, ay: py, bx: qx, by: qy, radiusA: 10.5 - at * 0.8, radiusB: 9.6 - at * 0.8, waist: 0.04 });
      [px, py] = [px + sx * (length + radius * 0.75), py + sy * (length + radius * 0.75)];
    });
  }
  bone(-25, 38, -42, 6, 7, 6.2);
  bone(-46, -2, -58, -25, 6, 5.2);
  bone(-61, -33, -68, -50, 4.8, 3.6);
  soft.push({ ax: -25, ay: 38, bx: -68, by: -52, radiusA: 17, radiusB: 9, waist: 0.06 });
  for (const x of [-22, -8, 8, 22])
    soft.push({ ax: x, ay: 44, bx: x * 1.25, by: -14, radiusA: 20, radiusB: 14, waist: 0 });
  soft.push({ ax: 0, ay: 46, bx: 0, by: 130, radiusA: 31, radiusB: 30, waist: 0.04 });
  const carpals = [
    [-19, 45, 8],
    [-8, 44, 6.5],
    [3, 44, 8.5],
    [15, 45, 7.5],
    [-15, 58, 8.5],
    [-2, 58, 8],
    [10, 57, 6.6],
    [17, 56, 4.8],
  ] as const;
  for (const [x, y, radius] of carpals) bone(x - 1.5, y, x + 1.5, y, radius, radius, 0);
  bone(-11, 78, -12, 128, 14, 9.5, 0.12);
  bone(16, 80, 15, 128, 8, 7.5, 0.1);
  return [soft, hard];
}

/** Enlarges, sharpens edges as a radiography system does, and adds the grain of the detector. */
function expose(plane: Plane, scale: number, spacing: number, seed: number, sharpen: number): Radiograph {
  const [columns, rows] = [plane.columns * scale, plane.rows * scale];
  const large = new Float32Array(columns * rows);
  const at = (i: number, j: number): number =>
    plane.data[Math.min(plane.rows - 1, j) * plane.columns + Math.min(plane.columns - 1, i)] ?? 0;
  for (let y = 0; y < rows; y++)
    for (let x = 0; x < columns; x++) {
      const [i, j] = [Math.floor(x / scale), Math.floor(y / scale)];
      const [u, v] = [(x % scale) / scale, (y % scale) / scale];
      large[y * columns + x] =
        (at(i, j) * (1 - u) + at(i + 1, j) * u) * (1 - v) + (at(i, j + 1) * (1 - u) + at(i + 1, j + 1) * u) * v;
    }
  const random = seeded(seed);
  const grain = noiseTile(random, 512, 1);
  const gain = between(random, 3500, 3700);
  const reach = 4 * scale;
  const pixels = new Uint16Array(columns * rows);
  for (let y = 0; y < rows; y++)
    for (let x = 0; x < columns; x++) {
      const here = large[y * columns + x] ?? 0;
      const beside =
        (large[y * columns + Math.max(0, x - reach)] ?? 0) +
        (large[y * columns + Math.min(columns - 1, x + reach)] ?? 0);
      const above =
        (large[Math.max(0, y - reach) * columns + x] ?? 0) + (large[Math.min(rows - 1, y + reach) * columns + x] ?? 0);
      const detail = here - (beside + above) / 4;
      const value = 120 + gain * (here + sharpen * 0.5 * detail) + 9 * (grain[(y & 511) * 512 + (x & 511)] ?? 0);
      pixels[y * columns + x] = Math.max(0, Math.min(4095, Math.round(value)));
    }
  return { columns, rows, spacing, pixels };
}
