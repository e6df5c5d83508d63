import { personHub, registration } from './support/person-hub.ts';
import { load, measure, asking } from './bench/identity.ts';
import pg from 'pg';
const hub = await personHub();
await load(hub, 0, 20000);
await measure(hub, 20000, 40);
const stats = new Map<string, number[]>();
const orig = pg.Client.prototype.query as any;
(pg.Client.prototype as any).query = function (q: any, ...rest: any[]) {
  const name = typeof q === 'string' ? q.slice(0, 40) : (q?.name ?? q?.text?.slice(0, 40));
  const t = performance.now();
  const r = orig.call(this, q, ...rest);
  if (r?.then) r.then(() => { const a = stats.get(name) ?? []; a.push(performance.now() - t); stats.set(name, a); }, () => undefined);
  return r;
};
const cpu = process.cpuUsage();
const t = performance.now();
const m = await measure(hub, 20001, 100);
const used = process.cpuUsage(cpu);
console.log(m, 'node cpu ms per reg', (used.user + used.system) / 1000 / 120, 'wall', (performance.now() - t) / 120);
for (const [k, v] of [...stats].sort((a, b) => b[1].reduce((x, y) => x + y) - a[1].reduce((x, y) => x + y)).slice(0, 30))
  console.log((v.reduce((x, y) => x + y) / 120).toFixed(2).padStart(8), String(v.length).padStart(5), k);
const { rows } = await hub.database.pool.query('select count(*) n, (select count(*) from match_record) r, (select max(c) from (select count(*) c from match_key group by key) x) m from match_key');
console.log(rows[0]);
process.exit(0);
