import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import { act, fireEvent, render, screen } from '@testing-library/react';
import React from 'react';
import type { SnapMLClient } from '../src/api/client';
import type { RunCard } from '../src/api/types';
import { Badge } from '../src/card/badge';
import { broughtUpToDate } from '../src/card/current';
import { cardIn, MIME_TYPE } from '../src/card/record';
import { RunCardView } from '../src/card/run-card';
import { QueryPool } from '../src/live/pool';
import { SurroundingsProvider } from '../src/parts/surroundings';
import { makeRun } from './records';

function makeCard(fields: Partial<RunCard> = {}): RunCard {
  return {
    run_id: 'r-2',
    name: 'late-flights',
    status: 'finished',
    seconds: 14.2,
    metrics: [{ name: 'auc', value: 0.782349, curve: [] }],
    inputs: [{ dataset_ref: 'flights@v3', n_rows: 336776, n_columns: 19 }],
    model: 'flights:4 champion · Pipeline (skops, 1.2 MB)',
    model_ref: 'flights:4',
    has_model: true,
    can_be_replayed: true,
    error: null,
    not_captured: null,
    warnings: [],
    ...fields
  };
}

/** Shown over given answers of the server; gives the commands that were executed and the operations that were called. */
function show(node: React.ReactElement, answers: Record<string, unknown> = {}, commandIds = ['']) {
  const called: string[] = [];
  const client = {
    call: async (name: string) => {
      called.push(name);
      return answers[name] ?? [];
    }
  } as unknown as SnapMLClient;
  const commands = new CommandRegistry();
  const executed: [string, unknown][] = [];
  for (const id of ['snapml:open', 'snapml:deploy', 'snapml:insert-cell', ...commandIds]) {
    commands.addCommand(id, {
      describedBy: { args: { type: 'object' } },
      execute: args => executed.push([id, args])
    });
  }
  const snapml = { client, queries: new QueryPool(client) };
  const trans = nullTranslator.load('snapml_jupyter');
  render(<SurroundingsProvider value={{ snapml, commands, trans }}>{node}</SurroundingsProvider>);
  return { executed, called };
}

const settle = () => act(async () => new Promise(resolve => setTimeout(resolve, 0)));
const noKernel = () => null;

test('the card says what was recorded and links to it', async () => {
  const { executed } = show(<RunCardView card={makeCard()} kernelOf={noKernel} />);
  await settle();
  expect(screen.getByRole('group', { name: 'Run late-flights' }).textContent).toContain('finished');
  expect(screen.getByText('0.7823')).toBeTruthy();
  fireEvent.click(screen.getByRole('button', { name: 'flights@v3' }));
  fireEvent.click(screen.getByRole('button', { name: 'flights:4' }));
  fireEvent.click(screen.getByRole('button', { name: 'Open' }));
  expect(executed).toEqual([
    ['snapml:open', { kind: 'dataset', ref: 'flights@v3' }],
    ['snapml:open', { kind: 'model', ref: 'flights:4' }],
    ['snapml:open', { kind: 'run', ref: 'r-2' }]
  ]);
});

test('a button that cannot work is not shown', async () => {
  show(
    <RunCardView
      card={makeCard({ can_be_replayed: false, has_model: false })}
      kernelOf={noKernel}
    />
  );
  await settle();
  const labels = screen.getAllByRole('button').map(button => button.textContent);
  expect(labels).toContain('Open');
  for (const label of ['Compare', 'Replay', 'Deploy', 'Stop']) {
    expect(labels).not.toContain(label);
  }
});

test('compare takes the run of that name before this one', async () => {
  const runs = ['r-3', 'r-2', 'r-1'].map(run_id => makeRun({ run_id }));
  const { executed } = show(
    <RunCardView card={makeCard()} kernelOf={noKernel} />,
    { 'runs.list_runs': runs },
    ['snapml:compare']
  );
  fireEvent.click(screen.getByRole('button', { name: 'Compare' }));
  await settle();
  expect(executed).toEqual([['snapml:compare', { refs: ['r-1', 'r-2'] }]]);
});

test('a model that is not registered is registered by a visible cell', async () => {
  const { executed } = show(
    <RunCardView card={makeCard({ model_ref: null })} kernelOf={noKernel} />,
    {
      'runs.get_run': makeRun({ run_id: 'r-2', model_refs: [] })
    }
  );
  fireEvent.click(screen.getByRole('button', { name: 'Deploy' }));
  await settle();
  expect(executed).toEqual([['snapml:insert-cell', { code: '%snap_register r-2 late-flights' }]]);
});

test('a replay without a kernel says why not, and an earlier verdict stays to be seen', async () => {
  const report = {
    original_run_id: 'r-2',
    verdict: 'different',
    causes: ['scikit-learn 1.5 instead of 1.4'],
    reason: ''
  };
  show(<RunCardView card={makeCard()} kernelOf={noKernel} />, { 'runs.list_replays': [report] });
  await settle();
  expect(screen.getByText('scikit-learn 1.5 instead of 1.4')).toBeTruthy();
  fireEvent.click(screen.getByRole('button', { name: 'Replay' }));
  await settle();
  expect(screen.getByText(/The notebook has no kernel/)).toBeTruthy();
});

test('a saved card that still says running is brought up to date', async () => {
  const run = makeRun({ run_id: 'r-2', status: 'interrupted', duration_seconds: 90 });
  const running = makeCard({ status: 'running', seconds: 40, model: null });
  const { called } = show(<RunCardView card={running} kernelOf={noKernel} />, {
    'runs.get_run': run
  });
  await settle();
  expect(called).toContain('runs.get_run');
  expect(screen.getByRole('group').dataset.status).toBe('interrupted');
  expect(broughtUpToDate(running, run, 0).seconds).toBe(90);
});

test('a card of a finished run asks the server for its replays only', async () => {
  const { called } = show(<RunCardView card={makeCard()} kernelOf={noKernel} />);
  await settle();
  expect(called).toEqual(['runs.list_replays']);
});

test('the badge names run, status and id, and opens the page', async () => {
  const { executed, called } = show(<Badge card={makeCard({ status: 'failed' })} />);
  const badge = screen.getByRole('button', {
    name: 'Run late-flights, failed, r-2: open its page'
  });
  expect(badge.hasAttribute('data-lm-suppress-shortcuts')).toBe(true);
  fireEvent.click(badge);
  await settle();
  expect(executed).toEqual([['snapml:open', { kind: 'run', ref: 'r-2', title: 'late-flights' }]]);
  expect(called).toEqual([]);
});

test('what is no card of ours is not taken for one', () => {
  expect(cardIn({})).toBeUndefined();
  expect(cardIn({ [MIME_TYPE]: 'text' })).toBeUndefined();
  expect(cardIn({ [MIME_TYPE]: { run_id: 'r' } })).toBeUndefined();
  const old = { run_id: 'r', name: 'n', status: 'finished', metrics: [] };
  expect(cardIn({ [MIME_TYPE]: old })?.inputs).toEqual([]);
});
