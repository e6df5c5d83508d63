/** What Prometheus reads: requests by route and status, and the process itself. Labels are bounded and say no patient. */
import { Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

export interface Metrics {
  /** Other rooms' figures are registered here by the composition root. */
  readonly registry: Registry;
  request(method: string, route: string, status: number, seconds: number): void;
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']);

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const requests = new Histogram({
    name: 'hub_http_request_seconds',
    help: 'Time from the request to the end of its answer',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 20],
    registers: [registry],
  });
  return {
    registry,
    request: (method, route, status, seconds) =>
      requests.observe({ method: METHODS.has(method) ? method : 'other', route, status: String(status) }, seconds),
  };
}

/** Registers figures that are asked for when Prometheus asks; a source that fails leaves its figures out. */
export function gauge(
  { registry }: Metrics,
  name: string,
  help: string,
  read: () => Promise<Readonly<Record<string, number>>>,
): void {
  const figures = new Gauge({
    name,
    help,
    labelNames: ['what'] as const,
    registers: [registry],
    async collect() {
      figures.reset();
      const values = await read().catch(() => ({}));
      for (const [what, value] of Object.entries(values)) figures.set({ what }, value);
    },
  });
}
