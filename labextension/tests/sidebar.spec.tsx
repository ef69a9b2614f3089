import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import { act, fireEvent, render, screen, waitFor, within } from '@testing-library/react';
import React from 'react';
import type { SnapMLClient } from '../src/api/client';
import { SnapMLError } from '../src/api/errors';
import { QueryPool } from '../src/live/pool';
import { SurroundingsProvider } from '../src/parts/surroundings';
import { Sidebar } from '../src/sidebar/sidebar';
import { CommandIDs } from '../src/tokens';
import { VERSION } from '../src/version';
import { makeAlert, makeDataset, makeRun } from './records';

// React tells of updates it did not expect; so does this file.
beforeEach(() => {
  jest.spyOn(console, 'error').mockImplementation((...told) => {
    throw new Error(told.join(' '));
  });
});

type Answers = Record<string, unknown>;

const NOTHING_YET: Answers = {
  'governance.get_status': { n_runs: 0 },
  'runs.list_runs': [],
  'datasets.list_datasets': [],
  'registry.list_models': [],
  'serving.list_endpoints': [],
  'serving.get_host_status': { running: false, problem: null },
  'monitoring.list_monitors': [],
  'monitoring.list_alerts': []
};

/** The sidebar over given answers; an Error among them is thrown, a function is called with the arguments. */
async function show(given: Answers, whoami?: Error) {
  const answers: Answers = { ...NOTHING_YET, ...given };
  const client = {
    call: async (name: string, args: object) => {
      const answer = answers[name];
      if (answer instanceof Error) {
        throw answer;
      }
      return typeof answer === 'function' ? answer(args) : answer;
    },
    whoami: async () => {
      if (whoami) {
        throw whoami;
      }
      return { actor: 'ada', workspace: '/home/ada/flights/.snapml', version: VERSION };
    }
  } as unknown as SnapMLClient;
  const queries = new QueryPool(client);
  const commands = new CommandRegistry();
  const executed: [string, unknown][] = [];
  for (const id of [CommandIDs.open, CommandIDs.insertCell, CommandIDs.refresh]) {
    commands.addCommand(id, {
      describedBy: { args: { type: 'object' } },
      execute: args => executed.push([id, args])
    });
  }
  const saved: (readonly string[])[] = [];
  const tree = (
    <SurroundingsProvider
      value={{ snapml: { client, queries }, commands, trans: nullTranslator.load('x') }}
    >
      <Sidebar load={async () => []} save={closed => saved.push(closed)} />
    </SurroundingsProvider>
  );
  await act(async () => {
    render(tree);
  });
  return { answers, queries, executed, saved };
}

const section = (name: string) => screen.findByRole('region', { name });
const many = (n: number) =>
  Array.from({ length: n }, (_, i) => makeRun({ run_id: `r-${i}`, name: `run ${i}` }));

test('an empty workspace says what will appear and offers the magic', async () => {
  const { executed } = await show({});
  const runs = await section('Runs');
  await within(runs).findByText(/appear here when a cell begins with/);
  fireEvent.click(within(runs).getByRole('button', { name: 'Insert as cell' }));
  expect(executed).toEqual([[CommandIDs.insertCell, { code: '%%snap_train my-model\n' }]]);
  expect(screen.queryByRole('region', { name: 'Alerts' })).toBeNull();
  await screen.findByText('host stopped');
  await screen.findByText(/workspace: flights/);
});

test('before the first answer there are skeletons, not emptiness', async () => {
  await show({ 'runs.list_runs': new Promise(() => undefined) });
  const runs = await section('Runs');
  expect(within(runs).getByRole('status', { name: 'Loading' })).toBeTruthy();
  expect(within(runs).queryByText(/appear here/)).toBeNull();
});

test('without the server part there is one sentence and Retry', async () => {
  await show({}, new SnapMLError('server-missing'));
  const problem = await screen.findByRole('alert');
  expect(problem.textContent).toMatch(/server part of SnapML is missing/);
  expect(within(problem).getByRole('button', { name: 'Retry' })).toBeTruthy();
  expect(screen.queryByRole('region', { name: 'Runs' })).toBeNull();
});

test('one section that fails does not take the others with it; Retry mends it', async () => {
  const { answers } = await show({
    'runs.list_runs': new SnapMLError('failed', 'The database is locked.'),
    'datasets.list_datasets': [{ name: 'flights', n_versions: 1, latest: makeDataset() }]
  });
  const runs = await section('Runs');
  expect((await within(runs).findByRole('alert')).textContent).toMatch(/database is locked/);
  await within(await section('Datasets')).findByText('flights');
  answers['runs.list_runs'] = [makeRun()];
  fireEvent.click(within(runs).getByRole('button', { name: 'Retry' }));
  await within(runs).findByText('late-flights');
  expect(within(runs).queryByRole('alert')).toBeNull();
});

