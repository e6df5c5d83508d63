/** A chart of figures over time. The table beside it says the same in numbers, so it is a picture to screen readers. */
import { BarChart, LineChart } from 'echarts/charts';
import { GridComponent, LegendComponent, TooltipComponent } from 'echarts/components';
import { init, use as install } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import { useEffect, useRef } from 'react';
import type { ReactNode } from 'react';

install([BarChart, LineChart, GridComponent, LegendComponent, TooltipComponent, SVGRenderer]);

const COLOURS = ['#0b5f6b', '#5a8f3c', '#b3261e'];

export function Chart(props: {
  readonly label: string;
  readonly kind: 'bar' | 'line';
  readonly at: readonly string[];
  readonly series: readonly { readonly name: string; readonly values: readonly (number | null)[] }[];
}): ReactNode {
  const place = useRef<HTMLDivElement>(null);
  const { label, kind, at, series } = props;
  useEffect(() => {
    if (place.current === null) return undefined;
    const chart = init(place.current, null, { renderer: 'svg' });
    chart.setOption({
      color: COLOURS,
      animation: false,
      // Tooltips are drawn into the picture: no HTML of a value.
      tooltip: { trigger: 'axis', renderMode: 'richText' },
      legend: { bottom: 0 },
      grid: { left: 8, right: 8, top: 16, bottom: 36, containLabel: true },
      xAxis: { type: 'category', data: [...at] },
      yAxis: { type: 'value', minInterval: 1 },
      series: series.map(({ name, values }) => ({ name, type: kind, data: [...values], barMaxWidth: 24 })),
    });
    const watch = new ResizeObserver(() => chart.resize());
    watch.observe(place.current);
    return () => {
      watch.disconnect();
      chart.dispose();
    };
  }, [kind, at, series]);
  return <div ref={place} className="ops-chart" role="img" aria-label={label} />;
}
