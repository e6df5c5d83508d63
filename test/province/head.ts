/**
 * A human head as tissues, and the T1, T2 and FLAIR signal of each: scalp, skull, folded cortex, white matter, ventricles,
 * deep nuclei, cerebellum, brain stem, eyes and sinuses, with an infarct or a tumour where the report says so.
 */
import { ellipse, ellipsoid, rod, smooth, Volume } from './phantom.ts';
import type { Box, Grid, Point, Shape } from './phantom.ts';
import { between, noiseTile, seeded } from './random.ts';

export type HeadFinding = 'none' | 'infarct' | 'tumour' | 'atrophy';
export type Weighting = 't1' | 't2' | 'flair';

export interface HeadOptions {
  readonly seed: number;
  readonly finding: HeadFinding;
  readonly weighting: Weighting;
}

/** Signal of each tissue at 1.5 T in arbitrary units. */
const SIGNAL = {
  t1: {
    air: 4,
    fat: 620,
    bone: 30,
    marrow: 380,
    fluid: 70,
    grey: 270,
    white: 385,
    nucleus: 300,
    muscle: 260,
    lesion: 190,
    rim: 520,
  },
  t2: {
    air: 4,
    fat: 430,
    bone: 22,
    marrow: 250,
    fluid: 820,
    grey: 400,
    white: 285,
    nucleus: 345,
    muscle: 160,
    lesion: 660,
    rim: 480,
  },
  flair: {
    air: 4,
    fat: 520,
    bone: 22,
    marrow: 260,
    fluid: 45,
    grey: 330,
    white: 255,
    nucleus: 300,
    muscle: 170,
    lesion: 610,
    rim: 430,
  },
} as const;
const HEAD: Box = { from: [-84, -118, -400], to: [84, 102, 400] };
type Tissues = Readonly<Record<keyof (typeof SIGNAL)['t1'], number>>;

export function head(grid: Grid, options: HeadOptions): Volume {
  const random = seeded(options.seed);
  const tissue: Tissues = SIGNAL[options.weighting];
  const volume = new Volume(grid, tissue.air);
  const size = between(random, 0.97, 1.04);
  const winding = noiseTile(random, 256, 4);
  const fold = (x: number, y: number, z: number): number => {
    const u = Math.abs(x) * 1.15 + z * 1.9 + (x < 0 ? 400 : 900);
    const v = y * 1.15 - z * 1.3 + 700;
    const i = Math.floor(u);
    const j = Math.floor(v);
    const [row, below] = [(j & 255) << 8, ((j + 1) & 255) << 8];
    const [column, beside] = [i & 255, (i + 1) & 255];
    const above = (winding[row | column] ?? 0) * (1 - u + i) + (winding[row | beside] ?? 0) * (u - i);
    const under = (winding[below | column] ?? 0) * (1 - u + i) + (winding[below | beside] ?? 0) * (u - i);
    return above * (1 - v + j) + under * (v - j);
  };
  paintShell(volume, tissue, size);
  paintHindbrain(volume, tissue);
  paintCerebrum(volume, tissue, size, fold, options.finding === 'atrophy' ? 1.7 : 1);
  paintDeep(volume, tissue, options.finding === 'atrophy' ? 1.45 : 1);
  paintFace(volume, tissue);
  paintFinding(volume, tissue, options.finding, fold);
  receive(volume, options.seed, options.weighting);
  return volume;
}

function paintShell(volume: Volume, tissue: Tissues, size: number): void {
  const skull = ellipsoid([0, 0, 0], [75 * size, 95 * size, 92 * size]);
  const outline: Shape = (x, y, z) => {
    const face = Math.max(ellipse(x, y + 22, 62, 78), z - 5);
    return Math.min(skull(x, y, z, 0), face);
  };
  const nose = rod([0, -96, -62], [0, -88, -28], 12, 5);
  volume.paint(HEAD, (x, y, z, at) => Math.min(outline(x, y, z, at), nose(x, y, z, at)), tissue.muscle);
  volume.paint(HEAD, (x, y, z, at) => outline(x, y, z, at) + 1.6, tissue.fat);
  volume.paint(HEAD, (x, y, z, at) => Math.max(outline(x, y, z, at) + 5, z + 18), tissue.muscle);
  volume.paint(HEAD, (x, y, z, at) => Math.max(skull(x, y, z, at) + 5.5, -66 - z), tissue.bone);
  volume.paint(HEAD, (x, y, z, at) => Math.max(Math.abs(skull(x, y, z, at) + 8.6) - 1.3, -50 - z), tissue.marrow);
  volume.paint(HEAD, (x, y, z, at) => Math.max(skull(x, y, z, at) + 11.5, -26 - z - 0.1 * (y + 20)), tissue.fluid);
}

