import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import { act, fireEvent, render, screen, waitFor, within } from '@testing-library/react';
import React from 'react';
import type { SnapMLClient } from '../src/api/client';
import { SnapMLError } from '../src/api/errors';
import type { RunComparison } from '../src/api/types';
import { QueryPool } from '../src/live/pool';
import { ComparisonPage } from '../src/pages/comparison';
import { axesOf, labelsOf, overlays } from '../src/pages/comparison-figures';
import { readCsv } from '../src/pages/csv';
import { verdictOf } from '../src/pages/run';
import { readResources } from '../src/pages/run-resources';
import { readDiff } from '../src/parts/diff';
import { heightOf, stretches } from '../src/parts/parallel';
import { SurroundingsProvider } from '../src/parts/surroundings';
import { comparisonOf, refsOf } from '../src/tokens';
import { makeRun } from './records';

const RUNS = [
  makeRun({ run_id: 'abcdef01', name: 'sweep' }),
  makeRun({ run_id: 'abcdef02', name: 'sweep' }),
  makeRun({ run_id: 'other', name: 'late-flights' })
];

const compared = (name: string, values: (number | string | null)[]) => ({
  name,
  values,
  differs: new Set(values).size > 1
});

const COMPARISON: RunComparison = {
  runs: RUNS,
  params: [
    compared('depth', [2, 4, 8]),
    compared('kind', ['tree', 'forest', null]),
    compared('C', [1, 1, 1])
  ],
  metrics: [compared('auc', [0.7, 0.8, 'nan']), compared('loss', [0.5, 0.4, 0.4])],
  inputs: [{ variable: 'df', dataset_refs: ['flights@v1', 'flights@v2', null], differs: true }],
  environment: [compared('python_version', ['3.11', '3.11', '3.11'])],
  code: [],
  curves: [
    {
      run_id: 'abcdef01',
      name: 'loss',
      n_points: 2,
      steps: [0, 2],
      values: [1, 0.5],
      seconds: [0.1, 0.9]
    },
    {
      run_id: 'other',
      name: 'loss',
      n_points: 2,
      steps: [1, 2],
      values: [0.8, 0.4],
      seconds: [0.2, 0.3]
    }
  ]
};

test('runs of one name are told apart by as much of their ids as is needed', () => {
  expect(labelsOf(RUNS)).toEqual(['sweep abcdef01', 'sweep abcdef02', 'late-flights']);
});

test('curves of different steps share an axis, and each run keeps its colour', () => {
  const [chart] = overlays(COMPARISON.curves, RUNS, ['a', 'b', 'c'], 'steps');
  expect(chart.x).toEqual([0, 1, 2]);
  expect(chart.series).toEqual([
    { label: 'a', values: [1, null, 0.5], place: 0 },
    { label: 'c', values: [null, 0.8, 0.4], place: 2 }
  ]);
  expect(overlays(COMPARISON.curves, RUNS, ['a', 'b', 'c'], 'seconds')[0].x).toEqual([
    0.1, 0.2, 0.3, 0.9
  ]);
});

test('what differs becomes an axis, numbers on a scale and words one above the other', () => {
  const axes = axesOf(COMPARISON);
  expect(axes.map(axis => axis.name)).toEqual(['depth', 'kind', 'auc', 'loss']);
  expect(axes[0]).toMatchObject({ values: [2, 4, 8], low: 2, high: 8 });
  expect(axes[1]).toMatchObject({ values: [1, 0, null], words: ['forest', 'tree'] });
  expect(axes[2].values).toEqual([0.7, 0.8, null]);
  expect(heightOf(axes[0], 8)).toBe(1);
  expect(heightOf({ name: 'x', values: [3], low: 3, high: 3 }, 3)).toBe(0.5);
  expect(stretches(axes, 0)).toEqual([[0, 1, 2, 3]]);
  expect(stretches(axes, 2)).toEqual([]);
});

test('of many params and metrics there are twelve axes, and metrics have their share', () => {
  const many = (name: string) =>
    Array.from({ length: 20 }, (_, i) => compared(`${name}${i}`, [1, 2, 3]));
  const names = axesOf({ ...COMPARISON, params: many('p'), metrics: many('m') }).map(a => a.name);
  expect(names).toHaveLength(12);
  expect(names.filter(name => name.startsWith('m'))).toHaveLength(6);
});

test('a diff is read with the numbers of its lines', () => {
  const lines = ['--- a', '+++ b', '@@ -3,3 +3,4 @@', ' x', '-y', '+z', '+w', ' v'];
  expect(readDiff(lines)).toEqual([
    { change: 'gap', before: null, after: null, text: '' },
    { change: 'same', before: 3, after: 3, text: 'x' },
    { change: 'removed', before: 4, after: null, text: 'y' },
    { change: 'added', before: null, after: 4, text: 'z' },
    { change: 'added', before: null, after: 5, text: 'w' },
    { change: 'same', before: 5, after: 6, text: 'v' }
  ]);
  expect(readDiff(['--- a', '+++ b', '@@ -0,0 +1 @@', '+x'])).toEqual([
    { change: 'added', before: null, after: 1, text: 'x' }
  ]);
});

