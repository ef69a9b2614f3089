import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import { act, fireEvent, render, screen, waitFor, within } from '@testing-library/react';
import React from 'react';
import type { SnapMLClient } from '../src/api/client';
import { SnapMLError } from '../src/api/errors';
import { QueryPool } from '../src/live/pool';
import { SurroundingsProvider } from '../src/parts/surroundings';
import { PLAIN_LOOK } from '../src/sidebar/run-order';
import type { ISidebarState } from '../src/sidebar/sidebar';
import { Sidebar } from '../src/sidebar/sidebar';
import { CommandIDs } from '../src/tokens';
import { VERSION } from '../src/version';
import { makeAlert, makeDataset, makeRunPage, makeRunRow } from './records';

// React tells of updates it did not expect; so does this file.
beforeEach(() => {
  jest.spyOn(console, 'error').mockImplementation((...told) => {
    throw new Error(told.join(' '));
  });
});

type Answers = Record<string, unknown>;

const AS_NEW: ISidebarState = { closed: [], look: PLAIN_LOOK };

const NOTHING_YET: Answers = {
  'governance.get_status': { n_runs: 0 },
  'runs.search_runs': makeRunPage([]),
  'runs.list_run_columns': { params: ['depth'], metrics: ['auc'], tags: [] },
  'datasets.list_datasets': [],
  'registry.list_models': [],
  'serving.list_endpoints': [],
  'serving.get_host_status': { running: false, problem: null },
  'monitoring.list_monitors': [],
  'monitoring.list_alerts': []
};

/** The sidebar over given answers; an Error among them is thrown, a function is called with the arguments. */
async function show(given: Answers, whoami?: Error, stored: ISidebarState = AS_NEW) {
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
  const saved: ISidebarState[] = [];
  const tree = (
    <SurroundingsProvider
      value={{ snapml: { client, queries }, commands, trans: nullTranslator.load('x') }}
    >
      <Sidebar load={async () => stored} save={state => saved.push(state)} />
    </SurroundingsProvider>
  );
  await act(async () => {
    render(tree);
  });
  return { answers, queries, executed, saved };
}

/** Rows of lists; the choices of a select are options, too. */
const rowsIn = (node: Element) => [...node.querySelectorAll<HTMLElement>('.jp-snapml-row')];
const firstRow = (node: Element = document.body) =>
  waitFor(() => {
    const [row] = rowsIn(node);
    expect(row).toBeTruthy();
    return row;
  });
const section = (name: string) => screen.findByRole('region', { name });
const many = (n: number) =>
  Array.from({ length: n }, (_, i) => makeRunRow({ run_id: `r-${i}`, name: `run ${i}` }));

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
  await show({ 'runs.search_runs': new Promise(() => undefined) });
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
    'runs.search_runs': new SnapMLError('failed', 'The database is locked.'),
    'datasets.list_datasets': [{ name: 'flights', n_versions: 1, latest: makeDataset() }]
  });
  const runs = await section('Runs');
  expect((await within(runs).findByRole('alert')).textContent).toMatch(/database is locked/);
  await within(await section('Datasets')).findByText('flights');
  answers['runs.search_runs'] = makeRunPage([makeRunRow()]);
  fireEvent.click(within(runs).getByRole('button', { name: 'Retry' }));
  await within(runs).findByText('late-flights');
  expect(within(runs).queryByRole('alert')).toBeNull();
});

test('a click and Enter open the page', async () => {
  const { executed } = await show({ 'runs.search_runs': makeRunPage([makeRunRow()]) });
  const row = await firstRow();
  fireEvent.click(row);
  fireEvent.keyDown(row, { key: 'Enter' });
  const opened = [CommandIDs.open, { kind: 'run', ref: 'r-1' }];
  expect(executed).toEqual([opened, opened]);
});

test('an alert opens the monitor of its endpoint', async () => {
  const { executed } = await show({ 'monitoring.list_alerts': [makeAlert()] });
  const alerts = await section('Alerts');
  fireEvent.click(await firstRow(alerts));
  expect(executed).toEqual([[CommandIDs.open, { kind: 'monitor', ref: 'flights' }]]);
});