function paintCerebrum(
  volume: Volume,
  tissue: Tissues,
  size: number,
  fold: (x: number, y: number, z: number) => number,
  shrink: number,
): void {
  const box = { from: [-70, -90, -60], to: [70, 90, 86] } as const;
  const brain = ellipsoid([0, 0, 2], [62 * size - shrink, 82 * size - shrink, 78 * size - shrink]);
  const temporal = ellipsoid([0, -10, -24], [24, 36, 23]);
  const floor: Shape = (x, y, z) => Math.min(-20 - z - 0.1 * (y + 20), temporal(Math.abs(x) - 38, y, z, 0));
  volume.paint(
    box,
    (x, y, z) => Math.max(temporal(Math.abs(x) - 38, y, z, 0) - 3, brain(x, y, z, 0) - 1),
    tissue.fluid,
  );
  const fissure = (x: number, y: number, z: number): number => {
    const callosum = ellipse(y - 2, z - 12, 44, 26);
    return callosum < 0 ? 9 : Math.abs(x + 0.6 * Math.sin(y * 0.08));
  };
  volume.paint(
    HEAD,
    (x, y, z, at) => Math.max(brain(x, y, z, at), floor(x, y, z, at)),
    (x, y, z, _before, at) => {
      const depth = -brain(x, y, z, at);
      const sylvian = ellipse(Math.abs(x) - 52, y + 6 + 0.5 * z, 17, 2.4 * shrink);
      const open = (0.16 + 0.1 * (shrink - 1)) * (1 - smooth(10, 27, depth));
      const groove = Math.abs(fold(x, y, z));
      const middle = fissure(x, y, z);
      if (middle < 0.9 * shrink || (z > -24 && z < 14 && sylvian < 0)) return tissue.fluid;
      if (depth < 26 && groove < open) return tissue.fluid;
      const cortex =
        depth < 3.2 || middle < 4 || sylvian < 3 || (depth < 28 && groove < open + 0.42 * (1 - smooth(14, 28, depth)));
      return cortex ? tissue.grey : tissue.white;
    },
  );
}

function paintDeep(volume: Volume, tissue: Tissues, dilation: number): void {
  for (const side of [-1, 1]) {
    volume.ball([side * 14, 8, 6], [10.5, 15, 11], side * 0.35, tissue.nucleus);
    volume.ball([side * 27, -8, 4], [6, 17, 12], side * -0.3, tissue.nucleus);
    volume.ball([side * 14, -24, 14], [6, 10, 14], 0, tissue.nucleus);
    const horn: readonly Point[] = [
      [side * 7, -36, 10],
      [side * 9, -20, 20],
      [side * 11, 4, 27],
      [side * 17, 24, 22],
      [side * 25, 34, 8],
      [side * 32, 20, -10],
      [side * 35, 2, -20],
    ];
    const radius = [3.6, 5.6, 6.6, 6.8, 6.6, 3.6, 2.2];
    for (let at = 1; at < horn.length; at++) {
      const [a, b] = [horn[at - 1], horn[at]];
      if (a && b) volume.rod(a, b, (radius[at - 1] ?? 4) * dilation, (radius[at] ?? 4) * dilation, tissue.fluid);
    }
    volume.ball([side * 27, 34, 10], [2.6, 3.4, 4], 0, tissue.nucleus);
  }
  volume.ball([0, 6, 0], [1.8 * dilation, 15, 12], 0, tissue.fluid);
  volume.paint(
    { from: [-3, -36, 6], to: [3, 20, 26] },
    (x, y, z) => Math.max(Math.abs(x) - 0.9, ellipse(y + 6, z - 16, 26, 8)),
    tissue.white,
  );
}

function paintHindbrain(volume: Volume, tissue: Tissues): void {
  const cerebellum = ellipsoid([0, 46, -42], [50, 30, 21]);
  volume.paint({ from: [-60, 8, -70], to: [60, 84, -14] }, (x, y, z, at) => cerebellum(x, y, z, at) - 3, tissue.fluid);
  volume.paint({ from: [-60, 8, -70], to: [60, 84, -14] }, cerebellum, (x, y, z, _before, at) => {
    const depth = -cerebellum(x, y, z, at);
    const folia = Math.sin(Math.hypot(x * 0.75, y - 30) * 1.35 + z * 0.3);
    if (depth < 14 && folia > 0.86) return tissue.fluid;
    return depth > 13 && Math.abs(x) > 6 ? tissue.white : folia > -0.35 ? tissue.grey : tissue.white;
  });
  volume.rod([0, 12, -10], [0, 16, -36], 20, 20, tissue.fluid);
  volume.rod([0, 16, -36], [0, 26, -80], 19, 12, tissue.fluid);
  volume.rod([0, 12, -10], [0, 16, -36], 15, 15.5, tissue.white);
  volume.rod([0, 16, -36], [0, 26, -80], 14, 8, tissue.white);
  volume.ball([0, 14, -32], [12, 9, 10], 0, tissue.nucleus);
  volume.ball([0, 32, -38], [7, 4, 9], 0, tissue.fluid);
  volume.rod([0, -2, -26], [0, -1, -60], 2.2, 2.2, tissue.air);
}