test('separated values are read with their quotes', () => {
  expect(readCsv('a,b\r\n"x, ""y""",2\n', ',')).toEqual({
    rows: [
      ['a', 'b'],
      ['x, "y"', '2']
    ],
    isCut: false
  });
  expect(readCsv('a\n1\n2\n3\n', ',', 2)).toEqual({ rows: [['a'], ['1']], isCut: true });
  expect(readCsv('', ',').rows).toEqual([]);
  expect(readCsv('"open\nend', ',').rows).toEqual([['open\nend']]);
});

test('resource use becomes charts; what is no such file becomes none', () => {
  const samples = [
    { seconds: 1, cpu_percent: 50, memory_bytes: 2e6 },
    { seconds: 2, cpu_percent: 70, memory_bytes: 3e6 }
  ];
  expect(readResources(JSON.stringify({ peak_memory_bytes: 3e6, samples }))).toEqual({
    peak: 3e6,
    seconds: [1, 2],
    charts: [
      { name: 'cpu_percent', values: [50, 70] },
      { name: 'memory_bytes', values: [2, 3] }
    ]
  });
  expect(readResources('{}')).toBeUndefined();
  expect(readResources('no json')).toBeUndefined();
});

test('the verdict of a run is that of the newest replay as it was', () => {
  const report = (fields: object) =>
    ({ run_id: 'replay', data: {}, params: {}, verdict: 'identical', ...fields }) as never;
  const changed = report({ params: { depth: 5 }, verdict: 'different', run_id: 'changed' });
  expect(verdictOf('original', [changed, report({})])).toBe('identical');
  expect(verdictOf('changed', [changed])).toBe('different');
  expect(verdictOf('original', [changed])).toBeUndefined();
});

test('a comparison names its runs, whatever they are called', () => {
  const refs = ['a, b', 'später', 'da6jf8'];
  expect(refsOf(comparisonOf(refs))).toEqual(refs);
});

async function show(answers: Record<string, unknown>) {
  const asked: [string, Record<string, unknown>][] = [];
  const client = {
    call: async (name: string, args: Record<string, unknown>) => {
      asked.push([name, args]);
      const answer = answers[name];
      if (answer instanceof Error) {
        throw answer;
      }
      return answer;
    }
  } as unknown as SnapMLClient;
  const trans = nullTranslator.load('x');
  await act(async () => {
    render(
      <SurroundingsProvider
        value={{
          snapml: { client, queries: new QueryPool(client) },
          commands: new CommandRegistry(),
          trans
        }}
      >
        <ComparisonPage reference={comparisonOf(RUNS.map(run => run.run_id))} />
      </SurroundingsProvider>
    );
  });
  return { asked, answers };
}

test('only rows that differ are shown, all of them on demand, with the distance to the first', async () => {
  const { asked } = await show({ 'runs.compare_runs': COMPARISON });
  const table = await screen.findByRole('table', { name: 'Runs side by side' });
  const names = () =>
    within(table)
      .getAllByRole('rowheader')
      .map(cell => cell.textContent);
  expect(names()).toEqual(expect.arrayContaining(['auc', 'loss', 'depth', 'kind', 'df']));
  expect(names()).not.toContain('C');
  expect(within(table).getByRole('row', { name: /^auc/ }).textContent).toBe('auc0.70.8+0.1NaN');
  fireEvent.click(screen.getByRole('switch'));
  await waitFor(() => expect(names()).toContain('C'));
  await waitFor(() =>
    expect(asked[asked.length - 1][1]).toMatchObject({ whole_environment: true })
  );
  expect(screen.queryByRole('tab', { name: 'Parallel coordinates' })).toBeNull();
});

test('any two runs are chosen for the diff of their code', async () => {
  const { asked } = await show({
    'runs.compare_runs': COMPARISON,
    'runs.diff_run_code': {
      run_id: 'other',
      lines: ['--- a', '+++ b', '@@ -1 +1 @@', '-fit(2)', '+fit(4)'],
      n_added: 1,
      n_removed: 1
    }
  });
  fireEvent.click(await screen.findByRole('tab', { name: 'Code' }));
  await screen.findByText('fit(4)');
  fireEvent.change(screen.getByLabelText('From'), { target: { value: 'other' } });
  await waitFor(() =>
    expect(asked[asked.length - 1]).toEqual([
      'runs.diff_run_code',
      { first: 'other', other: 'abcdef02', captured: false }
    ])
  );
});

test('what keeps runs from being compared is said, and Retry asks again', async () => {
  const { answers } = await show({
    'runs.compare_runs': new SnapMLError('failed', "There is no run 'abcdef01'.", 'conflict')
  });
  const problem = await screen.findByRole('alert');
  expect(problem.textContent).toContain('There is no run');
  answers['runs.compare_runs'] = COMPARISON;
  fireEvent.click(within(problem).getByRole('button', { name: 'Retry' }));
  await screen.findByRole('table', { name: 'Runs side by side' });
});