test('a click and Enter open the page', async () => {
  const { executed } = await show({ 'runs.list_runs': [makeRun()] });
  const row = await screen.findByRole('option');
  fireEvent.click(row);
  fireEvent.keyDown(row, { key: 'Enter' });
  const opened = [CommandIDs.open, { kind: 'run', ref: 'r-1' }];
  expect(executed).toEqual([opened, opened]);
});

test('an alert opens the monitor of its endpoint', async () => {
  const { executed } = await show({ 'monitoring.list_alerts': [makeAlert()] });
  const alerts = await section('Alerts');
  fireEvent.click(await within(alerts).findByRole('option'));
  expect(executed).toEqual([[CommandIDs.open, { kind: 'monitor', ref: 'flights' }]]);
});

test('arrow keys move over sections, Home and End to the ends, and one row is in the tab order', async () => {
  await show({
    'runs.list_runs': many(3),
    'datasets.list_datasets': [{ name: 'flights', n_versions: 1, latest: makeDataset() }]
  });
  const rows = await waitFor(() => {
    const found = screen.getAllByRole('option');
    expect(found).toHaveLength(4);
    return found;
  });
  expect(rows.filter(row => row.tabIndex === 0)).toEqual([rows[0]]);
  act(() => rows[0].focus());
  for (const [key, reached] of [
    ['ArrowDown', 1],
    ['End', 3],
    ['ArrowUp', 2],
    ['Home', 0],
    ['ArrowUp', 0]
  ] as const) {
    fireEvent.keyDown(document.activeElement!, { key });
    await waitFor(() => expect(document.activeElement).toBe(rows[reached]));
  }
});

test('of a long list only some rows are in the document, and each says its place', async () => {
  await show({ 'runs.list_runs': many(200), 'governance.get_status': { n_runs: 12345 } });
  const runs = await section('Runs');
  const rows = await within(runs).findAllByRole('option');
  expect(rows.length).toBeLessThan(50);
  expect(rows[1].getAttribute('aria-posinset')).toBe('2');
  expect(rows[1].getAttribute('aria-setsize')).toBe('200');
  await waitFor(() => expect(runs.textContent).toContain('12\u202f345'));
});

test('older runs are loaded when the end is reached, and none vanishes when newer ones arrive', async () => {
  let all = many(205).map((run, i) => ({
    ...run,
    started_at: new Date(Date.UTC(2026, 0, 2) - 1000 * i).toISOString()
  }));
  const page = ({ limit = 100, offset = 0 }) => all.slice(offset, offset + limit);
  const { queries } = await show({ 'runs.list_runs': page });
  const runs = await section('Runs');
  const sizes = () => within(runs).getAllByRole('option')[0].getAttribute('aria-setsize');
  expect(sizes()).toBe('200');
  // jsdom measures nothing, so the end comes into sight by the keyboard's jump to the last row.
  act(() => within(runs).getAllByRole('option')[0].focus());
  fireEvent.keyDown(document.activeElement!, { key: 'End' });
  await waitFor(() => expect(sizes()).toBe('205'));
  const newer = { started_at: new Date(Date.UTC(2026, 0, 3)).toISOString() };
  all = [makeRun({ run_id: 'new', name: 'new', ...newer }), ...all];
  queries.announce('run.started');
  await waitFor(() => expect(sizes()).toBe('206'));
});

test('focus and the row it is on survive a refresh that adds rows above', async () => {
  const { answers, queries } = await show({ 'runs.list_runs': [makeRun()] });
  const row = await screen.findByRole('option');
  act(() => row.focus());
  answers['runs.list_runs'] = [makeRun({ run_id: 'r-0', name: 'newer' }), makeRun()];
  await act(() => queries.refreshAll());
  await screen.findByText('newer');
  expect(document.activeElement).toBe(row);
  expect(row.getAttribute('aria-posinset')).toBe('2');
});

test('the filter narrows all sections and tells how many are left; Escape clears it', async () => {
  await show({
    'runs.list_runs': [makeRun(), makeRun({ run_id: 'r-2', name: 'churn', inputs: [] })],
    'governance.get_status': { n_runs: 2 }
  });
  const runs = await section('Runs');
  await within(runs).findByText('churn');
  const box = screen.getByRole('searchbox');
  fireEvent.change(box, { target: { value: 'churn' } });
  expect(within(runs).getAllByRole('option')).toHaveLength(1);
  expect(runs.querySelector('[aria-live=polite]')!.textContent).toBe('1 of 2');
  fireEvent.keyDown(box, { key: 'Escape' });
  expect(within(runs).getAllByRole('option')).toHaveLength(2);
});

test('a closed section stays closed after a reload', async () => {
  const { saved } = await show({ 'runs.list_runs': [makeRun()] });
  const runs = await section('Runs');
  await within(runs).findByRole('option');
  fireEvent.click(within(runs).getByRole('button', { name: /Runs/ }));
  expect(within(runs).queryByRole('option')).toBeNull();
  expect(saved).toEqual([['runs']]);
});
