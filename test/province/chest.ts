/**
 * A human chest in Hounsfield units, from the lung apices to the upper abdomen: wall, ribs, spine, lungs with their
 * vessel and airway trees, mediastinum, heart and great vessels, diaphragm, liver and spleen, and a finding.
 */
import { paintFinding, paintLungs, paintVessels } from './chest-lungs.ts';
import type { ChestFinding } from './chest-lungs.ts';
import { paintAbdomen, paintMediastinum } from './chest-organs.ts';
import { cavityDistance } from './chest-shape.ts';
import type { Body, Mottle } from './chest-shape.ts';
import { paintSkeleton, paintWall } from './chest-wall.ts';
import { Volume } from './phantom.ts';
import type { Grid } from './phantom.ts';
import { between, noiseTile, seeded } from './random.ts';
import type { Random } from './random.ts';

export type { ChestFinding } from './chest-lungs.ts';

export interface ChestOptions {
  readonly seed: number;
  readonly female: boolean;
  /** Iodine in the vessels. */
  readonly enhanced: boolean;
  readonly finding: ChestFinding;
  /** Quantum noise, standard deviation in HU. */
  readonly noise: number;
}

const AIR = -1000;

export function chest(grid: Grid, options: ChestOptions): Volume {
  const random = seeded(options.seed);
  const body: Body = {
    width: between(random, 158, 172),
    depth: between(random, 104, 116),
    fat: options.female ? between(random, 12, 17) : between(random, 8, 14),
    female: options.female,
  };
  const volume = new Volume(grid, AIR);
  const mottled = (radius: number): Mottle => {
    const tile = noiseTile(random, 512, radius);
    return (x, y, z) => tile[(((y + z * 17.3 + 600) & 511) << 9) | ((x + z * 11.1 + 600) & 511)] ?? 0;
  };
  const [fine, broad] = [mottled(1), mottled(5)];
  const inside = volume.field((x, y, z) => cavityDistance(body, x, y, z));
  paintWall(volume, body, inside, fine, broad);
  paintLungs(volume, inside, fine, broad);
  paintVessels(volume, random, options.enhanced ? 150 : 35);
  paintFinding(volume, random, options.finding, fine, broad);
  paintMediastinum(volume, options.enhanced, fine, broad);
  paintAbdomen(volume, inside, options.enhanced, fine);
  paintSkeleton(volume, body, inside);
  if (options.noise > 0) addNoise(volume, random, options.noise);
  return volume;
}

export function addNoise(volume: Volume, random: Random, deviation: number): void {
  const grain = noiseTile(random, 256, 1);
  const { columns, rows, slices } = volume.grid;
  for (let k = 0; k < slices; k++) {
    const slice = volume.slice(k);
    const [ox, oy] = [Math.floor(random() * 256), Math.floor(random() * 256)];
    for (let j = 0; j < rows; j++)
      for (let i = 0; i < columns; i++) {
        const at = j * columns + i;
        slice[at] = (slice[at] ?? 0) + deviation * (grain[(((j + oy) & 255) << 8) | ((i + ox) & 255)] ?? 0);
      }
  }
}
