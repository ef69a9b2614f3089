import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import { act, fireEvent, render, screen, within } from '@testing-library/react';
import React from 'react';
import type { SnapMLClient } from '../src/api/client';
import { SnapMLError } from '../src/api/errors';
import { QueryPool } from '../src/live/pool';
import { Clients } from '../src/pages/clients';
import { EndpointCharts } from '../src/pages/endpoint-charts';
import { EndpointLogs } from '../src/pages/endpoint-logs';
import { SurroundingsProvider } from '../src/parts/surroundings';
import { makeEndpoint } from './records';

// The code's highlighting is Lab's own.
jest.mock('../src/parts/code', () => ({ Code: () => null }));

type Answers = Record<string, unknown>;

/** The component over given answers; an Error among them is thrown, a function is called with the arguments. */
async function show(tree: React.ReactElement, answers: Answers) {
  const called: [string, object][] = [];
  const client = {
    call: async (name: string, args: object) => {
      called.push([name, args]);
      const answer = answers[name];
      const given = typeof answer === 'function' ? answer(args) : answer;
      if (given instanceof Error) {
        throw given;
      }
      return given;
    }
  } as unknown as SnapMLClient;
  const queries = new QueryPool(client);
  await act(async () => {
    render(
      <SurroundingsProvider
        value={{
          snapml: { client, queries },
          commands: new CommandRegistry(),
          trans: nullTranslator.load('x')
        }}
      >
        {tree}
      </SurroundingsProvider>
    );
  });
  return called;
}

const history = (fields: object) => ({
  endpoint: 'flights',
  step_seconds: 5,
  times_ms: [0],
  versions: [],
  is_host_running: true,
  ...fields
});

test('before the first request, and with a stopped host, the charts say what will come', async () => {
  await show(<EndpointCharts name="flights" />, { 'serving.get_traffic_history': history({}) });
  await screen.findByText(/No requests yet/);
});

test('a stopped host is named where there was nothing to draw', async () => {
  await show(<EndpointCharts name="flights" />, {
    'serving.get_traffic_history': history({ is_host_running: false })
  });
  await screen.findByText(/the host is stopped/);
  const called = await show(<EndpointCharts name="other" />, {
    'serving.get_traffic_history': history({})
  });
  await act(async () => {
    fireEvent.change(screen.getAllByRole('combobox', { name: 'Time shown' })[1], {
      target: { value: '900' }
    });
  });
  expect(called[called.length - 1][1]).toMatchObject({ name: 'other', seconds: 900 });
});

const NO_USAGE = { endpoint: 'flights', n_today: null, keys: [] };

test('what the server refuses of a new key stands at its field', async () => {
  const refused = new SnapMLError(
    'failed',
    'rate_per_second must be above 0; it is 1e-9.',
    'invalid_input'
  );
  const called = await show(<Clients endpoint={makeEndpoint()} />, {
    'serving.get_usage': NO_USAGE,
    'serving.create_key': refused
  });
  fireEvent.click(screen.getByRole('button', { name: 'New key…' }));
  const form = screen.getByRole('form', { name: 'New key for flights' });
  expect(document.activeElement).toBe(within(form).getByLabelText('Client'));
  fireEvent.change(within(form).getByLabelText('Client'), { target: { value: ' web ' } });
  const rate = within(form).getByLabelText(/Most requests a second/);
  fireEvent.change(rate, { target: { value: '1e-9' } });
  await act(async () => {
    fireEvent.submit(form);
  });
  expect(called[called.length - 1]).toEqual([
    'serving.create_key',
    {
      endpoint: 'flights',
      client: 'web',
      scopes: ['predict', 'feedback'],
      expires_in_seconds: null,
      rate_per_second: 1e-9,
      quota_per_day: null
    }
  ]);
  await within(form).findByText('Must be above 0; it is 1e-9.');
  expect(rate.getAttribute('aria-invalid')).toBe('true');
  expect(screen.queryByRole('alert')).toBeNull();
});

test('limits that somebody else changes show in the form, and only what is changed is saved', async () => {
  const endpoint = makeEndpoint();
  const called = await show(<Clients endpoint={endpoint} />, {
    'serving.get_usage': { ...NO_USAGE, n_today: 7 },
    'serving.change_endpoint': endpoint
  });
  const form = screen.getByRole('form', { name: 'Limits of flights' });
  within(form).getByText('today 7');
  const save = within(form).getByRole<HTMLButtonElement>('button', { name: 'Save limits' });
  expect(save.disabled).toBe(true);
  fireEvent.change(within(form).getByLabelText(/Most requests a day/), { target: { value: '90' } });
  await act(async () => {
    fireEvent.click(save);
  });
  expect(called[called.length - 1]).toEqual([
    'serving.change_endpoint',
    { name: 'flights', settings: { ...endpoint.settings, quota_per_day: 90 } }
  ]);
});

test('the log is asked for the words of the filter and the name of the endpoint', async () => {
  const lines = ['2026-11-22T12:00:00Z host: serving', 'Traceback'];
  const called = await show(<EndpointLogs name="flights" />, {
    'serving.read_host_log': ({ contains }: { contains: string }) => ({
      path: '/logs/host.log',
      lines: contains === '' ? lines : [],
      has_more: false
    })
  });
  const log = await screen.findByRole('log');
  expect(log.textContent).toBe('12:00:00host: servingTraceback');
  await act(async () => {
    fireEvent.click(screen.getByRole('checkbox', { name: /only lines that name flights/ }));
  });
  expect(called[called.length - 1][1]).toEqual({ n_lines: 500, contains: 'flights' });
  await screen.findByText('No line has “flights”.');
});
