/** Lungs of the synthetic chest: parenchyma, the trees of vessels and bronchi, and the findings a report speaks of. */
import { CHEST, dome } from './chest-shape.ts';
import type { Mottle } from './chest-shape.ts';
import { ellipsoid } from './phantom.ts';
import type { Point, Volume } from './phantom.ts';
import { between } from './random.ts';
import type { Random } from './random.ts';

export type ChestFinding = 'none' | 'nodule' | 'pneumonia' | 'effusion' | 'mass';

export function paintLungs(volume: Volume, inside: Float32Array, fine: Mottle, broad: Mottle): void {
  volume.paint(
    CHEST,
    (x, y, z, at) =>
      Math.max((inside[at] ?? 0) + 3, dome(x, y) - z, z - 104 + (Math.max(0, Math.abs(x) - 42) / 60) ** 2 * 16),
    (x, y, z) => {
      const parenchyma = -872 + 0.5 * y + 0.12 * (z < 0 ? -z : 0) + 22 * fine(x, y, z) + 12 * broad(x, y, z);
      const fissure = Math.abs(y - 10 - 0.55 * z + 4 * Math.sin(x * 0.05)) < 0.8 && Math.abs(x) > 45;
      return fissure ? -700 : parenchyma;
    },
  );
}

/** Pulmonary arteries and bronchi branch from the hilum into the lobes; only lung is painted, so nothing leaves it. */
export function paintVessels(volume: Volume, random: Random, density: number): void {
  const intoLung = (value: number) => (_x: number, _y: number, _z: number, before: number) =>
    before < -560 || (before > -500 && before < value && before < -100) ? value : before;
  const branch = (from: Point, heading: Point, radius: number, length: number, depth: number): void => {
    const to: Point = [from[0] + heading[0] * length, from[1] + heading[1] * length, from[2] + heading[2] * length];
    volume.rod(from, to, radius, radius * 0.82, intoLung(density - (depth === 0 ? 60 : 0)), radius < 1 ? 1.4 : 1);
    if (depth >= 4) {
      const beside: Point = [radius * 2, radius * 0.6, 0];
      airway(volume, shift(from, beside), shift(to, beside), radius * 0.75);
    }
    if (depth === 0) return;
    const children = depth > 5 ? 3 : 2;
    for (let child = 0; child < children; child++) {
      const spread = child === 0 ? 0.3 : 0.75;
      branch(
        to,
        turned(random, heading, spread),
        radius * (child === 0 ? 0.82 : 0.66),
        length * between(random, 0.72, 0.95),
        depth - 1,
      );
    }
  };
  for (const side of [-1, 1]) {
    const hilum: Point = [side * 36, 6, -6];
    const lobes: readonly Point[] = [
      [side * 0.55, -0.25, 0.9],
      [side * 0.5, 0.45, 0.75],
      [side * 0.8, -0.75, -0.15],
      [side * 0.75, 0.35, -0.55],
      [side * 0.45, 0.4, -0.95],
      [side * 0.95, 0.1, 0.1],
    ];
    for (const lobe of lobes) branch(hilum, unit(lobe), 5.2, 27, 6);
  }
}

export function airway(volume: Volume, from: Point, to: Point, radius: number): void {
  const lung = (value: number) => (_x: number, _y: number, _z: number, before: number) =>
    before < -400 ? value : before;
  volume.rod(from, to, radius + 1.1, radius + 0.9, lung(-420));
  volume.rod(from, to, radius, radius * 0.85, lung(-985));
}

export const shift = (p: Point, by: Point): Point => [p[0] + by[0], p[1] + by[1], p[2] + by[2]];
export const unit = (p: Point): Point => {
  const length = Math.hypot(...p) || 1;
  return [p[0] / length, p[1] / length, p[2] / length];
};
export const turned = (random: Random, heading: Point, spread: number): Point =>
  unit([
    heading[0] + between(random, -spread, spread) * 1.3,
    heading[1] + between(random, -spread, spread) * 1.3,
    heading[2] + between(random, -spread, spread) * 1.1,
  ]);

/** Where the nodule, mass, consolidation or fluid sits, as the report says. */
export function paintFinding(volume: Volume, random: Random, finding: ChestFinding, fine: Mottle, broad: Mottle): void {
  const lung =
    (value: (before: number, x: number, y: number, z: number) => number) =>
    (x: number, y: number, z: number, before: number) => (before < -250 ? value(before, x, y, z) : before);
  if (finding === 'nodule') {
    const centre: Point = [-78, 18, 38];
    volume.ball(
      centre,
      [6, 5.5, 7],
      0.4,
      lung(() => 28),
      1.5,
    );
    for (let at = 0; at < 9; at++) {
      const end = shift(centre, [between(random, -15, 15), between(random, -15, 15), between(random, -9, 9)]);
      volume.rod(
        centre,
        end,
        1.4,
        0.3,
        lung(() => -120),
        1.3,
      );
    }
  } else if (finding === 'mass') {
    for (let at = 0; at < 7; at++) {
      const centre: Point = [
        66 + between(random, -10, 10),
        -8 + between(random, -10, 10),
        14 + between(random, -10, 10),
      ];
      volume.ball(
        centre,
        [17, 16, 17],
        0,
        lung((_before, x, y, z) => 38 + 6 * fine(x, y, z)),
        1.5,
      );
    }
  } else if (finding === 'pneumonia') {
    const cloud = ellipsoid([-66, 46, -44], [40, 30, 38]);
    volume.paint(
      { from: [-125, 5, -100], to: [-15, 95, 10] },
      (x, y, z) => cloud(x, y, z, 0) + 8 * broad(x, y, z),
      lung((before, x, y, z) =>
        Math.min(
          30,
          before + 560 + 150 * broad(x, y, z) + 40 * fine(x, y, z) - 4 * Math.max(0, cloud(x, y, z, 0) + 25),
        ),
      ),
      8,
    );
  } else if (finding === 'effusion') {
    volume.paint(
      { from: [10, 0, -140], to: [150, 110, 20] },
      (x, y, z) => 52 - y + 0.35 * (z + 60) + 0.002 * (x - 60) ** 2 * 4,
      lung((_before, x, y, z) => 10 + 4 * fine(x, y, z)),
    );
  }
}
