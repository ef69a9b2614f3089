import React, { useEffect, useMemo, useState } from 'react';
import type { Artifact } from '../api/types';
import { bytes } from '../format';
import { Chart } from '../parts/chart';
import { Part } from '../parts/page';
import { Problem } from '../parts/states';
import { useSurroundings } from '../parts/surroundings';

/** The file in which a recorded cell leaves what it used. */
const PATH = 'resources.json';

type Sample = Record<string, number>;

/** Figures of a sample that make a chart, and what one of their units is in it. */
const CHARTS = [
  { name: 'cpu_percent', unit: 1 },
  { name: 'memory_bytes', unit: 1e6 },
  { name: 'gpu_memory_bytes', unit: 1e6 },
  { name: 'gpu_used_percent', unit: 1 }
] as const;

/** CPU, memory and GPU over the time of a recorded cell that took a while. */
export function ResourceUse(props: { artifacts: readonly Artifact[] }): React.ReactElement | null {
  const { snapml, trans } = useSurroundings();
  const digest = props.artifacts.find(artifact => artifact.path === PATH)?.digest;
  const [text, setText] = useState<string | undefined>(undefined);
  const [error, setError] = useState<unknown>(undefined);
  useEffect(() => {
    if (digest === undefined) {
      return;
    }
    let isGone = false;
    snapml.client
      .blob(digest)
      .then(blob => blob.text())
      .then(
        read => !isGone && setText(read),
        reason => !isGone && setError(reason)
      );
    return () => {
      isGone = true;
    };
  }, [snapml, digest]);
  const used = useMemo(() => readResources(text), [text]);
  if (digest === undefined || (used === undefined && error === undefined)) {
    return null;
  }
  const labels: Record<string, string> = {
    cpu_percent: trans.__('Processor, percent of one core'),
    memory_bytes: trans.__('Memory, MB'),
    gpu_memory_bytes: trans.__('GPU memory of this process, MB'),
    gpu_used_percent: trans.__('GPU memory in use, percent')
  };
  return (
    <Part
      title={trans.__('Resource use')}
      note={used && trans.__('at most %1 of memory', bytes(used.peak))}
    >
      {error !== undefined && <Problem error={error} />}
      <div className="jp-snapml-charts">
        {used?.charts.map(chart => (
          <Chart
            key={chart.name}
            label={labels[chart.name]}
            xLabel={trans.__('seconds')}
            yLabel=""
            x={used.seconds}
            series={[{ label: labels[chart.name], values: chart.values }]}
            isMeasured
          />
        ))}
      </div>
    </Part>
  );
}

/** The samples by figure; undefined for what cannot be read as such. */
export function readResources(text: string | undefined):
  | {
      peak: number;
      seconds: number[];
      charts: { name: string; values: (number | null)[] }[];
    }
  | undefined {
  if (text === undefined) {
    return undefined;
  }
  let content: { peak_memory_bytes?: unknown; samples?: unknown };
  try {
    content = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(content.samples) || typeof content.peak_memory_bytes !== 'number') {
    return undefined;
  }
  const samples = content.samples as Sample[];
  return {
    peak: content.peak_memory_bytes,
    seconds: samples.map(sample => sample.seconds),
    charts: CHARTS.filter(({ name }) => samples.some(sample => name in sample)).map(
      ({ name, unit }) => ({
        name,
        values: samples.map(sample => (name in sample ? sample[name] / unit : null))
      })
    )
  };
}