function paintFace(volume: Volume, tissue: Tissues): void {
  for (const side of [-1, 1]) {
    volume.rod([side * 30, -72, -32], [side * 16, -36, -30], 15, 6, tissue.fat);
    volume.rod([side * 30, -60, -32], [side * 14, -34, -30], 2.4, 2, tissue.grey);
    volume.rod([side * 46, -66, -32], [side * 20, -36, -30], 2, 1.8, tissue.muscle);
    volume.rod([side * 20, -70, -32], [side * 13, -38, -30], 2, 1.8, tissue.muscle);
    volume.ball([side * 30, -76, -32], [12.4, 12.4, 12], 0, tissue.muscle);
    volume.ball([side * 30, -76, -32], [11.4, 11.4, 11], 0, tissue.fluid);
    volume.ball([side * 30, -84.5, -32], [4.6, 2.2, 4.6], 0, tissue.muscle);
    volume.ball([side * 30, -66, -62], [15, 18, 16], 0, tissue.air);
    volume.ball([side * 56, 22, -48], [10, 13, 12], 0, (x, y) =>
      Math.sin(x * 1.9) * Math.sin(y * 1.7) > 0 ? tissue.bone : tissue.air,
    );
    volume.rod([side * 72, 12, -50], [side * 84, 18, -42], 5, 3, tissue.muscle);
  }
  volume.ball([0, -68, -40], [9, 16, 20], 0, (x) => (Math.abs(Math.abs(x) - 4) < 1 ? tissue.muscle : tissue.air));
  volume.ball([0, -80, 4], [14, 6, 9], 0, tissue.air);
  volume.ball([0, -34, -44], [10, 9, 8], 0, tissue.air);
}

function paintFinding(
  volume: Volume,
  tissue: Tissues,
  finding: HeadFinding,
  fold: (x: number, y: number, z: number) => number,
): void {
  const brainOnly = (value: number) => (_x: number, _y: number, _z: number, before: number) =>
    before === tissue.white || before === tissue.grey || before === tissue.nucleus || before > tissue.air * 4
      ? value
      : before;
  if (finding === 'infarct') {
    const area = ellipsoid([30, -2, 12], [15, 24, 17], -0.3);
    volume.paint(
      { from: [8, -34, -10], to: [58, 30, 36] },
      (x, y, z, at) => area(x, y, z, at) + 3 * fold(x * 1.4, y * 1.4, z),
      brainOnly(tissue.lesion),
      3,
    );
  } else if (finding === 'tumour') {
    const core: Point = [-34, 26, 26];
    volume.ball(core, [27, 29, 24], 0.5, brainOnly(tissue.lesion * 0.7 + tissue.white * 0.3), 4);
    volume.ball(core, [15, 14, 13], 0, brainOnly(tissue.rim), 2);
    volume.ball([core[0] - 1, core[1] + 1, core[2]], [10.5, 9, 9], 0, brainOnly(tissue.lesion), 2);
  } else if (finding === 'atrophy') {
    for (const [x, y, z] of [
      [-26, -12, 30],
      [24, 16, 30],
      [28, -20, 22],
      [-24, 30, 26],
    ] as const)
      volume.ball([x, y, z], [3, 3, 4], 0, brainOnly(tissue.lesion), 1.5);
  }
}

/** The receive coil's slow shading and the noise of a magnitude image (Rician). */
function receive(volume: Volume, seed: number, weighting: Weighting): void {
  const random = seeded(seed + weighting.length * 977 + weighting.charCodeAt(1));
  const [real, imaginary] = [noiseTile(random, 256, 0), noiseTile(random, 256, 0)];
  const { columns, rows, slices } = volume.grid;
  for (let k = 0; k < slices; k++) {
    const slice = volume.slice(k);
    const offset = Math.floor(random() * 65536);
    for (let at = 0; at < slice.length; at++) {
      const [x, y] = [(at % columns) / columns - 0.5, Math.floor(at / columns) / rows - 0.5];
      const shading = 0.93 + 0.28 * (x * x + y * y) + 0.05 * y;
      const grain = (at + offset) & 65535;
      slice[at] = Math.hypot((slice[at] ?? 0) * shading + 11 * (real[grain] ?? 0), 11 * (imaginary[grain] ?? 0));
    }
  }
}
