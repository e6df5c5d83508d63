/** Heart, great vessels, airway and gullet of the synthetic chest, and the organs below its diaphragm. */
import { dome, FAT, MUSCLE } from './chest-shape.ts';
import type { Mottle } from './chest-shape.ts';
import { ellipsoid, smooth } from './phantom.ts';
import type { Point, Volume } from './phantom.ts';

export function paintMediastinum(volume: Volume, enhanced: boolean, fine: Mottle, broad: Mottle): void {
  const soft = (value: number) => (x: number, y: number, z: number) => value + 4 * fine(x, y, z);
  const middle = (x: number, y: number, z: number): number => {
    const half =
      15 + 11 * smooth(-70, 10, y) + 10 * smooth(20, -40, z) - 6 * smooth(30, 80, z) + 12 * smooth(30, 55, y);
    return Math.max(Math.abs(x - 2) - half, z - 130);
  };
  volume.paint({ from: [-60, -92, -140], to: [64, 70, 130] }, middle, (x, y, z, before) =>
    before < -150 ? (broad(x, y, z) > 1.2 ? 15 : -88 + 6 * fine(x, y, z)) : before,
  );
  const blood = enhanced ? 185 : 42;
  const arterial = enhanced ? 230 : 44;
  // Heart: fat coat, muscle, chambers.
  volume.ball([22, -22, -58], [62, 45, 52], 0.62, (_x, _y, _z, before) =>
    before < -150 || before < -60 ? -92 : before,
  );
  volume.ball([22, -22, -58], [58, 41, 48], 0.62, soft(enhanced ? 95 : 50));
  volume.ball([46, -22, -66], [26, 17, 32], 0.72, soft(blood + 25));
  volume.ball([10, -44, -60], [30, 15, 30], 0.5, soft(blood));
  volume.ball([-24, -26, -52], [19, 22, 26], 0.2, soft(blood - 8));
  volume.ball([8, 10, -40], [30, 16, 20], 0, soft(blood + 10));
  volume.tube(
    [
      [-14, -22, -38],
      [-22, -26, -8],
      [-20, -24, 22],
      [-10, -16, 38],
      [8, 2, 46],
      [22, 22, 40],
      [24, 36, 24],
    ],
    14.5,
    soft(arterial),
  );
  volume.tube(
    [
      [24, 36, 24],
      [24, 40, -10],
      [20, 42, -70],
      [12, 40, -140],
    ],
    12,
    soft(arterial),
  );
  volume.tube(
    [
      [14, -40, -40],
      [16, -34, -8],
      [18, -22, 6],
    ],
    13,
    soft(blood),
  );
  volume.tube(
    [
      [18, -20, 2],
      [0, -2, -2],
      [-24, 2, -4],
      [-44, 4, -6],
    ],
    10,
    soft(blood),
  );
  volume.tube(
    [
      [20, -14, 6],
      [34, 4, 10],
      [46, 10, 6],
    ],
    10,
    soft(blood),
  );
  volume.tube(
    [
      [-28, -20, -40],
      [-29, -14, 10],
      [-27, -16, 62],
      [-20, -26, 90],
    ],
    8.5,
    soft(enhanced ? 260 : 42),
  );
  for (const [x, y] of [
    [-14, -14],
    [2, -8],
    [18, 4],
  ] as const)
    volume.tube(
      [
        [x, y, 44],
        [x * 1.7, y - 4, 110],
      ],
      5,
      soft(arterial),
    );
  volume.tube(
    [
      [6, 26, 110],
      [4, 27, 0],
      [10, 26, -120],
    ],
    6.5,
    soft(38),
  );
  volume.tube(
    [
      [5, 27, 70],
      [4, 28, 40],
    ],
    1.8,
    -600,
  );
  for (const [points, radius] of [
    [
      [
        [0, 4, 125],
        [0, 8, 2],
      ],
      9,
    ] as const,
    [
      [
        [0, 8, 2],
        [-20, 10, -10],
        [-42, 12, -22],
      ],
      7.2,
    ] as const,
    [
      [
        [0, 8, 2],
        [24, 13, -12],
        [46, 16, -26],
      ],
      6.4,
    ] as const,
  ]) {
    const course: readonly Point[] = points;
    volume.tube(course, radius + 2.2, soft(40));
    volume.tube(course, radius, -995);
  }
}

export function paintAbdomen(volume: Volume, inside: Float32Array, enhanced: boolean, fine: Mottle): void {
  const below = (x: number, y: number, z: number, at: number): number =>
    Math.max((inside[at] ?? 0) + 4, z - dome(x, y) + 3);
  volume.paint({ from: [-150, -100, -160], to: [150, 100, -60] }, (x, y, z, at) => below(x, y, z, at) - 3, MUSCLE);
  volume.paint({ from: [-150, -100, -160], to: [150, 100, -60] }, below, (x, y, z) => FAT + 10 + 8 * fine(x, y, z));
  const liver = ellipsoid([-48, -6, -122], [82, 84, 56], -0.25);
  volume.paint(
    { from: [-150, -100, -170], to: [70, 100, -60] },
    (x, y, z, at) => Math.max(below(x, y, z, at) + 1, liver(x, y, z, at)),
    (x, y, z) => (enhanced ? 105 : 58) + 5 * fine(x, y, z),
  );
  for (const [x, y] of [
    [-70, -20],
    [-50, 24],
    [-30, -30],
  ] as const)
    volume.rod([-18, 6, -130], [x, y, -98], 5, 2.5, (_x, _y, _z, before) =>
      before > 40 ? (enhanced ? 160 : 38) : before,
    );
  const spleen = ellipsoid([88, 34, -118], [30, 40, 38], 0.4);
  volume.paint(
    { from: [40, -20, -170], to: [140, 100, -60] },
    (x, y, z, at) => Math.max(below(x, y, z, at) + 1, spleen(x, y, z, at)),
    (x, y, z) => (enhanced ? 120 : 48) + 5 * fine(x, y, z),
  );
  const stomach = ellipsoid([56, -22, -116], [34, 36, 30], 0.2);
  volume.paint(
    { from: [10, -70, -170], to: [110, 30, -60] },
    (x, y, z, at) => Math.max(below(x, y, z, at) + 1, stomach(x, y, z, at)),
    40,
  );
  volume.paint(
    { from: [10, -70, -170], to: [110, 30, -60] },
    (x, y, z, at) => Math.max(below(x, y, z, at) + 1, stomach(x, y, z, at)) + 4,
    (_x, y) => (y < -24 ? -980 : 18),
  );
}
