/**
 * A volume in millimetres that shapes are painted into, later ones over earlier ones, with soft edges: what the
 * synthetic CT, MR and radiographs are made of. Axes are the patient's: +x left, +y posterior, +z head (PS3.3 C.7.6.2.1.1).
 */

export interface Grid {
  readonly columns: number;
  readonly rows: number;
  readonly slices: number;
  /** Millimetres between samples, and the position of the first sample. */
  readonly spacing: readonly [number, number, number];
  readonly origin: readonly [number, number, number];
}

/** Signed distance in mm to a surface, negative inside. Approximate is enough: only its sign and slope at 0 matter. */
export type Shape = (x: number, y: number, z: number, at: number) => number;
/** What the shape is filled with; sees the place, what was there, and the sample's index in `data`. */
export type Fill = (x: number, y: number, z: number, before: number, at: number) => number;
export type Point = readonly [number, number, number];
export interface Box {
  readonly from: Point;
  readonly to: Point;
}

export const around = (centre: Point, x: number, y: number, z: number): Box => ({
  from: [centre[0] - x, centre[1] - y, centre[2] - z],
  to: [centre[0] + x, centre[1] + y, centre[2] + z],
});

export class Volume {
  readonly data: Float32Array;

  constructor(
    readonly grid: Grid,
    background: number,
  ) {
    this.data = new Float32Array(grid.columns * grid.rows * grid.slices).fill(background);
  }

  slice(at: number): Float32Array {
    const size = this.grid.columns * this.grid.rows;
    return this.data.subarray(at * size, (at + 1) * size);
  }

  /** Paints `shape` inside `box` (the whole volume when null); the edge is one sample wide. */
  paint(box: Box | null, shape: Shape, fill: number | Fill, edge = 1): void {
    const { columns, rows, spacing, origin } = this.grid;
    const [x0, x1] = this.#span(box, 0, columns);
    const [y0, y1] = this.#span(box, 1, rows);
    const [z0, z1] = this.#span(box, 2, this.grid.slices);
    const softness = 1 / (spacing[0] * edge);
    for (let k = z0; k <= z1; k++) {
      const z = origin[2] + k * spacing[2];
      for (let j = y0; j <= y1; j++) {
        const y = origin[1] + j * spacing[1];
        let at = (k * rows + j) * columns + x0;
        for (let i = x0; i <= x1; i++, at++) {
          const x = origin[0] + i * spacing[0];
          const cover = 0.5 - shape(x, y, z, at) * softness;
          if (cover <= 0) continue;
          const before = this.data[at] ?? 0;
          const value = typeof fill === 'number' ? fill : fill(x, y, z, before, at);
          this.data[at] = cover >= 1 ? value : before + (value - before) * cover;
        }
      }
    }
  }

  /** A tapering rod from `a` to `b`: vessels, bronchi, bones. */
  rod(a: Point, b: Point, radiusA: number, radiusB: number, fill: number | Fill, edge = 1): void {
    const most = Math.max(radiusA, radiusB) + 2 * this.grid.spacing[0] * edge;
    const box: Box = {
      from: [Math.min(a[0], b[0]) - most, Math.min(a[1], b[1]) - most, Math.min(a[2], b[2]) - most],
      to: [Math.max(a[0], b[0]) + most, Math.max(a[1], b[1]) + most, Math.max(a[2], b[2]) + most],
    };
    this.paint(box, rod(a, b, radiusA, radiusB), fill, edge);
  }

  /** A distance of every sample, computed once where several shapes build on it. */
  field(distance: (x: number, y: number, z: number) => number): Float32Array {
    const { columns, rows, slices, spacing, origin } = this.grid;
    const field = new Float32Array(this.data.length);
    let at = 0;
    for (let k = 0; k < slices; k++)
      for (let j = 0; j < rows; j++)
        for (let i = 0; i < columns; i++)
          field[at++] = distance(origin[0] + i * spacing[0], origin[1] + j * spacing[1], origin[2] + k * spacing[2]);
    return field;
  }

  tube(points: readonly Point[], radius: number, fill: number | Fill): void {
    for (let at = 1; at < points.length; at++) {
      const [a, b] = [points[at - 1], points[at]];
      if (a && b) this.rod(a, b, radius, radius, fill);
    }
  }

  ball(centre: Point, radius: Point, turn: number, fill: number | Fill, edge = 1): void {
    const most = Math.max(...radius) + 4;
    this.paint(around(centre, most, most, most), ellipsoid(centre, radius, turn), fill, edge);
  }

  #span(box: Box | null, axis: 0 | 1 | 2, count: number): [number, number] {
    if (!box) return [0, count - 1];
    const { spacing, origin } = this.grid;
    return [
      Math.max(0, Math.floor((box.from[axis] - origin[axis]) / spacing[axis])),
      Math.min(count - 1, Math.ceil((box.to[axis] - origin[axis]) / spacing[axis])),
    ];
  }
}

/** Ellipsoid, turned by `turn` radians about the z axis. */
export function ellipsoid(centre: Point, radius: Point, turn = 0): Shape {
  const [cx, cy, cz] = centre;
  const [rx, ry, rz] = radius;
  const cos = Math.cos(turn);
  const sin = Math.sin(turn);
  return (x, y, z) => {
    const dx = x - cx;
    const dy = y - cy;
    const u = (cos * dx + sin * dy) / rx;
    const v = (cos * dy - sin * dx) / ry;
    const w = (z - cz) / rz;
    const length = Math.sqrt(u * u + v * v + w * w);
    const slope = Math.sqrt((u / rx) ** 2 + (v / ry) ** 2 + (w / rz) ** 2);
    return slope === 0 ? -Math.min(rx, ry, rz) : (length * (length - 1)) / slope;
  };
}

/** Signed distance to an ellipse in a plane: the same first-order approximation. */
export function ellipse(x: number, y: number, a: number, b: number): number {
  const u = x / a;
  const v = y / b;
  const length = Math.sqrt(u * u + v * v);
  const slope = Math.sqrt((u / a) ** 2 + (v / b) ** 2);
  return slope === 0 ? -Math.min(a, b) : (length * (length - 1)) / slope;
}

export function rod(a: Point, b: Point, radiusA: number, radiusB: number): Shape {
  const [ux, uy, uz] = [b[0] - a[0], b[1] - a[1], b[2] - a[2]];
  const length2 = ux * ux + uy * uy + uz * uz || 1;
  return (x, y, z) => {
    const [px, py, pz] = [x - a[0], y - a[1], z - a[2]];
    const along = Math.min(1, Math.max(0, (px * ux + py * uy + pz * uz) / length2));
    const [dx, dy, dz] = [px - along * ux, py - along * uy, pz - along * uz];
    return Math.sqrt(dx * dx + dy * dy + dz * dz) - (radiusA + along * (radiusB - radiusA));
  };
}

export const smooth = (low: number, high: number, value: number): number => {
  const t = Math.min(1, Math.max(0, (value - low) / (high - low)));
  return t * t * (3 - 2 * t);
};