test('arrow keys move over sections, Home and End to the ends, and one row is in the tab order', async () => {
  await show({
    'runs.search_runs': makeRunPage(many(3)),
    'datasets.list_datasets': [{ name: 'flights', n_versions: 1, latest: makeDataset() }]
  });
  const rows = await waitFor(() => {
    const found = rowsIn(document.body);
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
  const all = many(5000);
  const asked: number[] = [];
  const page = (args: { limit: number; offset: number }) => {
    asked.push(args.offset);
    return makeRunPage(all, args);
  };
  await show({ 'runs.search_runs': page, 'governance.get_status': { n_runs: 5000 } });
  const runs = await section('Runs');
  const rows = await firstRow(runs).then(() => rowsIn(runs));
  expect(rows.length).toBeLessThan(50);
  expect(rows[1].getAttribute('aria-posinset')).toBe('2');
  expect(rows[1].getAttribute('aria-setsize')).toBe('5000');
  await waitFor(() => expect(runs.textContent).toContain('5\u202f000'));
  expect(asked).toEqual([0]);
});

test('a page comes when its rows come into sight, and the keyboard goes on to the run at that place', async () => {
  const all = many(205);
  await show({ 'runs.search_runs': (args: object) => makeRunPage(all, args) });
  const runs = await section('Runs');
  const first = rowsIn(runs)[0];
  act(() => first.focus());
  // jsdom measures nothing: the panel is made as high as the last row is far away.
  const scroller = document.querySelector<HTMLElement>('.jp-snapml-scroller')!;
  scroller.getBoundingClientRect = () => ({ top: 0, height: 10_000 }) as DOMRect;
  await act(async () => {
    fireEvent.keyDown(first, { key: 'End' });
    fireEvent.scroll(scroller);
    await new Promise(done => window.setTimeout(done, 50));
  });
  await waitFor(() => expect(document.activeElement?.textContent).toContain('run 204'));
  expect(document.activeElement?.getAttribute('data-ref')).toBe('r-204');
});

test('all pages in sight follow when a run arrives above them', async () => {
  let all = many(5);
  const { queries } = await show({
    'runs.search_runs': (args: object) => makeRunPage(all, args)
  });
  const runs = await section('Runs');
  expect(rowsIn(runs)).toHaveLength(5);
  all = [makeRunRow({ run_id: 'new', name: 'new' }), ...all];
  queries.announce('run.started');
  await within(runs).findByText('new');
  expect(rowsIn(runs)[0].textContent).toContain('new');
});

test('focus and the row it is on survive a refresh that adds rows above', async () => {
  const { answers, queries } = await show({ 'runs.search_runs': makeRunPage([makeRunRow()]) });
  const row = await firstRow();
  act(() => row.focus());
  answers['runs.search_runs'] = makeRunPage([
    makeRunRow({ run_id: 'r-0', name: 'newer' }),
    makeRunRow()
  ]);
  await act(() => queries.refreshAll());
  await screen.findByText('newer');
  expect(document.activeElement).toBe(row);
  expect(row.getAttribute('aria-posinset')).toBe('2');
});

test('the filter narrows all sections, runs by the server; Escape clears it', async () => {
  const all = [makeRunRow(), makeRunRow({ run_id: 'r-2', name: 'churn', dataset_refs: [] })];
  const search = ({ text }: { text: string }) =>
    makeRunPage(all.filter(run => run.name.includes(text)));
  await show({
    'runs.search_runs': search,
    'governance.get_status': { n_runs: 2 },
    'datasets.list_datasets': [{ name: 'flights', n_versions: 1, latest: makeDataset() }]
  });
  const runs = await section('Runs');
  await within(runs).findByText('churn');
  const box = screen.getByRole('searchbox');
  fireEvent.change(box, { target: { value: 'churn' } });
  expect(rowsIn(await section('Datasets'))).toEqual([]);
  await waitFor(() => expect(rowsIn(runs)).toHaveLength(1));
  expect(runs.querySelector('[aria-live=polite]')!.textContent).toBe('1 of 2');
  fireEvent.keyDown(box, { key: 'Escape' });
  await waitFor(() => expect(rowsIn(runs)).toHaveLength(2));
});

test('a filter that cannot be read says why, and the runs stay', async () => {
  const misread = new SnapMLError('failed', "Runs have no 'auc'.", 'invalid_input');
  const search = ({ text }: { text: string }) => {
    if (text !== '') {
      throw misread;
    }
    return makeRunPage([makeRunRow()]);
  };
  await show({ 'runs.search_runs': search });
  const box = await screen.findByRole('searchbox');
  fireEvent.change(box, { target: { value: 'auc > 1' } });
  await screen.findByText("Runs have no 'auc'.");
  expect(box.getAttribute('aria-invalid')).toBe('true');
  expect(rowsIn(await section('Runs'))).toHaveLength(1);
  expect(screen.queryByRole('alert')).toBeNull();
});

test('runs are sorted and shown as chosen, and the choice is kept', async () => {
  const asked: { sort: string; columns: string[] }[] = [];
  const run = makeRunRow({ params: { depth: 6 } });
  const { saved } = await show({
    'runs.search_runs': (args: { sort: string; columns: string[] }) => {
      asked.push(args);
      return makeRunPage([run]);
    }
  });
  const runs = await section('Runs');
  await firstRow(runs);
  const sort = await within(runs).findByRole('combobox', { name: 'Sort runs by' });
  await within(runs).findByRole('option', { name: 'auc' });
  fireEvent.change(sort, { target: { value: 'metrics.auc' } });
  await waitFor(() => expect(asked[asked.length - 1].sort).toBe('metrics.auc desc'));
  fireEvent.click(within(runs).getByRole('button', { name: 'Columns' }));
  fireEvent.click(within(runs).getByRole('checkbox', { name: /depth/ }));
  await waitFor(() => expect(runs.textContent).toContain('depth 6'));
  expect(asked[asked.length - 1].columns).toEqual(['metrics.*', 'params.depth']);
  expect(saved[saved.length - 1]).toEqual({
    closed: [],
    look: { order: { key: 'metrics.auc', isDescending: true }, columns: ['params.depth'] }
  });
});

test('a closed section stays closed after a reload', async () => {
  const { saved } = await show({ 'runs.search_runs': makeRunPage([makeRunRow()]) });
  const runs = await section('Runs');
  await firstRow(runs);
  fireEvent.click(within(runs).getByRole('button', { name: /Runs/ }));
  expect(rowsIn(runs)).toEqual([]);
  expect(saved).toEqual([{ closed: ['runs'], look: PLAIN_LOOK }]);
});
